"""What a switch will do to the running units, by the rules of switch-to-configuration-ng.

Those are: only what runs is stopped, restarted or reloaded; a socket is restarted in place of the
service that it starts; a unit may ask to be left alone.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from emily_infra.observe.units import Units
from emily_infra.plan.model import UnitAction, UnitChange
from emily_infra.plan.unitfile import Difference, Files, Unit, base, compared, parsed, says
from emily_infra.render.storage import BY_ID, FileSystem, file_systems
from emily_infra.spec.host import HostSpec
from emily_infra.spec.topology import partitions

_NOT_BY_HAND = frozenset(
    {"basic.target", "graphical.target", "multi-user.target", "sysinit.target"}
)
_NEVER = (".slice", ".socket", ".target", ".unit")
"""Kinds that a switch does not restart for themselves; targets are started again all the same."""
_ROOTS = ("-.mount", "nix.mount")
_HASH = re.compile(r"/nix/store/[0-9a-z]{32}-")
_PLAIN = re.compile(r"[A-Za-z0-9:_.]")


@dataclass
class _Marks:
    """The sets that a switch collects before it does anything."""

    stop: set[str] = field(default_factory=set)
    start: set[str] = field(default_factory=set)
    restart: set[str] = field(default_factory=set)
    reload: set[str] = field(default_factory=set)
    keep: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Switch:
    """The units of both systems, and which of them run."""

    now: Units
    old: Files
    new: Files
    wanted: frozenset[str]

    @property
    def running(self) -> set[str]:
        """The units that a switch looks at: loaded from the system's own folder, and active."""
        return {
            unit.name
            for unit in self.now.loaded
            if unit.active in ("active", "activating", "reloading")
            and base(unit.name, self.old, self.new) in self.old
        }

    def changes(self) -> Iterator[UnitChange]:
        """What happens to each unit, in the order of names; the reasons are for others to find."""
        marks = _Marks()
        for name in sorted(self.running):
            self._look(marks, name)
        marks.start |= self._fresh() | self._failed()
        yield from _resolved(marks, self.new)

    def _look(self, marks: _Marks, name: str) -> None:
        file = base(name, self.old, self.new)
        old, new = parsed(name, file, self.old), parsed(name, file, self.new)
        if file not in self.new:
            if says(old, "Unit", "X-StopOnRemoval", otherwise=True):
                marks.stop.add(name)
        elif name.endswith(".target"):
            return
        else:
            match compared(old, new):
                case Difference.RESTART:
                    self._modified(marks, name, file, new)
                case Difference.RELOAD if name not in marks.restart:
                    marks.reload.add(name)

    def _modified(self, marks: _Marks, name: str, file: str, new: Unit) -> None:
        if name in _NOT_BY_HAND or name.endswith(_NEVER):
            return
        if name.endswith(".mount"):
            (marks.reload if name in _ROOTS else marks.restart).add(name)
        elif says(new, "Service", "X-ReloadIfChanged", otherwise=False):
            marks.reload.add(name)
        elif (
            not says(new, "Service", "X-RestartIfChanged", otherwise=True)
            or says(new, "Unit", "RefuseManualStop", otherwise=False)
            or says(new, "Unit", "X-OnlyManualStart", otherwise=False)
        ):
            marks.keep.add(name)
        elif not name.endswith(".service") or not says(
            new, "Service", "X-StopIfChanged", otherwise=True
        ):
            marks.restart.add(name)
        else:
            self._stop_and_start(marks, name, file, new)

    def _stop_and_start(self, marks: _Marks, name: str, file: str, new: Unit) -> None:
        own = " ".join(new.get("Service", {}).get("Sockets", ())).split()
        active = {unit.name for unit in self.now.loaded if unit.active != "inactive"}
        sockets = {s for s in own or [f"{file.rpartition('.')[0]}.socket"] if s in active}
        marks.stop |= {name, *sockets}
        marks.start |= {socket for socket in sockets if socket in self.new}
        by_socket = sockets & self.new.keys()
        if not by_socket or says(new, "Service", "X-NotSocketActivated", otherwise=False):
            marks.start.add(name)

    def _fresh(self) -> set[str]:
        """New units that a target wants: starting the target again starts them."""
        loaded = {unit.name for unit in self.now.loaded if unit.active in ("active", "activating")}
        fresh = {u for u in self.wanted if base(u, self.new) in self.new and u not in self.old}
        return {unit for unit in fresh - loaded if not unit.endswith((".target", ".slice"))}

    def _failed(self) -> set[str]:
        """Failed units that a target wants: the failure is forgotten, and they are tried again."""
        return {unit for unit in self.now.failed if unit in self.wanted and unit in self.new}


def _resolved(marks: _Marks, new: Files) -> Iterator[UnitChange]:
    again = {unit for unit in marks.stop if unit in marks.start or base(unit, new) in new}
    sets: Mapping[UnitAction, Iterable[str]] = {
        UnitAction.STOP: marks.stop - again,
        UnitAction.RESTART: marks.restart | again,
        UnitAction.RELOAD: marks.reload - marks.restart - again,
        UnitAction.START: marks.start - marks.stop - marks.restart,
        UnitAction.KEEP: marks.keep,
    }
    for action, units in sets.items():
        for unit in sorted(units):
            yield UnitChange(unit, action)


def mounts(old: HostSpec, new: HostSpec) -> Iterator[UnitChange]:
    """What a switch does about fileSystems and swap: it reads fstab, which has no unit files."""
    before, after = ({each.path: each for each in file_systems(spec)} for spec in (old, new))
    for path in sorted(before.keys() | after.keys()):
        action = _mounted(path, before.get(path), after.get(path))
        if action:
            yield UnitChange(f"{escaped(path)}.mount", action)
    for device in sorted({*partitions(old, "swap")} ^ {*partitions(new, "swap")}):
        came = device in partitions(new, "swap")
        action = UnitAction.START if came else UnitAction.STOP
        yield UnitChange(f"{escaped(f'{BY_ID}/{device}')}.swap", action)


def _mounted(path: str, old: FileSystem | None, new: FileSystem | None) -> UnitAction | None:
    if old is None or new is None:
        return UnitAction.START if new else UnitAction.STOP
    if (old.kind, old.device) != (new.kind, new.device):
        return UnitAction.RELOAD if path in ("/", "/nix") else UnitAction.RESTART
    return UnitAction.RELOAD if old.options != new.options else None


def escaped(path: str) -> str:
    """A path as systemd names its unit (systemd-escape --path)."""
    inside = path.strip("/")
    if not inside:
        return "-"
    first = "\\x2e" if inside[0] == "." else ""
    rest = inside[1:] if first else inside
    return first + "".join("-" if c == "/" else _byte_by_byte(c) for c in rest)


def _byte_by_byte(c: str) -> str:
    return c if _PLAIN.fullmatch(c) else "".join(f"\\x{byte:02x}" for byte in c.encode())


def same_but_for_packages(unit: str, old: Files, new: Files) -> bool:
    """Whether a unit differs only in which build of its programs it names."""
    file = base(unit, old, new)
    return _HASH.sub("/", old.get(file, "")) == _HASH.sub("/", new.get(file, ""))
