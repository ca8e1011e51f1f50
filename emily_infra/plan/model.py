"""What a plan says: every change with its cause, its reach and its hazard."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from enum import StrEnum

from emily_infra.observe.generations import System


@dataclass(frozen=True)
class Built:
    """A built system as it stands in the operator's own store."""

    system: System
    """What it says of itself; paths are real paths."""
    unit_files: Mapping[str, str] = field(default_factory=dict)
    """The files of etc/systemd/system behind their links, `NAME.d/*.conf` too, without *.wants/
    and the like; a unit that is masked is an empty text."""
    wanted: frozenset[str] = frozenset()
    """The units that stand in a *.wants/ or *.requires/ folder: a switch starts them."""
    closure: Mapping[str, int] = field(default_factory=dict)
    """Every store path it needs, with its size in bytes."""
    boot_files: Mapping[str, int] = field(default_factory=dict)
    """Kernel and initrd, as they will lie on the boot partition, with their sizes in bytes."""
    source: Mapping[str, str] = field(default_factory=dict)
    """The text files of its etc/emily/source: host.yaml, hardware.nix, generated/*.nix."""

    @property
    def toplevel(self) -> str:
        """Its store path."""
        return self.system.toplevel


class Hazard(StrEnum):
    """What a step may do to data and to services."""

    SAFE = "safe"
    DISRUPTIVE = "disruptive"
    IRREVERSIBLE = "irreversible"
    """Nothing is lost by it, and nothing leads back; apply does it on the operator's word."""
    DESTRUCTIVE = "destructive"
    IMPOSSIBLE = "impossible"

    @property
    def runs(self) -> bool:
        """Whether apply does it; the others are told to a person, who may."""
        return self not in (Hazard.DESTRUCTIVE, Hazard.IMPOSSIBLE)


@dataclass(frozen=True)
class Taking:
    """The disks that a step writes to: proven blank once more when it is their turn."""

    disks: tuple[str, ...]
    role: str = ""
    """What they become, as a rehearsal by `zpool add -n` has to show it; else nothing."""
    kind: str = ""
    uneven: bool = False
    """Whether host.yaml asks for a vdev that survives another number of failures than the rest."""


@dataclass(frozen=True)
class Step:
    """One thing to do before the switch; doing it twice is the same as once."""

    title: str
    hazard: Hazard
    why: str
    commands: tuple[tuple[str, ...], ...] = ()
    undo: str = ""
    word: str = ""
    """What --accept has to say before apply takes the step; nothing where it need not be asked."""
    offered: bool = False
    """Whether host.yaml does without it, so that only who asks for it gets it."""
    taking: Taking | None = None


class Sign(StrEnum):
    """As users of OpenTofu know them."""

    ADDED = "+"
    CHANGED = "~"
    REMOVED = "-"


@dataclass(frozen=True)
class FieldChange:
    """A place of host.yaml; of a list item that goes the place is the old one."""

    place: str
    sign: Sign
    old: str = ""
    new: str = ""


@dataclass(frozen=True)
class OptionChange:
    """A NixOS option; of long text and lists only the lines and items that go and come."""

    option: str
    sign: Sign
    old: tuple[str, ...] = ()
    new: tuple[str, ...] = ()


@dataclass(frozen=True)
class FileChange:
    """A rendered file: the lines that go and come, and the options they come to."""

    path: str
    old: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    options: tuple[OptionChange, ...] = ()


class Cause(StrEnum):
    """Where a change comes from."""

    FIELD = "field"
    """One field of host.yaml, by itself."""
    TOGETHER = "together"
    """Several fields that only make sense together."""
    TOOLKIT = "emily-infra itself"
    """The same host.yaml is rendered otherwise, or generated/ was edited by hand over there."""
    BY_HAND = "edited by hand"
    """Something beside host.yaml: hardware.nix, or a file of generated/ here."""
    WORDS = "comments and layout"
    """host.yaml reads otherwise and says the same."""
    PROGRAMS = "packages"
    """The description is the same; nixpkgs or the flake is not."""
    FIRST = "first deploy"
    """The host does not say what it was made from."""


@dataclass(frozen=True)
class Change:
    """A cause, and what follows from it."""

    cause: Cause
    fields: tuple[FieldChange, ...] = ()
    files: tuple[FileChange, ...] = ()

    @property
    def places(self) -> tuple[str, ...]:
        """What to call the cause: the places of host.yaml, or its kind."""
        return tuple(each.place for each in self.fields) or (self.cause.value,)


