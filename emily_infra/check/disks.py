"""The stories of what is found on a machine's disks, and why something is not done to them."""

from emily_infra.findings import Explanation, Severity


def _story(code: str, title: str, story: str, wrong: str, right: str) -> Explanation:
    return Explanation(code, Severity.ERROR, title, story, wrong, right)


EXPLANATIONS = (
    _story(
        "DSK001", "A disk of host.yaml is not in the machine",
        "Disks go by their names under /dev/disk/by-id. This one is not there: it is not plugged "
        "in, its bay or cable is dead, or its name is another one. The message lists the disks "
        "that host.yaml does not name.",
        "storage: { disks: { ata-WDC_WD40EFRX_1: { size: 4TB } } }    # a letter is missing",
        "ls -l /dev/disk/by-id    # and copy the name from there",
    ),
    _story(
        "DSK002", "A disk has another size than host.yaml says",
        "A disk is never smaller than its label promises and up to 0.1 % larger; a 12 TB disk has "
        "12,000,138,625,024 bytes. Up to 1 % above is taken for the same, because the next larger "
        "disk that is sold is 2.4 % larger. A partition may also be 1 MiB smaller, for alignment.",
        "ata-ST12000NM_1: { size: 14TB }", "ata-ST12000NM_1: { size: 12TB }",
    ),
    _story(
        "DSK003", "A name leads to another disk, or two names to the same",
        "The names of ata, usb and nvme disks end in the serial number, those of wwn are the WWN; "
        "the disk behind the link reports another one. Or two disks of host.yaml are one, or two "
        "disks report one serial, as a disk on two paths does.",
        "mirror: [ata-ST12000NM_1, wwn-0x5000c500a1b2c3d4]    # one and the same disk",
        "mirror: [ata-ST12000NM_1, ata-ST12000NM_2]",
    ),
    _story(
        "DSK004", "A disk is not blank",
        "A signature of a partition table, file system, RAID, LVM, LUKS or swap, the label of a "
        "pool (active, exported or destroyed), or any byte that is not zero in the first or last "
        "16 MiB, where tables stand and where what lay behind a lost table begins. Nothing here "
        "empties a disk. Find out whose data it is; the hint ends with the command for when you "
        "know that nobody misses it, but not if the disk is in use or holds a pool that can be "
        "imported.",
        "emily-infra storage create ember ember    # on disks that held another pool",
        "zpool import    # is it one that somebody looks for?",
    ),
    _story(
        "DSK005", "A disk is in use",
        "It is mounted, swapped to, in an imported pool, below LVM, RAID or encryption, or it is "
        "read-only.",
        "emily-infra storage create ember ember    # while a disk is mounted",
        "lsblk /dev/sdc",
    ),
    _story(
        "DSK006", "It cannot be told what is on a disk",
        "Reading failed, or did not end in a minute, or the machine has no zdb that works, to read "
        "the labels of pools. What cannot be read is not blank.",
        "emily-infra storage create ember ember    # with a dying disk", "smartctl -a /dev/sdc",
    ),
    _story(
        "DSK007", "A disk's partitions are not those of host.yaml",
        "A blank disk is partitioned as declared. One that has a table keeps it: then the pool's "
        "partitions have to be there, with the declared sizes, and blank.",
        "partitions: { 5: { size: 600GB, use: zfs } }    # the disk has 1 to 3",
        "sfdisk --list /dev/nvme0n1    # then declare what is there",
    ),
    _story(
        "DSK011", "A machine could not say what it takes to decide",
        "One of the programs that list pools, devices or datasets failed or hung. A pool that is "
        "missing from a list is not proven to be gone, so nothing is done.",
        "emily-infra disk offline ember ata-ST12000NM_1    # while zpool hangs",
        "emily-infra status ember",
    ),
    _story(
        "DSK012", "A pool is not created",
        "A pool of that name is there and is another one, or it is on the disks and only not "
        "imported, or a disk changed between two looks. The hint says how to go on.",
        "emily-infra storage create ember ember    # after zpool export ember",
        "zpool import -d /dev/disk/by-id ember",
    ),
    _story(
        "DSK013", "ZFS would do something else than is meant",
        "Before zpool creates a pool, it is asked with -n what it would do, and that has to be the "
        "layout of host.yaml. Force is used for one reason only: vdevs of unlike redundancy, where "
        "host.yaml acknowledges STO004 or STO009.",
        "zpool create -f ...    # which would also take disks of an exported pool",
        "emily-infra explain STO004",
    ),
    _story(
        "DSK014", "A pool does not write any more",
        "It is suspended, or no transaction group was committed for a minute, whatever its health "
        "is called: it stays ONLINE for minutes when its disks are gone. Commands about it hang, "
        "and cannot be ended.",
        "zpool status    # state: ONLINE, and nothing can be written", "dmesg -T | tail -n 50",
    ),
    _story(
        "DSK015", "Redundancy would be lost, or is lost already",
        "How many disks a vdev may lose is counted from its tree. A disk counts as whole if it is "
        "ONLINE, its device is there, and no resilver owes it anything; what is unclear counts as "
        "lost. Nor may the last copy rest on a disk that has had errors.",
        "emily-infra disk offline ember ata-ST12000NM_3    # the third of a raidz2",
        "emily-infra disk replace ember ata-ST12000NM_1    # first mend what is missing",
    ),
    _story(
        "DSK016", "There is no such disk",
        "Neither host.yaml nor the machine has it, or nothing of a pool is on it.",
        "emily-infra disk locate ember sda", "emily-infra disk list ember",
    ),
    _story(
        "DSK017", "A disk cannot take the place of another one",
        "A new disk has to be blank, nobody else's, and no smaller than the smallest of its vdev.",
        "emily-infra disk replace ember ata-ST12000NM_1 ata-ST10000NM_1",
        "emily-infra disk replace ember ata-ST12000NM_1 ata-ST12000NM_15",
    ),
    _story(
        "DSK018", "host.yaml cannot be changed safely",
        "A disk is renamed in place, with comments and layout as they are, and the result is read "
        "again: only what names the disk may differ. Where that does not hold (names written with "
        "escapes, a size that two disks share by an alias) the file stays as it is.",
        "nvme-A: &nvme { size: 960GB }\nnvme-B: *nvme    # and the new one has 1920GB",
        "write the new disk into host.yaml by hand; then emily-infra check",
    ),
)  # fmt: skip
