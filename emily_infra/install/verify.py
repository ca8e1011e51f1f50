"""Whether the next boot will find the system: read on the machine, judged here."""

import hashlib
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from emily_infra.disks.places import places_of
from emily_infra.install.layout import ROOT, place
from emily_infra.observe import Observation
from emily_infra.observe.generations import default_entry, setting, toplevel_of
from emily_infra.plan.model import Built
from emily_infra.render.storage import BY_ID, file_systems
from emily_infra.spec.host import Host
from emily_infra.spec.topology import partitions

_CHUNK = 1 << 20


@dataclass
class Esp:
    """A boot partition as it was read."""

    texts: dict[str, str] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    hashes: set[tuple[str, int, str]] = field(default_factory=set)
    """File, so many bytes of it, and their digest."""


@dataclass
class Sight:
    """What the machine told."""

    profile: str = ""
    esps: dict[str, Esp] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    """Of the firmware, which systemd-boot heeds before its own file."""
    entries: tuple[str, ...] = ()
    """The firmware's own boot entries."""


@dataclass(frozen=True)
class Image:
    """A kernel or an initrd, as it was built."""

    name: str
    size: int
    digest: str


def images(built: Built) -> tuple[Image, ...]:
    """What the boot partitions have to hold."""
    paths = {"linux": built.system.kernel, "initrd": built.system.initrd}
    return tuple(_image(name, Path(path)) for name, path in paths.items())


def _image(name: str, path: Path) -> Image:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while data := stream.read(_CHUNK):
            digest.update(data)
    return Image(name, path.stat().st_size, digest.hexdigest())


def script(host: Host, wanted: tuple[Image, ...]) -> str:
    """The program that looks, for the standard input of a shell."""
    spares = [f"{BY_ID}/{name}" for name in partitions(host.spec, "esp")[1:]]
    given = {
        "root": ROOT,
        "spares": " ".join(spares),
        "sizes": " ".join(str(image.size) for image in wanted),
    }
    head = "".join(f"{name}={shlex.quote(value)}\n" for name, value in given.items())
    return head + files("emily_infra.install").joinpath("sight.sh").read_text("utf-8")


def sight(told: str) -> Sight:
    """What the program has printed."""
    found = Sight()
    for line in told.splitlines():
        kind, _, rest = line.partition(" ")
        number, _, what = rest.partition(" ")
        match kind:
            case "profile":
                found.profile = rest
            case "esp":
                found.esps.setdefault(number, Esp())
            case "variable":
                found.variables[f"/sys/firmware/efi/efivars/{number}"] = what
            case "entry":
                found.entries = (*found.entries, rest)
            case "text" | "file" | "hash":
                _read(found.esps.setdefault(number, Esp()), kind, what)
    return found


def _read(esp: Esp, kind: str, what: str) -> None:
    first, _, rest = what.partition(" ")
    if kind == "text":
        path = f"/boot/{first}"
        esp.texts[path] = f"{esp.texts.get(path, '')}{rest}\n"
    elif kind == "file" and first.isdecimal():
        esp.files[rest] = int(first)
    elif kind == "hash" and first.isdecimal():
        digest, _, name = rest.partition(" ")
        esp.hashes.add((name, int(first), digest))


def unbootable(host: Host, built: Built, wanted: tuple[Image, ...], found: Sight) -> Iterator[str]:
    """Why the next boot would not find the system: profile, boot partitions, firmware."""
    if found.profile != built.toplevel:
        yield f"the system profile leads to {found.profile or 'nothing'}, not to {built.toplevel}"
    for number, name in enumerate(partitions(host.spec, "esp")):
        esp = found.esps.get(str(number))
        if esp is None:
            yield f"{name}: the boot partition cannot be read"
        else:
            reasons = _esp(built, wanted, esp, found.variables)
            yield from (f"{name}: {reason}" for reason in reasons)


