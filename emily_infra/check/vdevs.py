"""Rules about how disks are put together."""

from collections.abc import Iterator

from emily_infra.check.rule import Problem, Standing, host_rule
from emily_infra.check.storage import groups
from emily_infra.findings import Severity
from emily_infra.spec.host import Host
from emily_infra.spec.storage import Pool
from emily_infra.spec.units import Size, approximately
from emily_infra.zfs.members import Disks, member, members
from emily_infra.zfs.vdev import layout

MIXED_ABOVE = 1_000
"""Disks of one nominal size differ by less than a thousandth from maker to maker."""
SLOW_TO_RESILVER = Size.parse("8TB")
WIDEST_RAIDZ = 12

_MORE_DISKS = "".join(f"    ata-WDC_WD40EFRX_{index}: {{ size: 4TB }}\n" for index in range(3, 6))
_SSD = "    nvme-A: &nvme { size: 500GB, media: ssd }\n    nvme-B: *nvme\n"
_PAIR = "[ata-WDC_WD40EFRX_1, ata-WDC_WD40EFRX_2]"
_THREE = "[ata-WDC_WD40EFRX_3, ata-WDC_WD40EFRX_4, ata-WDC_WD40EFRX_5]"
_LARGE = "    ata-X_1: &x { size: 12TB }\n" + "".join(f"    ata-X_{i}: *x\n" for i in (2, 3, 4))


def _tank(disks: str, pool: str) -> str:
    return f"storage:\n  disks:\n{disks}  pools:\n    tank:\n{pool}"


@host_rule(
    "STO003", Severity.ERROR,
    wrong="storage:\n  disks:\n    ata-WDC_WD40EFRX_2: { size: 6TB }\n",
    right="storage:\n  disks:\n    ata-WDC_WD40EFRX_2: { size: 4TB }\n",
)  # fmt: skip
def mixed_sizes(host: Host) -> Iterator[Problem]:
    """The members of a vdev differ in size

    Every member counts only as much as the smallest. The rest is paid for and never used, until
    the last small one has been replaced. If that is the plan, acknowledge it.
    """
    for group in groups(host.spec):
        found = members(group.vdev.disks, host.spec.storage.disks) or []
        sizes = [each.usable for each in found] or [0]
        if (max(sizes) - min(sizes)) * MIXED_ABOVE > max(sizes):
            smallest = min(found, key=lambda each: each.usable)
            wasted = approximately(sum(sizes) - len(sizes) * min(sizes))
            message = f"{smallest.name} is the smallest, and {wasted} of the others are wasted"
            yield Problem(group.at, message, "use disks of one size in a vdev")


@host_rule(
    "STO004", Severity.ERROR,
    wrong=_tank(_SSD, "      special:\n        - disk: nvme-A\n"),
    right=_tank(_SSD, "      special:\n        - mirror: [nvme-A, nvme-B]\n"),
)  # fmt: skip
def special_is_weaker_than_data(host: Host) -> Iterator[Problem]:
    """A special vdev survives fewer failures than the data

    The special vdev holds the only copy of the metadata: if it is lost, the whole pool is lost,
    and with raidz data vdevs it can never be removed again. Give it as many spare copies as the
    data has parity: a mirror of three beside raidz2. zpool itself refuses less without force.
    """
    for group in groups(host.spec):
        needed = group.pool.failures_survived
        survived = group.vdev.failures_survived
        if group.role == "special" and survived < needed:
            message = f"the pool survives {needed} failed disks in its data, but {survived} here"
            yield Problem(group.at, message, f"make it a mirror of {needed + 1} disks")


@host_rule(
    "STO009", Severity.WARNING,
    wrong=_tank(_MORE_DISKS, f"      data:\n        - mirror: {_PAIR}\n"
                             f"        - mirror: {_THREE}\n"),
    right=_tank(_MORE_DISKS, f"      data:\n        - mirror: {_PAIR}\n"
                             "        - mirror: [ata-WDC_WD40EFRX_3, ata-WDC_WD40EFRX_4]\n"),
)  # fmt: skip
def uneven_data_vdevs(host: Host) -> Iterator[Problem]:
    """The data vdevs of a pool differ in layout or width

    ZFS stripes over all of them, so that every large file lies on every vdev. The pool is as safe
    as the weakest and about as fast as the slowest of them; what the others have more is lost.
    """
    for name, pool in sorted(host.spec.storage.pools.items()):
        shapes = dict.fromkeys(f"{len(vdev.disks)}-wide {vdev.kind}" for vdev in pool.data)
        if len(shapes) > 1:
            message = f"the data vdevs are {' and '.join(shapes)}"
            hint = "use one layout and one width, or make two pools"
            yield Problem(("storage", "pools", name, "data"), message, hint)


