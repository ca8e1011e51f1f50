"""What is wrong with a machine as it was seen, and what a person should merely know."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from emily_infra.observe.observation import Observation
from emily_infra.observe.pools import Pool, standstill
from emily_infra.observe.vdevs import Vdev
from emily_infra.spec.units import approximately

_POOL_FULL, _POOL_FILLING = 0.90, 0.80
_FULL = 0.95
_STEADY_STATES = ("ONLINE", "AVAIL", "INUSE")
_NAMED = ("/dev/disk/by-id/", "/dev/disk/by-partuuid/")
"""Whose names the probe lists, so that one which is missing is a device that is gone."""


class Weight(StrEnum):
    """Whether somebody has to act."""

    WRONG = "wrong"
    NOTE = "note"


@dataclass(frozen=True)
class Trouble:
    """One thing to tell, and the command that shows more, where one does."""

    weight: Weight
    message: str
    look: tuple[str, ...] = ()
    """Run on the machine; on the operator's own where it begins with `emily-infra`."""


Called = Callable[[Vdev], str]


def by_path(leaf: Vdev) -> str:
    """What a member of a pool is called by who has no better name."""
    return (leaf.path or leaf.name).rpartition("/")[2]


def troubles(seen: Observation, called: Called = by_path) -> tuple[Trouble, ...]:
    """Everything to tell of a machine: what is wrong first."""
    found = [
        *_pools(seen, called),
        *_units(seen),
        *_systems(seen),
        *_deploys(seen),
        *_space(seen),
        *_gaps(seen),
    ]
    return tuple(sorted(found, key=lambda each: list(Weight).index(each.weight)))


def _wrong(message: str, *look: str) -> Trouble:
    return Trouble(Weight.WRONG, message, look)


def _note(message: str, *look: str) -> Trouble:
    return Trouble(Weight.NOTE, message, look)


def _pools(seen: Observation, called: Called) -> Iterator[Trouble]:
    known = seen.knows("block_devices", "links")
    for pool in seen.pools:
        look = ("zpool", "status", "-v", pool.name)
        if pool.health != "ONLINE":
            yield _wrong(f"pool {pool.name} is {pool.health}", *look)
        elif pool.is_stuck:
            yield _wrong(standstill(pool), *look)
        elif pool.complaint:
            yield _note(f"pool {pool.name}: {_first_sentence(pool.complaint)}", *look)
        for leaf in pool.leaves:
            gone = known and leaf.path.startswith(_NAMED) and not seen.device(leaf)
            if message := _leaf(leaf, is_gone=gone):
                yield _wrong(f"{called(leaf)} in pool {pool.name} {message}", *look)
        if pool.errors:
            yield _wrong(f"pool {pool.name} has lost data: {pool.errors}", *look)
        yield from _room(pool)


def _leaf(leaf: Vdev, *, is_gone: bool) -> str:
    if leaf.state not in _STEADY_STATES:
        return f"is {leaf.state}"
    if is_gone:
        return f"is gone from the machine, though ZFS still calls it {leaf.state}"
    if leaf.errors:
        figures = f"{leaf.read} read, {leaf.write} write, {leaf.checksum} checksum"
        return f"has had errors: {figures}"
    return ""


def _room(pool: Pool) -> Iterator[Trouble]:
    look = ("zfs", "list", "-o", "space", "-r", pool.name)
    if pool.used >= _POOL_FILLING:
        tell = _wrong if pool.used >= _POOL_FULL else _note
        full = f"{pool.used * 100:.0f} % full"
        yield tell(f"pool {pool.name} is {full}; it is slow above 80 %", *look)
    for vdev in pool.vdevs:
        if vdev.role == "special" and vdev.size and vdev.allocated is not None:
            share = vdev.allocated / vdev.size
            if share >= _POOL_FILLING:
                which = f"{vdev.name}, the special vdev of {pool.name},"
                full = f"{share * 100:.0f} % full"
                yield _wrong(f"{which} is {full}", "zpool", "list", "-v", pool.name)


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].rstrip(".")


def _units(seen: Observation) -> Iterator[Trouble]:
    for name in seen.units.failed:
        yield _wrong(f"{name} has failed", "journalctl", "-n", "50", "-u", name)


def _systems(seen: Observation) -> Iterator[Trouble]:
    has = seen.generation
    if seen.deploys.lock or seen.deploys.switching:
        return  # they differ on purpose
    if has.profile and has.current and has.current != has.profile:
        message = "what runs is not the profile's generation"
        yield _wrong(message, "emily-infra", "drift", seen.machine)
    elif has.boot_default and has.profile and has.boot_default != has.profile:
        message = "a reboot would start another generation than the one that runs"
        yield _wrong(message, "emily-infra", "drift", seen.machine)
    if has.reboot_pending:
        command = ("emily-infra", "apply", seen.machine, "--reboot")
        yield _note("a reboot is pending: kernel, initrd or modules are newer", *command)


def _deploys(seen: Observation) -> Iterator[Trouble]:
    last, look = seen.deploys.last, ("emily-infra", "history", seen.machine)
    if lock := seen.deploys.lock:
        yield _note(f"a deploy is at work{f', by {lock.who}' if lock.who else ''}", *look)
    elif seen.deploys.switching:
        yield _note("somebody runs switch-to-configuration", "systemctl", "list-jobs")
    if not last or seen.deploys.lock:
        return
    if last.verdict == "lost" or seen.deploys.interrupted(last):
        verdict = "was lost" if last.verdict else "ended without a verdict"
        yield _wrong(f"the last deploy {verdict}", *look, last.id)
    elif last.verdict == "rolled-back":
        why = f": {last.why}" if last.why else ""
        yield _note(f"the last deploy was rolled back{why}", *look, last.id)


def _space(seen: Observation) -> Iterator[Trouble]:
    told = set()
    for each in seen.space:
        figures = (each.size, each.available)
        if each.used >= _FULL and figures not in told:
            told.add(figures)
            left = approximately(each.available)
            message = f"{each.path} is {each.used * 100:.0f} % full, {left} left"
            yield _wrong(message, "df", "-h", each.path)
        if each.files and each.files_free < each.files * (1 - _FULL):
            yield _wrong(f"{each.path} can hold hardly any more files", "df", "-i", each.path)


def _gaps(seen: Observation) -> Iterator[Trouble]:
    for gap in seen.gaps:
        if gap.hung:
            yield _wrong(f"no answer in time: {gap.section}", "ps", "-eo", "pid,stat,wchan:20,args")
        else:
            yield _note(f"cannot be told: {gap.section}: {gap.why}")
