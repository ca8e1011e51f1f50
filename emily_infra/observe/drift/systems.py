"""Running, booted, default, and what hosts/NAME would make of it."""

import difflib
from collections.abc import Iterator, Mapping

from emily_infra.observe.drift.difference import Command, Difference, apply
from emily_infra.observe.observation import Observation
from emily_infra.spec.host import Host

AREA = "system"
_PARTS = ("kernel", "initrd", "modules")


def differences(host: Host, files: Mapping[str, str], seen: Observation) -> Iterator[Difference]:
    """Whether this is the machine, runs what it should, and would do so after a reboot."""
    yield from _identity(host, seen)
    yield from _systems(host.name, seen)
    yield from _source(host.name, files, seen)
    yield from _strangers(host.name, seen)


def _identity(host: Host, seen: Observation) -> Iterator[Difference]:
    wished = {
        ("hostname", "basics"): host.name,
        ("host_id", "host_id"): host.spec.system.host_id,
    }
    for (name, section), value in wished.items():
        found = getattr(seen.identity, name)
        if seen.knows(section) and found != value:
            yield Difference(AREA, name, value, found or "nothing", apply(host.name))


def _systems(name: str, seen: Observation) -> Iterator[Difference]:
    has = seen.generation
    default = f"generation {has.number}, the profile's" if has.number else "the profile's"
    if has.profile and has.current and has.current != has.profile:
        found = _told(has.current, has.of(has.current))
        yield Difference(AREA, "running", default, found, apply(name))
    if has.profile and has.boot_default and has.boot_default != has.profile:
        found = _told(has.boot_default, has.of(has.boot_default))
        command: Command = (f"{has.profile}/bin/switch-to-configuration", "boot")
        if has.boot_override:
            found += ", by a variable of the firmware"
            command = ("bootctl", "set-default", "")
        yield Difference(AREA, "boot loader", default, found, command)
    if has.reboot_pending:
        pairs = zip(_PARTS, has.profile_system.kernels, has.booted_system.kernels, strict=True)
        names = ", ".join(part for part, new, old in pairs if new != old)
        expected = f"{names} of {default}"
        command = (*apply(name), "--reboot")
        yield Difference(AREA, "booted", expected, "an older one", command)


def _told(toplevel: str, numbers: tuple[int, ...]) -> str:
    if numbers:
        return f"generation {numbers[-1]}"
    return f"{toplevel.removeprefix('/nix/store/')[:8]}, which is no generation"


def _source(name: str, files: Mapping[str, str], seen: Observation) -> Iterator[Difference]:
    if not seen.knows("source"):
        return
    if not seen.source:
        where, found = "/etc/emily/source", "nothing: it was not made by apply"
        yield Difference(AREA, where, f"hosts/{name}", found, apply(name))
        return
    for path in sorted(files.keys() | seen.source.keys()):
        here, there = files.get(path), seen.source.get(path)
        if here == there:
            continue
        where = f"hosts/{name}/{path}"
        expected, found = "as it stands here", _distance(here, there)
        yield Difference(AREA, where, expected, found, ("emily-infra", "plan", name))


def _distance(here: str | None, there: str | None) -> str:
    if here is None:
        return "a file that is not here"
    if there is None:
        return "no such file"
    changes = difflib.unified_diff(there.splitlines(), here.splitlines(), n=0, lineterm="")
    lines = [line for line in changes if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    return f"made from an earlier text, {len(lines)} lines apart"


def _strangers(name: str, seen: Observation) -> Iterator[Difference]:
    """Generations since the first deploy on record that no deploy made."""
    records = seen.deploys.records
    if not records or not seen.knows("state", "links"):
        return
    ours = {toplevel for each in records for toplevel in (each.old, each.new)}
    for each in seen.generation.generations:
        if each.created > records[0].started and each.toplevel not in ours:
            where, found = f"generation {each.number}", "made by somebody else"
            yield Difference(
                AREA, where, "made by apply", found, ("emily-infra", "generations", name)
            )