@host_rule(
    "STO012", Severity.WARNING,
    wrong="storage:\n  disks:\n    nvme-A: { size: 500GB, media: ssd }\n"
          "  pools:\n    scratch:\n      data:\n        - disk: nvme-A\n",
    right="storage:\n  disks:\n" + _SSD
          + "  pools:\n    scratch:\n      data:\n        - mirror: [nvme-A, nvme-B]\n",
)  # fmt: skip
def no_redundancy(host: Host) -> Iterator[Problem]:
    """A data vdev has no redundancy

    When its disk fails, the whole pool is gone, with everything on the other vdevs of it. ZFS also
    sees damaged blocks here and cannot mend them.
    """
    for group in groups(host.spec):
        if group.role == "data" and not group.vdev.failures_survived:
            message = f"the pool is lost when {group.vdev.disks[0]} fails"
            yield Problem(group.at, message, "make it a mirror, or acknowledge it for scratch data")


@host_rule(
    "STO015", Severity.ERROR,
    wrong=_tank("    ata-ST2000DM_1: { size: 2TB }\n", "      spares: [ata-ST2000DM_1]\n"),
    right=_tank("    ata-ST4000DM_1: { size: 4TB }\n", "      spares: [ata-ST4000DM_1]\n"),
)  # fmt: skip
def spare_too_small(host: Host) -> Iterator[Problem]:
    """A spare is smaller than every disk it could replace

    ZFS takes no replacement that is smaller than the member that failed. Such a spare looks like
    safety in `zpool status` and stays unused on the day it is needed.
    """
    disks = host.spec.storage.disks
    for name, pool in sorted(host.spec.storage.pools.items()):
        smallest = _smallest_data_member(pool, disks)
        for index, spare in enumerate(pool.spares):
            found = member(spare, disks)
            if found and smallest and found.usable < smallest:
                message = f"{spare} has {approximately(found.usable)}; " \
                          f"the smallest data disk has {approximately(smallest)}"  # fmt: skip
                at = ("storage", "pools", name, "spares", index)
                yield Problem(at, message, "use a spare at least as large as the data disks")


def _smallest_data_member(pool: Pool, disks: Disks) -> int:
    found = (member(name, disks) for vdev in pool.data for name in vdev.disks)
    return min((each.usable for each in found if each), default=0)


@host_rule(
    "STO016", Severity.WARNING,
    wrong=_tank(_SSD, "      log:\n        - disk: nvme-A\n"),
    right=_tank(_SSD, "      log:\n        - mirror: [nvme-A, nvme-B]\n"),
)  # fmt: skip
def log_without_redundancy(host: Host) -> Iterator[Problem]:
    """A log vdev has no redundancy

    The log is read only after a crash, and then it is all there is of the last seconds of
    synchronous writes: databases and NFS were told that they are safe. A device that dies in the
    same power failure takes them along.
    """
    for group in groups(host.spec):
        if group.role == "log" and not group.vdev.failures_survived:
            message = f"synchronous writes are lost when {group.vdev.disks[0]} fails with a crash"
            yield Problem(group.at, message, "mirror the log, or leave it out")


@host_rule(
    "STO018", Severity.ERROR, standing=Standing.CONTRADICTION,
    wrong=_tank(_MORE_DISKS, f"      data:\n        - draid1: {_THREE}\n"),
    right=_tank(_MORE_DISKS, f"      data:\n        - raidz1: {_THREE}\n"),
)  # fmt: skip
def draid_is_refused(host: Host) -> Iterator[Problem]:
    """dRAID is not supported

    dRAID spreads fixed stripes over all disks. Every record takes whole stripes, so that small
    records and metadata cost several times their size, and compression saves less. What it buys, a
    short resilver onto spare room on all disks, pays from some dozens of disks on. Fourteen disks
    of 12 TB hold 109.4 TB as draid2 without a spare, 101.6 TB with one, and 111.7 TB as two raidz2.
    """
    for group in groups(host.spec):
        if group.vdev.kind.startswith("draid"):
            sectors = layout(group.vdev, group.pool.ashift).block(1).sectors
            stripe = Size(sectors << group.pool.ashift)
            message = f"with {group.vdev.kind} every record takes a stripe of {stripe} or more"
            hint = (
                f"write {group.vdev.kind[1:].replace('raid', 'raidz')}, in vdevs of 5 to 10 disks"
            )
            yield Problem(group.at, message, hint)


