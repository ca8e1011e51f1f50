"""Which units a new generation stops, reloads, restarts and starts: decided, and not yet done."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from .unit import Change, Folder, Sections, State, compare, flag

_NEVER = {"sysinit.target", "basic.target", "multi-user.target", "graphical.target"}
_SLEEP = {"suspend.target", "hibernate.target", "hybrid-sleep.target"}
_KEPT_MOUNTED = {"-.mount", "nix.mount"}


@dataclass(frozen=True)
class Loaded:
    """A unit as systemd knows it now."""

    name: str
    active: str
    sub: str = ""
    fragment: str = ""
    status: int = 0
    """How its main process ended."""


@dataclass
class Changes:
    """Units by what is to become of them."""

    stop: set[str] = field(default_factory=set)
    start: set[str] = field(default_factory=set)
    reload: set[str] = field(default_factory=set)
    restart: set[str] = field(default_factory=set)
    skip: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)
    """Targets, which are started every time: not worth a word."""


def decide(loaded: Mapping[str, Loaded], old: Folder, new: Folder, unfinished: Changes) -> Changes:
    """What a switch has to do, beginning with what an interrupted one left undone."""
    changes = unfinished
    for name in sorted(loaded):
        unit = loaded[name]
        if unit.active in ("active", "activating") and _from_a_file(unit):
            _one(unit, loaded, (old, new), changes)
    return changes


def _from_a_file(unit: Loaded) -> bool:
    """Generated units belong to their generator."""
    return unit.fragment.startswith(("/etc/systemd/system", "/usr/lib/systemd/system"))


def _one(
    unit: Loaded, loaded: Mapping[str, Loaded], folders: tuple[Folder, Folder], changes: Changes
) -> None:
    old, new = folders
    name = unit.name
    before = old.read(name)
    if old.state(name) is State.MISSING:
        return
    if new.state(name) is not State.PRESENT or _vanished(name, old, new):
        if flag(before, "Unit", "X-StopOnRemoval", default=True):
            changes.stop.add(name)
        return
    after = new.read(name)
    if name.endswith(".target"):
        _target(name, after, changes)
        return
    match compare(before, after):
        case Change.RESTART:
            _restart(name, after, loaded, new, changes)
        case Change.RELOAD if name not in changes.restart:
            changes.reload.add(name)


def _vanished(name: str, old: Folder, new: Folder) -> bool:
    """A unit that only the old generation brought, and a template's instance with it."""
    return old.describes(name) and not new.describes(name) and not (new.vendor / name).exists()


def _target(name: str, unit: Sections, changes: Changes) -> None:
    refused = any(flag(unit, "Unit", key, default=False) for key in
                  ("RefuseManualStart", "X-OnlyManualStart"))  # fmt: skip
    if name not in _SLEEP and not refused:
        changes.start.add(name)
        changes.hidden.add(name)
    if flag(unit, "Unit", "X-StopOnReconfiguration", default=False):
        changes.stop.add(name)


def _restart(
    name: str, unit: Sections, loaded: Mapping[str, Loaded], new: Folder, changes: Changes
) -> None:
    if name in _NEVER or name.endswith((".path", ".slice", ".socket")):
        return
    if name.endswith(".mount"):
        (changes.reload if name in _KEPT_MOUNTED else changes.restart).add(name)
    elif _reloads(name, unit, changes):
        changes.reload.add(name)
    elif _must_not_be_touched(unit):
        changes.skip.add(name)
    else:
        _replace(name, unit, loaded, new, changes)
        changes.reload.discard(name)


def _reloads(name: str, unit: Sections, changes: Changes) -> bool:
    wanted = flag(unit, "Service", "X-ReloadIfChanged", default=False)
    return wanted and name not in changes.restart and name not in changes.stop


def _must_not_be_touched(unit: Sections) -> bool:
    return (
        not flag(unit, "Service", "X-RestartIfChanged", default=True)
        or flag(unit, "Unit", "RefuseManualStop", default=False)
        or flag(unit, "Unit", "X-OnlyManualStart", default=False)
    )


def _replace(
    name: str, unit: Sections, loaded: Mapping[str, Loaded], new: Folder, changes: Changes
) -> None:
    stops = flag(unit, "Service", "X-StopIfChanged", default=True)
    if not stops or not name.endswith(".service"):
        changes.restart.add(name)
        return
    by_socket = False
    for socket in _sockets(name, unit):
        comes = (new.path / socket).exists()
        if socket in loaded and loaded[socket].active != "inactive":
            changes.stop.add(socket)
            if comes:
                changes.start.add(socket)
        by_socket = by_socket or comes
    if flag(unit, "Service", "X-NotSocketActivated", default=False) or not by_socket:
        changes.start.add(name)
    changes.stop.add(name)


def _sockets(name: str, unit: Sections) -> list[str]:
    named = " ".join(unit.get("Service", {}).get("Sockets", [])).split()
    stem = name.removesuffix(".service").partition("@")[0]
    return named or [f"{stem}.socket"]
