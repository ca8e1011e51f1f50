"""Every command of an installation, in its order, as a person would type it: pure."""

import shlex
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from emily_infra.disks import partitions
from emily_infra.disks.blank import Report
from emily_infra.install.layout import ROOT, mounting, place, pools_in_order
from emily_infra.install.survey import Ground, PoolFound, Standing
from emily_infra.render.storage import BY_ID, file_systems
from emily_infra.spec.host import Host
from emily_infra.zfs.commands import Command, create_pool, unmounted


@dataclass(frozen=True)
class Deed:
    """A part of the work, with the lines of shell that do it."""

    title: str
    lines: tuple[str, ...]
    here: bool = False
    """Whether it is done on the operator's machine."""


def identity(host: Host) -> tuple[str, ...]:
    """Pools are marked with the id of the system that makes them, and open to it without force."""
    return "modprobe zfs", f"echo {host.spec.system.host_id} >/proc/sys/kernel/spl/hostid"


def importing(pool: str) -> Command:
    """The command that opens a pool for the new system; nothing of it is mounted."""
    return ("zpool", "import", "-d", BY_ID, "-R", ROOT, "-N", pool)


def installing(toplevel: str) -> Command:
    """The command that makes profile and boot loader from what is in the store."""
    return (
        *("nixos-install", "--root", ROOT, "--system", toplevel),
        *("--no-root-passwd", "--no-channel-copy"),
    )


def letting_go(host: Host) -> Iterator[Command]:
    """What leaves the disks to the next boot."""
    yield ("umount", "--recursive", ROOT)
    for pool in reversed(pools_in_order(host.spec)):
        yield ("zpool", "export", pool)


def deeds(
    host: Host, found: Ground, copying: str, toplevel: str, weaker: Collection[str] = ()
) -> Iterator[Deed]:
    """All that is left to do; WEAKER are pools whose unlike redundancy is acknowledged."""
    yield Deed("be the host for ZFS", identity(host))
    for report in found.boot:
        lines = tuple(_disk(report, found.to_format[report.place.disk]))
        if lines:
            yield Deed(f"prepare {report.place.disk}", lines)
    prepared = {report.place.disk for report in found.boot}
    for pool in found.pools:
        lines = tuple(_pool(host, pool, prepared, weaker))
        yield Deed(f"{_VERBS[pool.standing]} {pool.name}", lines)
    yield Deed(f"mount below {ROOT}", tuple(_lines(_mounts(host, found.mounted))))
    yield Deed("copy the system", (copying,), here=True)
    yield Deed("install it", (shlex.join(installing(toplevel)),))
    yield Deed("let go, when all of it was found", tuple(_lines(letting_go(host))))


_VERBS = {Standing.NEW: "create", Standing.ASLEEP: "import", Standing.OPEN: "complete"}


def _lines(commands: Iterable[Command]) -> Iterator[str]:
    return map(shlex.join, commands)


def _disk(report: Report, to_format: tuple[str, ...]) -> Iterator[str]:
    disk, body = report.place.disk, report.place.body
    if report.to_partition:
        yield from _partitioning(report)
    paths = {partitions.part(disk, number) for number in to_format}
    yield from _lines(each for each in partitions.formats(disk, body) if each[-1] in paths)


def _partitioning(report: Report) -> Iterator[str]:
    disk, body = report.place.disk, report.place.body
    table = report.table.rstrip("\n").split("\n")
    words = shlex.join(["printf", r"%s\n", *table])
    yield f"{words} | {shlex.join(partitions.partitioning(disk))}"
    yield shlex.join(("udevadm", "wait", "--timeout=300", *partitions.parts(disk, body)))


def _pool(
    host: Host, pool: PoolFound, prepared: set[str], weaker: Collection[str]
) -> Iterator[str]:
    if pool.standing is Standing.ASLEEP:
        yield shlex.join(importing(pool.name))
    if pool.standing is Standing.NEW:
        for report in pool.reports:
            if report.to_partition and report.place.disk not in prepared:
                yield from _partitioning(report)
        body = host.spec.storage.pools[pool.name]
        yield shlex.join(create_pool(pool.name, body, "-R", ROOT))
        if pool.name in weaker:
            yield "# with -f, if unlike redundancy is all that zpool minds: it is acknowledged"
    yield from _lines(map(unmounted, pool.datasets))


def _mounts(host: Host, mounted: frozenset[str]) -> Iterator[Command]:
    for entry in file_systems(host.spec):
        if place(entry) not in mounted:
            yield from mounting(entry)
