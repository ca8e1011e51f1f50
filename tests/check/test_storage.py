"""Rules about storage at their edges; test_rules.py runs each rule's own examples."""

import pytest

from emily_infra.check.capacity import reserved
from emily_infra.check.storage import space_for
from emily_infra.findings import Finding, dotted
from emily_infra.spec.host import Host
from emily_infra.spec.storage import Dataset, Disk
from emily_infra.spec.units import Size
from tests.hosts import codes, findings, over, pebble, shipped

DISKS = """
storage:
  disks:
    ata-WDC_WD40EFRX_3: { size: 4TB }
    ata-WDC_WD40EFRX_4: { size: 4TB }
    nvme-A: &nvme
      size: 500GB
      media: ssd
      partitions:
        1: { size: 1GiB, use: esp }
        2: { size: 8GiB, use: swap }
        3: { size: 200GB, use: zfs }
        4: { size: 200GB, use: zfs }
    nvme-B: *nvme
"""
PAIR = "mirror: [ata-WDC_WD40EFRX_1, ata-WDC_WD40EFRX_2]"


def tank(text: str, extra: str = "") -> Host:
    """Pebble with more disks and a pool changed by some lines of YAML."""
    return pebble(f"{DISKS}  pools:\n    tank: {{ {text} }}\n{extra}")


def found(host: Host, code: str) -> list[Finding]:
    return [finding for finding in findings(host) if finding.code == code]


def places(host: Host, code: str) -> list[str]:
    return [dotted(finding.place) for finding in found(host, code)]


def size(text: str) -> Size:
    return Size.parse(text)


@pytest.mark.parametrize(
    ("pool", "place"),
    [
        ("data: [{ mirror: [nvme-A-part3, nvme-A-part3] }]", "tank.data[0].mirror[1]"),
        ("data: [{ disk: ata-WDC_WD40EFRX_3 }, { disk: ata-WDC_WD40EFRX_3 }]", "tank.data[1].disk"),
        (f"data: [{{ {PAIR} }}], cache: [ata-WDC_WD40EFRX_2]", "tank.cache[0]"),
        ("special: [{ mirror: [nvme-A, nvme-A-part3] }]", "tank.special[0].mirror[1]"),
        ("special: [{ mirror: [nvme-A-part3, nvme-A] }]", "tank.special[0].mirror[1]"),
        ("spares: [ata-nowhere, ata-nowhere]", "tank.spares[1]"),
    ],
)
def test_the_second_use_of_a_disk_is_found(pool: str, place: str) -> None:
    assert places(tank(pool), "STO001") == [f"storage.pools.{place}"]


def test_two_partitions_of_a_disk_may_serve_two_vdevs() -> None:
    host = tank(
        "special: [{ mirror: [nvme-A-part3, nvme-B-part3] }],"
        " log: [{ mirror: [nvme-A-part4, nvme-B-part4] }]"
    )

    assert found(host, "STO001") == []
    assert found(host, "STO011") == []


def test_a_disk_in_two_pools_is_found() -> None:
    host = pebble("storage: { pools: { other: { data: [{ disk: ata-WDC_WD40EFRX_1 }] } } }")

    assert places(host, "STO001") == ["storage.pools.tank.data[0].mirror[0]"]


@pytest.mark.parametrize(
    ("member", "message"),
    [
        ("ata-nowhere", "ata-nowhere is not declared under storage.disks"),
        ("nvme-A-part9", "nvme-A has no partition 9"),
        ("nvme-A-part2", "nvme-A-part2 is for swap, not for a pool"),
        ("nvme-A", "nvme-A is used whole, but has 4 partitions"),
        ("ata-WDC_WD40EFRX_3-part1", "ata-WDC_WD40EFRX_3 has no partition 1"),
    ],
)
def test_a_member_that_is_not_there_for_pools_is_named(member: str, message: str) -> None:
    host = tank(f"spares: [{member}]")

    assert [finding.message for finding in found(host, "STO002")] == [message]


