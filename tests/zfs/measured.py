"""What real pools said: OpenZFS 2.1.11 and 2.4.4, fresh pools, ashift 12."""

from dataclasses import dataclass

from emily_infra.zfs.geometry import Copies, Draid, Layout, Raidz, leaf_size, whole_disk_partition
from emily_infra.zfs.vdev import Top

TB = 10**12
DISK = 12 * TB
RETAIL_DISK = 12_000_138_625_024
FILE = 4 * TB


def raidz(parity: int, width: int, ashift: int = 12) -> Layout:
    return Raidz(ashift, width, parity)


def mirror(width: int) -> Layout:
    return Copies(12, width)


def draid(parity: int, data: int, width: int, spares: int) -> Layout:
    return Draid(12, width, parity, data, spares)


def on_disks(layout: Layout, count: int = 1, size: int = DISK) -> list[Top]:
    """So many equal vdevs of whole disks."""
    return [_top(layout, whole_disk_partition(size), size)] * count


def on_files(layout: Layout, count: int = 1, size: int = FILE) -> list[Top]:
    """So many equal vdevs of files or partitions, which ZFS takes as they are."""
    return [_top(layout, size, size)] * count


def _top(layout: Layout, usable: int, sold: int) -> Top:
    return Top(layout, leaf_size(usable), sold * layout.width)


@dataclass(frozen=True)
class ToTheByte:
    """A pool with the `available` of its root; `used` are the pool's own first blocks."""

    name: str
    tops: list[Top]
    available: int
    used_blocks: int
    """Of the smallest size that the layout has."""
    size: int = 0


TO_THE_BYTE = [
    ToTheByte("raidz2-4", on_disks(raidz(2, 4)), 23_104_507_561_984, 96),
    ToTheByte("raidz2-5", on_disks(raidz(2, 5)), 35_365_699_541_248, 96),
    ToTheByte("raidz2-6", on_disks(raidz(2, 6)), 47_804_797_133_592, 99),
    ToTheByte("raidz2-7", on_disks(raidz(2, 7)), 55_802_798_039_784, 93, 83_992_380_440_576),
    ToTheByte("2x raidz2-7", on_disks(raidz(2, 7), 2), 111_743_035_720_496, 102,
              167_984_760_881_152),
    ToTheByte("mirror-2", on_disks(mirror(2)), 11_854_109_343_744, 96, 11_991_548_690_432),
    ToTheByte("7x mirror-2", on_disks(mirror(2), 7), 83_751_861_792_768, 117, 83_940_840_833_024),
    ToTheByte("draid2:5d:14c:0s", on_disks(draid(2, 5, 14, 0)), 109_446_211_335_424, 96,
              167_984_520_560_640),
    ToTheByte("draid2:5d:14c:1s", on_disks(draid(2, 5, 14, 1)), 101_623_610_650_000, 99,
              155_992_989_057_024),
    ToTheByte("4 TB, 2x raidz2-7", on_files(raidz(2, 7), 2), 37_140_795_966_256, 102,
              55_972_013_801_472),
]  # fmt: skip


@dataclass(frozen=True)
class Rounded:
    """A pool whose `available` was noted in TB with two digits."""

    name: str
    tops: list[Top]
    terabytes: str
    share_of_raw: str = ""


