"""The plan of one host, put together from its parts."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from emily_infra.observe import Observation
from emily_infra.plan.access import access
from emily_infra.plan.attribution import (
    GENERATED,
    SPEC,
    Attributed,
    Side,
    attribute,
    contradicts_itself,
)
from emily_infra.plan.dangers import dangers
from emily_infra.plan.model import (
    Access,
    Activation,
    Built,
    Cause,
    Change,
    Danger,
    Need,
    Packages,
    Plan,
    Reboot,
    Touch,
    UnitAction,
    UnitChange,
    Weight,
)  # fmt: skip
from emily_infra.plan.options import Evaluate, not_evaluated
from emily_infra.plan.packages import difference
from emily_infra.plan.reasons import explained
from emily_infra.plan.reboot import reboot
from emily_infra.plan.saved import identity
from emily_infra.plan.storage import foreign, steps
from emily_infra.plan.units import Switch, mounts
from emily_infra.render import render
from emily_infra.render.templates import Templates
from emily_infra.spec.credentials import blotted
from emily_infra.spec.host import Host
from emily_infra.spec.load import parse


@dataclass(frozen=True)
class Means:
    """What a plan needs beside the facts; the plain one has no Nix and no clock."""

    evaluate: Evaluate = not_evaluated
    templates: Templates = field(default_factory=Templates)
    clock: float = 0.0
    """The operator's own time when the host was asked, in seconds since 1970."""


def plan(host: Host, built: Built, observation: Observation, means: Means | None = None) -> Plan:
    """Everything that would change if BUILT became the system of the observed machine."""
    parts = _Parts(host, built, observation, means or Means())
    return Plan(
        host=host.name,
        identity=identity(observation),
        toplevel=built.toplevel,
        activation=parts.activation,
        changes=tuple(parts.changes),
        diff=tuple(_diff(parts.old, parts.new)),
        units=parts.units,
        reboot=parts.reboot,
        packages=parts.packages,
        steps=tuple(steps(host.spec, observation)),
        foreign=tuple(foreign(host.spec, observation)),
        dangers=tuple(parts.dangers),
        access=parts.access,
        notes=tuple(parts.notes),
    )


@dataclass(frozen=True)
class _Parts:
    """The parts of a plan that others are made from."""

    host: Host
    built: Built
    observation: Observation
    means: Means

    @cached_property
    def differs(self) -> bool:
        """Whether another system runs; else the host was not asked for its texts."""
        return self.observation.generation.current != self.built.toplevel

    @cached_property
    def new(self) -> Side:
        """What was built; where its files are not known, what would be rendered."""
        if self.built.source:
            return self._side(self.built.source)
        rendered = render(self.host, self.means.templates).files
        kept = {name: text for name, text in self.old.files.items() if _is_beside(name)}
        spec = self.old.files.get(SPEC, "") if self.old.host == self.host else ""
        files = {f"{GENERATED}{name}": text for name, text in rendered.items()}
        return Side({**kept, SPEC: spec, **files}, self.host)

    @cached_property
    def old(self) -> Side:
        """What the running system was made from."""
        return self._side(self.observation.source)

    def _side(self, files: Mapping[str, str]) -> Side:
        text = files.get(SPEC)
        if text is None:
            return Side(files, None)
        found, _ = parse(self.host.name, self.host.source.file, text.encode())
        # An older emily-infra may have let pass what would mean nothing to this one.
        sound = found if found and not contradicts_itself(found) else None
        return Side(files, sound)

    @cached_property
    def attributed(self) -> Attributed:
        """Changes of the description."""
        if not self.differs:
            return Attributed(())
        return attribute(self.old, self.new, self.means.templates, self.means.evaluate)

    @property
    def changes(self) -> Iterator[Change]:
        """All of them; a system that differs without any was made from other packages."""
        yield from self.attributed.changes
        if self.differs and not self.attributed.changes:
            yield Change(Cause.PROGRAMS)

    @cached_property
    def reboot(self) -> Reboot:
        """Of a system that runs already it can only be said what a boot would still change."""
        found = reboot(self.host.spec, self.built, self.observation)
        if found.need is Need.FIRST and not self.differs:
            return Reboot(Need.LATER, found.reasons)
        return found

    @cached_property
    def activation(self) -> Activation:
        """What is to be done about the system."""
        now = self.observation.generation
        if self.differs:
            return Activation.REBOOT if self.reboot.need is Need.FIRST else Activation.SWITCH
        settled = now.profile == self.built.toplevel
        starts_it = now.boot_default in ("", self.built.toplevel)
        return Activation.NOTHING if settled and starts_it else Activation.COMMIT

    @cached_property
    def units(self) -> tuple[UnitChange, ...]:
        """What a switch does to units; nothing is known without the host's own files."""
        theirs = self.observation.units
        if not self.differs or not theirs.files:
            return ()
        # What is masked is an empty text, and as good as gone.
        ours = {name: text for name, text in self.built.unit_files.items() if text}
        switch = Switch(theirs, theirs.files, ours, self.built.wanted)
        found = list(switch.changes())
        if self.old.host:
            found += mounts(self.old.host.spec, self.host.spec)
        told = explained(found, self.attributed.changes, theirs.files, ours)
        by_name = {each.unit: each for each in told}.values()
        return tuple(
            sorted(by_name, key=lambda each: (list(UnitAction).index(each.action), each.unit))
        )

    @cached_property
    def packages(self) -> Packages:
        """What goes and comes; nothing is known without the host's own list."""
        if not self.differs or not self.observation.packages:
            return Packages()
        return difference(self.observation.packages, self.built.closure)

    @cached_property
    def access(self) -> Access:
        """What becomes of the way in."""
        before = self.old.host if self.differs else self.host
        return access(before, self.host, self.observation, self.units, self.reboot)

    @property
    def dangers(self) -> Iterator[Danger]:
        """Of the host and of this plan."""
        if self.access.touch is Touch.CUT:
            yield Danger(
                "lock-out", Weight.FLAG,
                f"you would lock yourself out: {'; '.join(self.access.why)}",
                "mend host.yaml, or make sure of a second way in before you go on",
            )  # fmt: skip
        described = self.new.host
        if self.built.source and (not described or described.spec != self.host.spec):
            yield Danger(
                "other-source", Weight.STOP,
                "what was built is not what stands in host.yaml here",
                "a file may be unknown to git: git add hosts; then render and plan again",
            )  # fmt: skip
        yield from dangers(self.host, self.built, self.observation, self.means.clock)

    @property
    def notes(self) -> Iterator[str]:
        """What could not be found out."""
        yield from self.attributed.notes
        if self.differs and not self.observation.units.files:
            yield "the host did not show its unit files, so what restarts is not known"
        if self.differs and not self.observation.packages:
            yield "the host did not list its packages, so their difference is not known"


def _is_beside(name: str) -> bool:
    return name != SPEC and not name.startswith(GENERATED)


def _diff(old: Side, new: Side) -> Iterator[str]:
    """Every text file but host.yaml, whose changes are told by field; none at a first deploy."""
    names = sorted(old.files.keys() | new.files.keys()) if old.files else []
    for name in names:
        before, after = (side.files.get(name, "").splitlines() for side in (old, new))
        if name != SPEC:
            sides = f"host/{name}", f"here/{name}"
            yield from map(blotted, difflib.unified_diff(before, after, *sides, lineterm=""))