def test_a_disk_may_be_called_like_a_partition() -> None:
    host = pebble(
        "storage: { disks: { usb-stick-part1: { size: 4TB } },"
        " pools: { tank: { spares: [usb-stick-part1] } } }"
    )

    assert found(host, "STO002") == []


def test_the_surplus_of_a_retail_disk_is_no_mixed_size() -> None:
    host = pebble("storage: { disks: { ata-WDC_WD40EFRX_1: { size: 4000787030016B } } }")

    assert found(host, "STO003") == []


def test_what_mixed_sizes_waste_is_said() -> None:
    host = pebble("storage: { disks: { ata-WDC_WD40EFRX_1: { size: 6TB } } }")

    message = found(host, "STO003")[0].message

    assert message == "ata-WDC_WD40EFRX_2 is the smallest, and 2.0 TB of the others are wasted"


def test_embers_two_way_special_is_weaker_than_its_raidz2() -> None:
    finding = found(shipped("ember"), "STO004")[0]

    assert dotted(finding.place) == "storage.pools.ember.special[0]"
    assert finding.hint == "make it a mirror of 3 disks"


def test_a_special_as_strong_as_the_weakest_data_vdev_will_do() -> None:
    host = tank("special: [{ mirror: [nvme-A-part3, nvme-B-part3] }]")

    assert found(host, "STO004") == []


@pytest.mark.parametrize(
    ("settings", "fires"),
    [
        ("recordsize: 16KiB, small_blocks_on_special: 8KiB", False),
        ("recordsize: 16KiB, small_blocks_on_special: 16383B", False),
        ("recordsize: 16KiB, small_blocks_on_special: 16KiB", True),
        ("recordsize: 16KiB, small_blocks_on_special: 32KiB", True),
        ("recordsize: 16KiB, small_blocks_on_special: 16KiB, all_on_special: true", False),
        ("recordsize: 16KiB, small_blocks_on_special: 0B", False),
    ],
)
def test_small_blocks_must_be_smaller_than_records(settings: str, *, fires: bool) -> None:
    host = tank(f"datasets: {{ home: {{ {settings} }} }}")

    assert bool(found(host, "STO005")) is fires


def test_all_on_special_needs_a_special_vdev_too() -> None:
    host = pebble("storage: { pools: { tank: { datasets: { home: { all_on_special: true } } } } }")

    assert places(host, "STO019") == ["storage.pools.tank.datasets.home.all_on_special"]


@pytest.mark.parametrize("path", ["/boot", "/tmp", "/proc", "/run"])
def test_a_path_that_is_taken_without_a_dataset_is_refused(path: str) -> None:
    host = tank(f"datasets: {{ x: {{ mountpoint: {path}, snapshots: none }} }}")

    assert places(host, "STO007") == ["storage.pools.tank.datasets.x.mountpoint"]


def test_boot_is_free_on_a_host_without_an_esp() -> None:
    host = pebble(
        "storage: { pools: { tank: { datasets: { x: { mountpoint: /boot, snapshots: none } } } } }"
    )

    assert found(host, "STO007") == []


def test_partitions_may_fill_a_disk_up_to_its_tables() -> None:
    disk = Disk.model_validate(
        {"size": "1GiB", "partitions": {"1": {"size": "1022MiB", "use": "zfs"}}}
    )

    assert space_for(disk) == disk.size


def test_a_partition_begins_at_a_whole_mebibyte() -> None:
    disk = Disk.model_validate(
        {
            "size": "1GiB",
            "partitions": {
                "1": {"size": "1000001B", "use": "zfs"},
                "2": {"size": "1000001B", "use": "zfs"},
            },
        }
    )

    assert space_for(disk) == 4 << 20


def test_the_proposals_special_of_64_gb_is_too_small_for_ember() -> None:
    partition = "{ partitions: { 5: { size: 64GB, use: zfs } } }"
    host = over(
        shipped("ember"), f"storage: {{ disks: {{ nvme-A: {partition}, nvme-B: {partition} }} }}"
    )

    finding = found(host, "STO010")[0]

    assert dotted(finding.place) == "storage.pools.ember.special"
    assert finding.message.startswith(
        "special has 63.9 GB; with 89.4 TB in the pool it takes 308.4 GB of metadata"
    )