ROUNDED = [
    Rounded("raidz1-3", on_disks(raidz(1, 3)), "23.83", ".662"),
    Rounded("raidz1-5", on_disks(raidz(1, 5)), "47.79", ".796"),
    Rounded("raidz1-9", on_disks(raidz(1, 9)), "95.83", ".887"),
    Rounded("raidz2-4", on_disks(raidz(2, 4)), "23.10", ".481"),
    Rounded("raidz2-5", on_disks(raidz(2, 5)), "35.37", ".589"),
    Rounded("raidz2-6", on_disks(raidz(2, 6)), "47.80", ".664"),
    Rounded("raidz2-7", on_disks(raidz(2, 7)), "55.80", ".664"),
    Rounded("raidz2-8", on_disks(raidz(2, 8)), "68.10", ".709"),
    Rounded("raidz2-9", on_disks(raidz(2, 9)), "82.12", ".760"),
    Rounded("raidz2-10", on_disks(raidz(2, 10)), "91.26", ".760"),
    Rounded("raidz2-12", on_disks(raidz(2, 12)), "109.54", ".761"),
    Rounded("raidz2-14", on_disks(raidz(2, 14)), "137.66", ".819"),
    Rounded("raidz3-7", on_disks(raidz(3, 7)), "47.76", ".569"),
    Rounded("raidz3-8", on_disks(raidz(3, 8)), "54.60", ".569"),
    Rounded("raidz3-9", on_disks(raidz(3, 9)), "66.30", ".614"),
    Rounded("raidz3-11", on_disks(raidz(3, 11)), "95.76", ".725"),
    Rounded("raidz3-14", on_disks(raidz(3, 14)), "121.91", ".726"),
    Rounded("2x raidz2-7", on_disks(raidz(2, 7), 2), "111.74", ".665"),
    Rounded("2x raidz2-6", on_disks(raidz(2, 6), 2), "95.75", ".665"),
    Rounded("2x raidz1-7", on_disks(raidz(1, 7), 2), "141.27", ".841"),
    Rounded("2x raidz3-7", on_disks(raidz(3, 7), 2), "95.67", ".569"),
    Rounded("mirror-2", on_disks(mirror(2)), "11.85", ".494"),
    Rounded("7x mirror-2", on_disks(mirror(2), 7), "83.75", ".499"),
    Rounded("draid2:5d:14c:0s", on_disks(draid(2, 5, 14, 0)), "109.45", ".651"),
    Rounded("draid2:5d:14c:1s", on_disks(draid(2, 5, 14, 1)), "101.62", ".605"),
    Rounded("4 TB, raidz1-5", on_files(raidz(1, 5)), "15.84", ".792"),
    Rounded("4 TB, raidz2-6", on_files(raidz(2, 6)), "15.84", ".660"),
    Rounded("4 TB, raidz2-7", on_files(raidz(2, 7)), "18.50", ".661"),
    Rounded("4 TB, raidz2-8", on_files(raidz(2, 8)), "22.60", ".706"),
    Rounded("4 TB, raidz2-10", on_files(raidz(2, 10)), "30.33", ".758"),
    Rounded("4 TB, raidz3-8", on_files(raidz(3, 8)), "18.11", ".566"),
    Rounded("4 TB, mirror-2", on_files(mirror(2)), "3.86", ".483"),
    Rounded("4 TB, 7x mirror-2", on_files(mirror(2), 7), "27.71", ".495"),
    Rounded("4 TB, 2x raidz2-7", on_files(raidz(2, 7), 2), "37.14", ".663"),
    Rounded("4 TB, draid2:5d:14c:0s", on_files(draid(2, 5, 14, 0)), "36.39", ".650"),
]

SIZES = [
    ("raidz1-3", on_disks(raidz(1, 3)), 35_991_825_940_480),
    ("raidz1-5", on_disks(raidz(1, 5)), 59_992_103_190_528),
    ("raidz1-9", on_disks(raidz(1, 9)), 107_992_657_690_624),
]
"""SIZE of `zpool list`, beside those above."""

RATIOS = [
    (raidz(2, 4), ".484"), (raidz(2, 5), ".592"), (raidz(2, 6), ".666"), (raidz(2, 7), ".666"),
    (raidz(2, 8), ".711"), (raidz(2, 9), ".762"), (raidz(2, 10), ".762"), (raidz(2, 12), ".762"),
    (mirror(2), "1.000"), (draid(2, 5, 14, 0), ".652"),
]  # fmt: skip
"""The deflate ratio as a share."""

USED_PER_LOGICAL = {
    4 << 10: 2.019, 8 << 10: 2.009, 16 << 10: 1.005,
    128 << 10: 1.000, 1 << 20: 0.937, 4 << 20: 0.933,
}  # fmt: skip
"""200 MiB of random data on raidz2-7, by recordsize."""

RAW_PER_RECORD = {
    4 << 10: 3.0, 8 << 10: 3.0, 16 << 10: 1.5, 128 << 10: 1.5, 1 << 20: 1.40625, 4 << 20: 1.400,
}  # fmt: skip
"""Sectors of all disks for one of user data, on raidz2-7."""
