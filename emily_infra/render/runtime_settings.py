"""The runtime's settings: TOML with what host.yaml says, and the credentials by their names."""

import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from emily_infra.render.nix import Lines
from emily_infra.spec import topology
from emily_infra.spec.host import HostSpec
from emily_infra.spec.runtime import Flag, Provider, Runtime
from emily_infra.spec.units import Duration

POSTGRESQL = "postgresql"
"""The name of the credential with its password."""


class Table(NamedTuple):
    """A section: its name as it stands in brackets, and its settings."""

    name: str
    settings: Mapping[str, object]


def configuration(spec: HostSpec, runtime: Runtime) -> Lines:
    """The service's TOML."""
    return Lines("\n".join(_text(table) for table in _tables(spec, runtime)))


def credentials(runtime: Runtime) -> dict[str, str]:
    """What systemd hands to the service: references to secrets, by the names it knows them by."""
    wanted = {"token": runtime.token}
    for name, provider in sorted(runtime.providers.items()):
        if provider.key:
            wanted[_key(name)] = provider.key
    if runtime.postgresql and runtime.postgresql.password:
        wanted[POSTGRESQL] = runtime.postgresql.password
    return wanted


def _tables(spec: HostSpec, runtime: Runtime) -> Iterator[Table]:
    limits = runtime.limits
    yield Table(
        "service",
        {
            "host": topology.served_on(spec, runtime.zone),
            "port": runtime.port,
            "language": runtime.language,
            "rate": limits.rate,
            "concurrency": limits.concurrency,
        },
    )
    yield Table("memory", _memory(runtime))
    yield Table("pressure", _pressure(runtime))
    providers = sorted(runtime.providers.items())
    yield Table("providers", {name: _key(name) for name, each in providers if each.key})
    yield Table("llm", _models(runtime))
    if providers:
        yield Table("llm.prices", _prices(runtime))
    for name, flag in sorted(runtime.flags.items()):
        yield Table(f"flags.{name}", _flag(flag))


def _memory(runtime: Runtime) -> dict[str, object]:
    database = runtime.postgresql
    if database is None:
        return {"store": "sqlite"}
    told: dict[str, object] = {"store": "postgresql", "connections": database.connections}
    if database.url:
        told["dsn"] = database.url
    if database.password:
        told["password"] = POSTGRESQL
    return told


def _pressure(runtime: Runtime) -> dict[str, object]:
    pressure = runtime.pressure
    told: dict[str, object] = {"release": pressure.release / 100, "hold": _seconds(pressure.hold)}
    return told | dict(zip(("first", "second", "third", "fourth"), pressure.rungs, strict=True))


def _models(runtime: Runtime) -> dict[str, object]:
    told: dict[str, object] = {
        "order": runtime.order,
        "hourly_dollars": runtime.budget.hour,
        "daily_dollars": runtime.budget.day,
        "most_tokens": runtime.limits.tokens,
        "seconds": _seconds(runtime.limits.patience),
    }
    for name, provider in sorted(runtime.providers.items()):
        told |= _served(name, provider)
    return told


def _served(name: str, provider: Provider) -> dict[str, object]:
    told: dict[str, object] = {f"{name}_model": provider.model}
    return told | ({f"{name}_url": provider.url} if provider.url else {})


def _prices(runtime: Runtime) -> dict[str, list[float]]:
    """By model; of two providers with the same one, the dearer is counted."""
    told = (
        (each.model, each.price.read, each.price.written) for each in runtime.providers.values()
    )
    return {model: [read, written] for model, read, written in sorted(told)}


def _flag(flag: Flag) -> dict[str, object]:
    return {
        "share": flag.share,
        "identities": flag.identities,
        "killed": flag.killed,
        "owner": flag.owner,
        "since": str(flag.since),
    }


def _key(provider: str) -> str:
    """The name of the credential that holds a provider's key."""
    return f"provider-{provider}"


def _seconds(duration: Duration) -> float:
    return int(duration) / 1000


def _text(table: Table) -> str:
    """Strings, numbers, lists and truths as JSON writes them, which TOML reads the same way."""
    lines = [f"{_name(key)} = {_json(value)}" for key, value in table.settings.items()]
    return "\n".join([f"[{table.name}]", *lines]) + "\n"


def _name(key: str) -> str:
    bare = key.replace("_", "").replace("-", "")
    return key if bare.isascii() and bare.isalnum() else _json(key)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