class UnitAction(StrEnum):
    """What a switch does to a unit."""

    STOP = "stop"
    RESTART = "restart"
    RELOAD = "reload"
    START = "start"
    KEEP = "left alone"
    """It changed, but says that it must not be restarted by a switch."""


@dataclass(frozen=True)
class UnitChange:
    """A unit, and why: places of host.yaml, options or packages, as far as that is known."""

    unit: str
    action: UnitAction
    why: tuple[str, ...] = ()


class Need(StrEnum):
    """Whether the machine must start again."""

    NO = "no"
    LATER = "later"
    """The switch works; a part of it counts from the next boot on."""
    FIRST = "first"
    """It cannot be switched to at all: only a boot leads there."""


@dataclass(frozen=True)
class Reboot:
    """Whether the machine must start again, and why."""

    need: Need = Need.NO
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class PackageChange:
    """A package by name, with the versions that go and come."""

    name: str
    sign: Sign
    old: tuple[str, ...] = ()
    new: tuple[str, ...] = ()


@dataclass(frozen=True)
class Packages:
    """The difference of two closures."""

    changes: tuple[PackageChange, ...] = ()
    rebuilt: tuple[str, ...] = ()
    """Same name and version, other store path."""
    copied: int = 0
    """Bytes that the host does not have yet."""


class Touch(StrEnum):
    """What becomes of the connection that this plan was made over."""

    UNTOUCHED = "untouched"
    TOUCHED = "touched"
    CUT = "cut"


@dataclass(frozen=True)
class Access:
    """The way in: what carries it, whether the plan touches it, and where to knock afterwards."""

    touch: Touch = Touch.UNTOUCHED
    via: str = ""
    why: tuple[str, ...] = ()
    verify_address: str = ""
    verify_port: int = 22


class Weight(StrEnum):
    """How much a danger weighs."""

    STOP = "stop"
    """apply refuses."""
    FLAG = "flag"
    """apply refuses without --accept NAME."""
    WARN = "warn"
    """apply goes on; a person should know."""


@dataclass(frozen=True)
class Danger:
    """Something about the host that can make this deploy go wrong; `name` never changes."""

    name: str
    weight: Weight
    message: str
    hint: str = ""


@dataclass(frozen=True)
class Identity:
    """Which machine in which state a plan was made for."""

    machine_id: str
    boot_id: str
    host_id: str
    generation: int | None
    profile: str
    current: str


class Activation(StrEnum):
    """What apply has to do about the system."""

    NOTHING = "nothing"
    COMMIT = "commit"
    """It runs already; profile or boot loader do not know of it yet."""
    SWITCH = "switch"
    REBOOT = "reboot"
    """Only a boot leads there."""


@dataclass(frozen=True)
class Plan:
    """Everything that apply would do to one host."""

    host: str
    identity: Identity
    toplevel: str
    activation: Activation
    changes: tuple[Change, ...] = ()
    diff: tuple[str, ...] = ()
    """The rendered files as a unified diff, from the host's to ours."""
    units: tuple[UnitChange, ...] = ()
    reboot: Reboot = Reboot()
    packages: Packages = Packages()
    steps: tuple[Step, ...] = ()
    foreign: tuple[str, ...] = ()
    """What is on the pools and not in host.yaml; it is left alone."""
    dangers: tuple[Danger, ...] = ()
    access: Access = Access()
    notes: tuple[str, ...] = ()
    """What this plan could not find out."""

    @property
    def to_run(self) -> tuple[Step, ...]:
        """The steps that lead to what host.yaml asks for, and that apply can take."""
        return tuple(step for step in self.steps if step.hazard.runs and not step.offered)

    def accepted(self, words: Set[str]) -> tuple[Step, ...]:
        """The steps that apply takes, those among them that are only offered."""
        return tuple(
            step
            for step in self.steps
            if step.hazard.runs and (not step.offered or step.word in words)
        )

    def unspoken(self, words: Set[str]) -> tuple[Step, ...]:
        """The steps that apply would take and must not before somebody has said their word."""
        return tuple(step for step in self.to_run if step.word and step.word not in words)

    @property
    def is_noop(self) -> bool:
        """Whether apply would find nothing to do."""
        return self.activation is Activation.NOTHING and not self.to_run

    def weighing(self, weight: Weight) -> tuple[Danger, ...]:
        """The dangers of one weight."""
        return tuple(danger for danger in self.dangers if danger.weight is weight)