@host_rule(
    "STO020", Severity.WARNING,
    wrong=_tank(_LARGE, "      data:\n        - raidz1: [ata-X_1, ata-X_2, ata-X_3]\n"),
    right=_tank(_LARGE, "      data:\n        - raidz2: [ata-X_1, ata-X_2, ata-X_3, ata-X_4]\n"),
)  # fmt: skip
def unwise_raidz(host: Host) -> Iterator[Problem]:
    """A raidz is too wide, or has too little parity for its disks

    A resilver reads every other disk of the vdev to its end. With disks over 8 TB that takes a day
    or more, under full load on disks of the same age; raidz1 loses the pool at the next failure.
    Beyond twelve disks the odds of a further failure grow, and the speed of small reads does not.
    """
    for group in groups(host.spec):
        found = [member(name, host.spec.storage.disks) for name in group.vdev.disks]
        largest = max((each.sold for each in found if each), default=0)
        if group.vdev.kind == "raidz1" and largest > SLOW_TO_RESILVER:
            message = f"raidz1 of {Size(largest)} disks: a long resilver without parity"
            yield Problem(group.at, message, "use raidz2, or mirrors")
        if group.vdev.kind.startswith("raidz") and len(group.vdev.disks) > WIDEST_RAIDZ:
            message = f"{len(group.vdev.disks)} disks in one {group.vdev.kind}"
            yield Problem(group.at, message, f"split it: at most {WIDEST_RAIDZ} disks in a raidz")


@host_rule(
    "STO023", Severity.WARNING,
    wrong="storage:\n  pools:\n    tank: { ashift: 9 }\n",
    right="storage:\n  pools:\n    tank: { ashift: 12 }\n",
)  # fmt: skip
def sectors_too_small(host: Host) -> Iterator[Problem]:
    """The sector size is below 4 KiB, for ever

    `ashift` is fixed when a vdev is made. Disks with 4 KiB sectors can never join or replace
    a member of a vdev with a smaller one, and disks that emulate 512 bytes read before each small
    write. What 9 saves is padding of small records; 12 works with every disk sold today.
    """
    for name, pool in sorted(host.spec.storage.pools.items()):
        if pool.ashift < 12:
            message = f"ashift {pool.ashift} is {1 << pool.ashift} bytes; a 4 KiB disk cannot join"
            at = ("storage", "pools", name, "ashift")
            yield Problem(at, message, "write ashift: 12, or leave it out")


@host_rule(
    "STO024", Severity.WARNING,
    wrong=_tank(_MORE_DISKS, "      cache: [ata-WDC_WD40EFRX_3]\n"),
    right=_tank(_SSD, "      cache: [nvme-A]\n"),
)  # fmt: skip
def helper_on_a_spinning_disk(host: Host) -> Iterator[Problem]:
    """A special, log or cache device is a spinning disk

    These vdevs exist to take small, scattered input and output away from disks that must seek. On
    a disk that seeks itself they add a bottleneck and a point of failure, and speed up nothing.
    Where the device is an SSD, say so: `media` also decides whether it is trimmed.
    """
    disks = host.spec.storage.disks
    for group in groups(host.spec):
        found = [member(name, disks) for name in group.vdev.disks]
        spinning = [each.disk for each in found if each and disks[each.disk].media == "hdd"]
        if group.role != "data" and spinning:
            yield Problem(group.at, *_spins(group.role, spinning[0]))
    for name, pool in sorted(host.spec.storage.pools.items()):
        for index, device in enumerate(pool.cache):
            each = member(device, disks)
            if each and disks[each.disk].media == "hdd":
                at = ("storage", "pools", name, "cache", index)
                yield Problem(at, *_spins("cache", each.disk))


def _spins(role: str, disk: str) -> tuple[str, str]:
    hint = f"write media: ssd under storage.disks.{disk} if it is one, else leave the {role} out"
    return f"{disk} is an hdd; as {role} it slows the pool down", hint


_PARTS = "".join(
    f"    nvme-{disk}: {{ size: 500GB, media: ssd, partitions: {{ 1: {{ size: 10GB, use: zfs }}, "
    "2: { size: 400GB, use: zfs } } }\n"
    for disk in "ABCD"
)


def _logged(disks: str) -> str:
    log = ", ".join(f"nvme-{disk}-part1" for disk in disks)
    return _tank(_PARTS, "      data:\n        - mirror: [nvme-A-part2, nvme-B-part2]\n"
                         f"      log:\n        - mirror: [{log}]\n")  # fmt: skip


@host_rule("STO025", Severity.WARNING, wrong=_logged("AB"), right=_logged("CD"))
def log_beside_its_data(host: Host) -> Iterator[Problem]:
    """A log vdev is on the disks whose writes it is to shorten

    Without a log vdev, synchronous writes are logged on the data disks themselves. A log on a
    partition of the same disks does the same with one more step, and takes the room of it. A log
    helps where it is faster than the data.
    """
    disks = host.spec.storage.disks
    for name, pool in sorted(host.spec.storage.pools.items()):
        data = {disk for vdev in pool.data for disk in _physical(vdev.disks, disks)}
        for index, vdev in enumerate(pool.log):
            own = _physical(vdev.disks, disks)
            if own and own <= data:
                message = f"the log is on {', '.join(sorted(own))}, as the data is"
                at = ("storage", "pools", name, "log", index)
                yield Problem(at, message, "leave the log out, or put it on faster disks")


def _physical(names: tuple[str, ...], disks: Disks) -> set[str]:
    return {each.disk for name in names if (each := member(name, disks))}