def _esp(
    built: Built, wanted: tuple[Image, ...], esp: Esp, variables: Mapping[str, str]
) -> Iterator[str]:
    # A variable of the firmware may name an entry of whatever was here before.
    for loader in ({}, variables):
        entry, _ = default_entry({**esp.texts, **loader})
        if toplevel_of(entry) != built.toplevel:
            by = "the firmware's variables would start" if loader else "its default entry starts"
            yield f"{by} {toplevel_of(entry) or 'nothing'}, not {built.toplevel}"
            return
    for image in wanted:
        name = setting(entry, image.name).lstrip("/")
        if name not in esp.files:
            yield f"its entry names {name or 'no file'} as {image.name}, which is not there"
        elif (name, image.size, image.digest) not in esp.hashes:
            yield f"{name} is not whole, or not the {image.name} of this system"
    if not any(size and path.upper().startswith("EFI/BOOT/BOOT")
               for path, size in esp.files.items()):  # fmt: skip
        yield "it has no EFI/BOOT/BOOT*.EFI, which firmware starts where it knows nothing else"


def mislaid(host: Host, seen: Observation) -> Iterator[str]:
    """What of the system's file systems is not mounted from its device."""
    for entry in file_systems(host.spec):
        found = [device for device, path, _ in seen.mounts if path == place(entry)]
        names = {entry.device, *(f"/dev/{k}" for k in _kernel(entry.device, seen))}
        if not names & set(found[-1:]):
            yield f"{entry.path} is not {entry.device}, but {', '.join(found) or 'not mounted'}"


def unswappable(host: Host, seen: Observation) -> Iterator[str]:
    """What is to be swapped to, and is no swap."""
    for name in partitions(host.spec, "swap"):
        kernel = {f"/dev/{each}" for each in _kernel(f"{BY_ID}/{name}", seen)}
        marks = {s.kind for each in seen.examined for s in each.signatures
                 if f"/dev/{s.device.removeprefix('/dev/')}" in kernel}  # fmt: skip
        if "swap" not in marks:
            yield f"{name} is no swap"


def _kernel(path: str, seen: Observation) -> list[str]:
    name = path.removeprefix(f"{BY_ID}/")
    return [kernel for kernel, names in seen.device_names.items() if name in names]


def unstable(host: Host, seen: Observation) -> Iterator[str]:
    """Pools that are not there, not told of, or known by names that move."""
    for name in sorted(host.spec.storage.pools):
        pool = seen.pool(name)
        if pool is None or not pool.told:
            yield f"pool {name} is not there, or does not answer"
            continue
        moving = [leaf.path for leaf in pool.leaves if not leaf.path.startswith(f"{BY_ID}/")]
        if moving:
            yield f"pool {name} knows disks by names that move: {', '.join(moving)}"


def held(host: Host, seen: Observation, importable: str) -> Iterator[str]:
    """What would keep the new system from its pools, once this machine has let go of them."""
    for name in sorted(host.spec.storage.pools):
        if seen.pool(name):
            yield f"pool {name} is still imported"
            continue
        yield from _labels(host, name, seen)
        if _state(importable, name) != "ONLINE":
            yield f"zpool import sees pool {name} as {_state(importable, name) or 'missing'}"


def _labels(host: Host, pool: str, seen: Observation) -> Iterator[str]:
    spec, owner = host.spec.storage, host.spec.system.host_id
    marked = {
        each.id: [label for label in each.labels if label.pool == pool] for each in seen.examined
    }
    data = (name for _, _, vdev in spec.pools[pool].vdevs for name in vdev.disks)
    for disk in dict.fromkeys(each.disk for each in places_of(data, spec.disks)):
        labels = marked.get(disk, [])
        if not labels:
            yield f"{disk} has no label of pool {pool}"
        for label in labels:
            if label.state != "exported":
                yield f"{disk} says that pool {pool} is {label.state}, not exported"
            elif label.hostid != owner:
                yield f"{disk}: pool {pool} was made by hostid {label.hostid or '?'}, not {owner}"


def _state(importable: str, pool: str) -> str:
    """The state in which `zpool import` offers a pool."""
    name = ""
    for line in importable.splitlines():
        key, _, value = line.strip().partition(": ")
        if key == "pool":
            name = value.strip()
        elif key == "state" and name == pool:
            return value.strip()
    return ""