def test_embers_own_special_is_large_enough() -> None:
    assert found(shipped("ember"), "STO010") == []


@pytest.mark.parametrize("layout", ["mirror", "raidz1"])
def test_a_vdev_of_two_partitions_of_one_disk_is_found(layout: str) -> None:
    host = tank(f"data: [{{ {layout}: [nvme-A-part3, nvme-A-part4, nvme-B-part3] }}]")

    assert places(host, "STO011") == ["storage.pools.tank.data[0]"]


def test_a_stripe_of_single_disks_is_said_of_each() -> None:
    host = tank("data: [{ disk: ata-WDC_WD40EFRX_1 }, { disk: ata-WDC_WD40EFRX_2 }]")

    assert places(host, "STO012") == [f"storage.pools.tank.data[{index}]" for index in (0, 1)]


def test_a_grandchild_needs_every_dataset_above_it() -> None:
    host = tank("datasets: { home/a/b: { snapshots: none }, home/a: { snapshots: none } }")
    orphan = tank("datasets: { home/a/b: { snapshots: none } }")

    assert found(host, "STO013") == []
    assert places(orphan, "STO013") == ["storage.pools.tank.datasets.home/a/b"]


@pytest.mark.parametrize(
    ("child", "key"),
    [("quota: 2TB", "quota"), ("reservation: 2TB", "reservation"), ("quota: 1TB", "")],
)
def test_a_child_lies_within_the_quota_above_it(child: str, key: str) -> None:
    host = tank(
        "datasets: { home: { quota: 1TB }, home/a: { snapshots: none },"
        f" home/a/b: {{ snapshots: none, {child} }} }}"
    )

    expected = [f"storage.pools.tank.datasets.home/a/b.{key}"] if key else []
    assert places(host, "STO014") == expected


def test_a_spare_is_compared_with_the_smallest_data_disk() -> None:
    host = tank("spares: [ata-WDC_WD40EFRX_3, nvme-A-part3]")

    assert places(host, "STO015") == ["storage.pools.tank.spares[1]"]


def test_a_parents_reservation_covers_its_children() -> None:
    datasets = {
        "a": Dataset(reservation=size("3TB")),
        "a/b": Dataset(reservation=size("1TB")),
        "a/c": Dataset(reservation=size("1TB")),
        "d": Dataset(),
        "d/e": Dataset(reservation=size("2TB")),
        "orphan/f": Dataset(reservation=size("5TB")),
    }

    assert reserved(datasets) == size("10TB")


@pytest.mark.parametrize(("amount", "fires"), [("3.08TB", False), ("3.1TB", True)])
def test_reservations_stop_at_four_fifths(amount: str, *, fires: bool) -> None:
    host = tank(f"datasets: {{ home: {{ reservation: {amount} }} }}")

    assert bool(found(host, "STO017")) is fires


def test_the_stripe_that_a_draid_takes_is_named() -> None:
    names = ", ".join(f"ata-HDD_{index}" for index in range(1, 15))
    host = over(
        shipped("ember"),
        f"storage: {{ pools: {{ ember: {{ data: [{{ draid2: [{names}] }}] }} }} }}",
    )

    finding = found(host, "STO018")[0]

    assert finding.message == "with draid2 every record takes a stripe of 40KiB or more"
    assert finding.hint.startswith("write raidz2")


@pytest.mark.parametrize(("size", "fires"), [("8TB", False), ("8.1TB", True)])
def test_raidz1_is_for_disks_up_to_8_tb(size: str, *, fires: bool) -> None:
    disks = ", ".join(f"ata-X_{index}: {{ size: {size} }}" for index in range(3))
    host = pebble(
        f"storage: {{ disks: {{ {disks} }},"
        " pools: { tank: { data: [{ raidz1: [ata-X_0, ata-X_1, ata-X_2] }] } } }"
    )

    assert bool(found(host, "STO020")) is fires


