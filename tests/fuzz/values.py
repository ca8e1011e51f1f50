"""Values that fit a type of the spec, made from its own annotations."""

import random
import types
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from emily_infra.spec.host import HostSpec
from emily_infra.spec.source import Data
from tests.hosts import shipped

EXTRAS: tuple[Any, ...] = (
    True, False, 0, 1, 2, 3, 7, 9, 16, 22, 53, 80, 443, 445, 1024, 1280, 1420, 1500, 3000, 4094,
    8470, 9000, 9090, 9100, 9216, 10_000, 51820, 65535, 100, "a", "b", "none", "host", "root",
    "tank", "rpool", "users", "nobody", "z9", "wg1", "wg0", "lan2", "vlan10", "ssh", "smb",
    "wireguard", "runtime", "grafana", "dns", "0B", "1B", "512B", "4KiB", "1MiB", "16MiB", "1GiB",
    "127GiB", "128GiB", "1TB", "9PB", "8191PiB", "1bps", "10Mbps", "100Gbps", "9Gbps", "0ms",
    "1ms", "1s", "30s", "25s", "10min", "1h", "1d", "400d", "9999w", "hourly", "daily", "weekly",
    "monthly", "00:00", "02:00", "23:59", "Sun 04:00", "Mon 00:00", "0.0.0.0/0", "::/0",
    "10.0.0.0/8", "10.10.0.0/24", "192.168.1.0/24", "192.168.1.128/25", "fd00::/64", "10.10.0.2",
    "10.10.0.255", "127.0.0.1", "0.0.0.0", "255.255.255.255", "224.0.0.1", "::1", "fd00::2",
    "10.10.0.2/24", "10.10.0.2/32", "10.10.0.0/24", "10.30.0.2/31", "192.168.1.10/24",
    "127.0.0.1/8", "fd00::2/64", "fe80::2/64", "::1/128", "0.0.0.0/0", "dhcp", "auto",
    "2001:db8::/32", "10.0.0.0/30", "52:54:00:00:00:99", "a0:36:9f:00:00:01", "/", "/srv",
    "/srv/code", "/nix", "/nix/store/x", "/boot", "/run/secrets/x", "/tmp/x", "/var/lib",
    "/srv/code/deep/er", "/etc", "/home", "ember/code", "ember/code/deep", "tank/home",
    "tank/nothing", "nowhere/nothing", "code/deep", "code", "root", "a/b/c", "secret:restic",
    "secret:nothing", "secret:wg0", "nvme-A-part5", "nvme-A-part3", "nvme-A-part1", "nvme-A",
    "nvme-C-part9", "ata-HDD_1", "ata-HDD_99", "ata-NONE-part1", "1", "2", "5", "99", "0755",
    "2770", "777", "gate.example.org:51820", "[fd00::9]:51820", "10.10.0.9:1", "10.10.0.2:51820",
    "DCFFrHzrByanm9OFf/uvMa8VY+KnaRgRXLe5RbTK6+E=", "x" * 42+"A=", "htop", "python3Packages.numpy",
    "with.if", "s3:https://s3.example.org/b", "rest:https://h/x/", "sftp:u@h:/x", "/srv/copies",
    "b2:x:y", "rclone:a:", "00000001", "8425e349", "5eb1e000", "25.11", "26.05", "UTC",
    "Asia/Seoul", "Etc/GMT+8", "ko_KR.UTF-8", "C.UTF-8", "STO004", "NET001", "SMB001", "XXX999",
    "storage", "storage.pools.ember.special[0]", "network", "2026-11-21", "2020-01-01",
    "2999-12-31", "a reason of some length", "${x} ''\\ \"quoted\" % $HOME", "*.tmp",
    "/srv/code/**/x y'z", "$(id)", "%n", "한국어 제외 경로입니다", "WORKGROUP", "A-B",
)  # fmt: skip


@dataclass(frozen=True)
class Part:
    """A place in a host's tree with the type that the spec wants there."""

    holder: Any
    key: Any
    annotation: Any
    key_type: Any
    optional: bool


def parts(tree: Any, annotation: Any = HostSpec) -> Iterator[Part]:
    """Every part of a tree that the spec knows."""
    for part in _children(tree, _bare(annotation)):
        yield part
        if part.key in (part.holder if isinstance(part.holder, dict) else range(len(part.holder))):
            yield from parts(part.holder[part.key], part.annotation)


def _children(tree: Any, annotation: Any) -> Iterator[Part]:
    if isinstance(tree, dict) and _is_model(annotation):
        for name, info in _fields(annotation).items():
            yield Part(
                tree, name, _whole(info), None, optional=name in tree and not info.is_required()
            )
    elif isinstance(tree, dict) and get_origin(annotation) is dict:
        key_type, value_type = get_args(annotation)
        for key in tree:
            yield Part(tree, key, value_type, key_type, optional=True)
    elif isinstance(tree, list) and get_origin(annotation) is tuple:
        for index in range(len(tree)):
            yield Part(tree, index, get_args(annotation)[0], None, optional=True)


def value_for(annotation: Any, chance: random.Random) -> Any:
    """Some value of a type, as YAML would hold it."""
    bare = _bare(annotation)
    if type(None) in get_args(_unannotated(annotation)) and chance.random() < 0.1:
        return None
    if _is_model(bare):
        return _model(bare, chance)
    if get_origin(bare) is dict:
        key_type, value_type = get_args(bare)
        count = chance.choice([0, 1, 1, 2])
        return {
            str(value_for(key_type, chance)): value_for(value_type, chance) for _ in range(count)
        }
    if get_origin(bare) is tuple:
        item = get_args(bare)[0]
        return [value_for(item, chance) for _ in range(chance.choice([0, 1, 1, 2, 3]))]
    if get_origin(bare) is Literal:
        return chance.choice(get_args(bare))
    return chance.choice(_fitting(annotation) or EXTRAS)


def _model(model: type[BaseModel], chance: random.Random) -> dict[str, Any]:
    fields = _fields(model).items()
    density = chance.choice([0.0, 0.2, 0.5])
    chosen = [(n, info) for n, info in fields if info.is_required() or chance.random() < density]
    if model.__name__ == "Vdev":
        chosen = [chance.choice(list(fields))]
    return {name: value_for(_whole(info), chance) for name, info in chosen}


@cache
def _fitting(annotation: Any) -> tuple[Any, ...]:
    adapter = TypeAdapter(annotation)

    def fits(value: Any) -> bool:
        try:
            adapter.validate_python(value, strict=True)
        except (ValidationError, TypeError):
            return False
        return True

    return tuple(value for value in _pool() if fits(value))


@cache
def _pool() -> tuple[Any, ...]:
    return (
        *_scalars(shipped("ember").source.data),
        *_scalars(shipped("pebble").source.data),
        *EXTRAS,
    )


def _scalars(data: Data) -> Iterator[Any]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield key
            yield from _scalars(value)
    elif isinstance(data, tuple):
        for item in data:
            yield from _scalars(item)
    else:
        yield data


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {info.alias or name: info for name, info in model.model_fields.items()}


def _whole(info: FieldInfo) -> Any:
    """A field's type with the limits that stand beside it."""
    return Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _unannotated(annotation: Any) -> Any:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return annotation


def _bare(annotation: Any) -> Any:
    """A type without its limits and without `| None`."""
    annotation = _unannotated(annotation)
    while get_origin(annotation) in (Union, types.UnionType):
        chosen = [arg for arg in get_args(annotation) if arg is not type(None)]
        annotation = _unannotated(chosen[0])
    return annotation
