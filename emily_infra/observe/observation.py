"""A machine at one moment, as the probe's answer tells it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from emily_infra.observe import archive
from emily_infra.observe.answer import Answer, BrokenAnswer, Gap
from emily_infra.observe.backups import Backups, backups
from emily_infra.observe.deploys import Deploys, Event, deploys, events
from emily_infra.observe.disks import Disk, Examined, device_names, disks, examined
from emily_infra.observe.generations import Generations, generations
from emily_infra.observe.identity import Filesystem, Identity, identity, space
from emily_infra.observe.links import links as all_links
from emily_infra.observe.network import Network, network
from emily_infra.observe.pools import Pool, pools
from emily_infra.observe.units import Units, units
from emily_infra.observe.values import number, pairs
from emily_infra.observe.vdevs import Vdev

DISK_EVENTS = "/var/lib/emily/storage/events"


@dataclass(frozen=True)
class Person:
    """A line of the machine's list of users."""

    name: str
    uid: int
    home: str
    shell: str


@dataclass(frozen=True)
class Readiness:
    """What the machine has of what it takes to install a system from it."""

    programs: frozenset[str] = frozenset()
    """Of those that were asked for."""
    efi: bool = False
    """Whether it was started by UEFI."""
    zfs: str = ""
    """The version of ZFS's module, loaded or not; empty where there is none."""


@dataclass(frozen=True)
class Observation:
    """Everything that one look at a machine brings home."""

    machine: str
    """The name under which it was asked."""
    identity: Identity = field(default_factory=Identity)
    generation: Generations = field(default_factory=Generations)
    units: Units = field(default_factory=Units)
    space: tuple[Filesystem, ...] = ()
    pools: tuple[Pool, ...] = ()
    disks: tuple[Disk, ...] = ()
    examined: tuple[Examined, ...] = ()
    device_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The names under /dev/disk/by-id by kernel name, such as sda1."""
    network: Network = field(default_factory=Network)
    deploys: Deploys = field(default_factory=Deploys)
    disk_events: tuple[Event, ...] = ()
    """What was done to its disks and pools by hand of an operator, as it was recorded."""
    backups: Backups = field(default_factory=Backups)
    people: tuple[Person, ...] = ()
    smb_conf: str = ""
    mounts: tuple[tuple[str, str, str], ...] = ()
    """Device, place and kind of everything that is mounted."""
    source: Mapping[str, str] = field(default_factory=dict)
    """The files of /etc/emily/source; only where Want.SOURCE was asked for."""
    packages: tuple[str, ...] = ()
    """The store paths of the running system; only where Want.PACKAGES was asked for."""
    ready: Readiness = field(default_factory=Readiness)
    """Only where Question.programs names some."""
    gaps: tuple[Gap, ...] = ()
    """What the machine could not say. A part that is a gap is empty, which proves nothing."""

    def knows(self, *sections: str) -> bool:
        """Whether these sections of the probe were answered; `pool ` means every pool's."""
        missing = [gap.section for gap in self.gaps]
        return not any(gap.startswith(section) for section in sections for gap in missing)

    def pool(self, name: str) -> Pool | None:
        """An imported pool."""
        return next((each for each in self.pools if each.name == name), None)

    def device(self, leaf: Vdev) -> str:
        """The kernel's name of a pool's member, or nothing where the machine has no such device."""
        name = (leaf.path or leaf.name).removesuffix("/old").rpartition("/")[2]
        if name in self.device_names or any(name in disk.devices for disk in self.disks):
            return name
        parts = (part for disk in self.disks for part in disk.parts)
        known = {part.partuuid: part.name for part in parts}
        known |= {each: device for device, names in self.device_names.items() for each in names}
        return known.get(name, "") if name else ""


def observation(machine: str, answer: Answer) -> Observation:
    """The answer as one value; BrokenAnswer where it says nothing at all."""
    if "basics" not in answer.sections:
        raise BrokenAnswer.of(machine, archive.Damaged("it is empty"))
    texts, links = answer.texts("basics"), all_links(answer)
    running = units(answer, links)
    names = device_names(links)
    return Observation(
        machine=machine,
        identity=identity(answer, texts, links),
        generation=generations(answer, texts, links),
        units=running,
        space=space(answer),
        pools=pools(answer),
        disks=disks(answer, names),
        examined=examined(answer),
        device_names=names,
        network=network(answer),
        deploys=deploys(answer, texts, links, running),
        disk_events=events(answer.texts("state").get(DISK_EVENTS, "")),
        backups=backups(answer.texts("state")),
        people=_people(texts.get("/etc/passwd", "")),
        smb_conf=texts.get("/etc/samba/smb.conf", ""),
        mounts=_mounts(texts.get("/proc/self/mounts", "")),
        source=answer.files("source"),
        packages=answer.read("packages", _packages),
        ready=answer.read("ready", _ready),
        gaps=tuple(dict.fromkeys(_named(answer, gap) for gap in answer.gaps)),
    )


def _named(answer: Answer, gap: Gap) -> Gap:
    """The same gap with the name of the pool or disk in place of its number."""
    kind, _, rest = gap.section.partition(".")
    which, _, what = rest.partition(".")
    name = answer.sections.get(f"{kind}.{which}.name")
    return replace(gap, section=f"{kind} {name.text.strip()}: {what}") if name else gap


def _people(text: str) -> tuple[Person, ...]:
    found = []
    for line in text.splitlines():
        words = line.split(":")
        uid = number(words[2]) if len(words) == 7 else None
        if uid is not None:
            found.append(Person(words[0], uid, words[5], words[6]))
    return tuple(sorted(found, key=lambda each: (each.uid, each.name)))


def _mounts(text: str) -> tuple[tuple[str, str, str], ...]:
    lines = (line.split(" ") for line in text.split("\n"))
    return tuple((words[0], words[1], words[2]) for words in lines if len(words) > 2)


def _ready(text: str) -> Readiness:
    found = pairs(text)
    names = (key.removeprefix("has ") for key in found if key.startswith("has "))
    return Readiness(frozenset(names), "efi" in found, found.get("zfs", "").strip())


def _packages(text: str) -> tuple[str, ...]:
    return tuple(sorted(line for line in text.splitlines() if line.startswith("/nix/store/")))