@pytest.mark.parametrize(("width", "fires"), [(12, False), (13, True)])
def test_a_raidz_has_at_most_twelve_disks(width: int, fires: bool) -> None:  # noqa: FBT001
    names = ", ".join(f"ata-HDD_{index}" for index in range(1, width + 1))
    host = over(
        shipped("ember"),
        f"storage: {{ pools: {{ ember: {{ data: [{{ raidz2: [{names}] }}] }} }} }}",
    )

    assert bool(found(host, "STO020")) is fires


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ("owner: { user: colter }", "owner"),
        ("needed_for_boot: true", "needed_for_boot"),
        ("mountpoint: /x, needed_for_boot: true, mounted_by: zfs", "mounted_by"),
        ("mountpoint: /var/log, mounted_by: zfs", "mounted_by"),
        ("all_on_special: true, small_blocks_on_special: 8KiB", "small_blocks_on_special"),
    ],
)
def test_settings_that_exclude_each_other_are_found(settings: str, key: str) -> None:
    host = tank(f"datasets: {{ x: {{ snapshots: none, {settings} }} }}")

    assert places(host, "STO021") == [f"storage.pools.tank.datasets.x.{key}"]


def test_zfs_may_mount_below_what_the_initrd_mounted() -> None:
    below = "x: { mountpoint: /srv/x, mounted_by: zfs, snapshots: none }"
    host = over(
        shipped("ember"), f"storage: {{ pools: {{ ember: {{ datasets: {{ {below} }} }} }} }}"
    )

    assert found(host, "STO022") == []


def test_nixos_may_not_mount_below_zfs() -> None:
    host = tank(
        "datasets: { home: { mounted_by: zfs },"
        " x: { mountpoint: /srv/home/deep/x, snapshots: none } }"
    )

    assert places(host, "STO022") == ["storage.pools.tank.datasets.x"]


@pytest.mark.parametrize("role", ["special", "log"])
def test_an_hdd_among_the_fast_vdevs_is_found(role: str) -> None:
    host = tank(f"{role}: [{{ mirror: [ata-WDC_WD40EFRX_3, ata-WDC_WD40EFRX_4] }}]")

    assert places(host, "STO024") == [f"storage.pools.tank.{role}[0]"]


@pytest.mark.parametrize("kind", ["mirror", "raidz1", "raidz2", "raidz3", "draid1", "draid3"])
def test_no_rule_stumbles_over_names_that_lead_nowhere(kind: str) -> None:
    names = "[gone-1, gone-1, gone-part2, gone-3-part]"
    host = tank(
        f"data: [{{ {kind}: {names} }}, {{ disk: nvme-A }}], special: [{{ disk: gone-9 }}],"
        " log: [{ disk: nvme-B-part9 }], cache: [gone-8], spares: [nvme-A-part1], ashift: 9,"
        " datasets: { a/b: { mountpoint: /x, reservation: 9TB, quota: 1B } }"
    )

    codes = {finding.code for finding in findings(host)}

    assert {"STO001", "STO002", "STO013", "STO014"} <= codes


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ("/run/media", True),
        ("/dev/shm", True),
        ("/usr/bin", True),
        ("/runs", False),
        ("/usr", False),
    ],
)
def test_nothing_is_mounted_where_the_system_puts_its_own(path: str, *, taken: bool) -> None:
    part = f"datasets: {{ x: {{ mountpoint: {path}, snapshots: daily }} }}"

    assert ("STO007" in codes(pebble(f"storage: {{ pools: {{ tank: {{ {part} }} }} }}"))) is taken


@pytest.mark.parametrize(("second", "fires"), [("400GB", False), ("401GB", True)])
def test_reservations_below_a_quota_fit_in_it_together(second: str, *, fires: bool) -> None:
    datasets = "home: { quota: 1TB }, home/a: { reservation: 600GB, snapshots: daily }, "
    datasets += f"home/b: {{ reservation: {second}, snapshots: daily }}"

    host = pebble(f"storage: {{ pools: {{ tank: {{ datasets: {{ {datasets} }} }} }} }}")

    assert ("STO014" in codes(host)) is fires
