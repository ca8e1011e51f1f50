"""What apply does about pools and datasets, and what it leaves to a person."""

from dataclasses import replace
from typing import Any

import pytest

from emily_infra.observe import Observation
from emily_infra.observe.answer import Gap
from emily_infra.observe.pools import Dataset, Property
from emily_infra.plan import Hazard, Step
from emily_infra.plan.storage import foreign, steps
from emily_infra.spec.host import Host
from emily_infra.zfs.properties import wanted
from tests.hosts import pebble, shipped
from tests.plan.machines import GIB, running

HOME = wanted(
    pebble().spec.storage.pools["tank"].datasets["home"], pebble().spec.storage.pools["tank"]
)


def dataset(part: str) -> Host:
    return pebble(f"storage: {{ pools: {{ tank: {{ datasets: {{ home: {part} }} }} }} }}")


def needed(new: Host, seen: Observation | None = None) -> list[Step]:
    return list(steps(new.spec, seen or running(pebble())))


def with_datasets(*more: Dataset, **of_home: Any) -> Observation:
    seen = running(pebble())
    root, home = seen.pools[0].datasets
    pool = replace(seen.pools[0], datasets=(root, replace(home, **of_home), *more))
    return replace(seen, pools=(pool,))


def test_pools_as_described_need_nothing() -> None:
    for name in ("ember", "pebble"):
        assert needed(shipped(name), running(shipped(name))) == []


def test_a_missing_dataset_is_made_with_everything_that_host_yaml_settles() -> None:
    media = "storage: { pools: { tank: { datasets: { media: { mountpoint: /m, quota: 1TB } } } } }"

    (step,) = needed(pebble(media))

    assert step.hazard is Hazard.SAFE
    assert step.commands == ((
        "zfs", "create", "-p", "-o", "compression=zstd", "-o", "mountpoint=legacy",
        "-o", "quota=1000000000000", "-o", "recordsize=128K", "tank/media",
    ),)  # fmt: skip


def test_parents_are_made_before_children() -> None:
    more = pebble("storage: { pools: { tank: { datasets: { b/c: {}, b: {} } } } }")

    assert [step.title for step in needed(more)] == [
        "create dataset tank/b",
        "create dataset tank/b/c",
    ]


def test_a_record_size_counts_for_new_data_only_and_can_be_set_back() -> None:
    (step,) = needed(dataset("{ recordsize: 1MiB }"))

    assert step.commands == (("zfs", "set", "recordsize=1M", "tank/home"),)
    assert step.undo == "zfs set recordsize=128K tank/home"
    assert "from now on" in step.why


def test_what_was_inherited_is_undone_by_inheriting_again() -> None:
    seen = with_datasets(properties={})

    (step,) = needed(dataset("{ compression: lz4 }"), seen)

    assert step.undo == "zfs inherit compression tank/home"


def test_a_quota_below_what_is_there_is_refused_before_zfs_does() -> None:
    (step,) = needed(dataset("{ quota: 1GB }"), with_datasets(used=5 * GIB))

    assert step.hazard is Hazard.IMPOSSIBLE
    assert "5.4 GB" in step.why


def test_a_reservation_beyond_the_pool_is_refused_before_zfs_does() -> None:
    (step,) = needed(dataset("{ reservation: 9TB }"), with_datasets(used=0, available=GIB))

    assert step.hazard is Hazard.IMPOSSIBLE


def test_another_mountpoint_disturbs_whoever_uses_it() -> None:
    (step,) = needed(dataset("{ mounted_by: zfs }"))

    assert step.hazard is Hazard.DISRUPTIVE
    assert step.commands == (("zfs", "set", "mountpoint=/srv/home", "tank/home"),)


def test_what_somebody_has_set_is_taken_back_where_host_yaml_leaves_it_alone() -> None:
    seen = with_datasets(
        values={**HOME, "recordsize": "1048576"},
        properties={"recordsize": Property("1048576", "local")},
    )
    root = replace(seen.pools[0].datasets[0], values={"recordsize": "131072"})
    seen = replace(
        seen, pools=(replace(seen.pools[0], datasets=(root, seen.pools[0].datasets[1])),)
    )

    (default,), (written,) = (
        needed(dataset(part), seen) for part in ("{}", "{ recordsize: 128KiB }")
    )

    assert default.commands == (("zfs", "inherit", "recordsize", "tank/home"),)
    assert default.undo == "zfs set recordsize=1M tank/home"
    assert written.commands == (("zfs", "set", "recordsize=128K", "tank/home"),)


def test_what_is_to_be_mounted_nowhere_is_not_mounted_by_hand_either() -> None:
    nowhere = pebble(
        "storage: { pools: { tank: { datasets: { home: { mountpoint: null, owner: null } } } } }"
    )
    legacy = with_datasets()
    by_hand = with_datasets(values={**HOME, "mountpoint": "/home"})

    assert needed(nowhere, legacy) == []
    (step,) = needed(nowhere, by_hand)
    assert step.hazard is Hazard.DISRUPTIVE
    assert step.commands == (("zfs", "set", "mountpoint=none", "tank/home"),)


def test_a_child_that_only_inherited_what_it_should_have_gets_its_own() -> None:
    below = pebble(
        "storage: { pools: { tank: { datasets: "
        "{ home: { recordsize: 1MiB }, home/small: { recordsize: 128KiB } } } } }"
    )
    home = running(pebble()).pools[0].datasets[1]
    child = replace(home, name="tank/home/small", properties={})
    values = {**HOME, "mountpoint": "none"}

    found = needed(below, with_datasets(replace(child, values=values)))

    assert [step.commands[0] for step in found] == [
        ("zfs", "set", "recordsize=1M", "tank/home"),
        ("zfs", "set", "recordsize=128K", "tank/home/small"),
    ]


def test_who_inherits_without_being_named_is_told_of() -> None:
    home = running(pebble()).pools[0].datasets[1]
    seen = with_datasets(replace(home, name="tank/home/old", properties={}))

    (step,) = needed(dataset("{ recordsize: 1MiB }"), seen)

    assert "tank/home/old inherits it" in step.why


def test_room_is_given_back_before_a_quota_shrinks_and_taken_after_one_has_grown() -> None:
    now = {**HOME, "quota": str(8 * GIB), "reservation": str(8 * GIB)}
    seen = with_datasets(used=GIB, values=now)

    found = needed(dataset("{ quota: 4GiB, reservation: 2GiB }"), seen)
    back = needed(
        dataset("{ quota: 8GiB, reservation: 8GiB }"),
        with_datasets(
            used=GIB, values={**HOME, "quota": str(4 * GIB), "reservation": str(2 * GIB)}
        ),
    )

    assert [step.commands[0][2] for step in found] == ["reservation=2G", "quota=4G"]
    assert [step.commands[0][2] for step in back] == ["quota=8G", "reservation=8G"]


def test_a_dataset_that_lies_under_another_name_is_not_hidden_by_an_empty_one() -> None:
    home = running(pebble()).pools[0].datasets[1]
    renamed = replace(home, name="tank/people")
    seen = with_datasets(renamed)
    pool = replace(seen.pools[0], datasets=(seen.pools[0].datasets[0], renamed))
    seen = replace(seen, pools=(pool,), mounts=(("tank/people", "/srv/home", "zfs"),))

    (step,) = needed(pebble(), seen)

    assert step.hazard is Hazard.IMPOSSIBLE
    assert "zfs rename tank/people tank/home" in step.why


def test_a_new_dataset_beside_an_unknown_one_is_asked_about_and_made() -> None:
    home = running(pebble()).pools[0].datasets[1]
    seen = with_datasets(replace(home, name="tank/old"))

    (step,) = needed(pebble("storage: { pools: { tank: { datasets: { new: {} } } } }"), seen)

    assert step.hazard is Hazard.SAFE
    assert "zfs rename tank/old tank/new" in step.why


@pytest.mark.parametrize(
    ("above", "why"),
    [({"kind": "volume"}, "tank/home is a volume"),
     ({"values": {**HOME, "keystatus": "unavailable"}}, "zfs load-key tank/home")],
)  # fmt: skip
def test_nothing_is_made_below_what_takes_no_children(above: dict[str, Any], why: str) -> None:
    below = pebble("storage: { pools: { tank: { datasets: { home/inside: {} } } } }")

    found = needed(below, with_datasets(**above))

    assert {step.hazard for step in found} == {Hazard.IMPOSSIBLE}
    assert any(why in step.why for step in found)


def test_small_blocks_wait_for_the_special_vdev() -> None:
    special = (
        "storage: { disks: { nvme-A: &n { size: 500GB, media: ssd }, nvme-B: *n }, pools: { tank: "
        "{ special: [{ mirror: [nvme-A, nvme-B] }], "
        "datasets: { home: { small_blocks_on_special: 8KiB } } } } }"
    )

    found = needed(pebble(special))

    assert [step.hazard for step in found] == [Hazard.IMPOSSIBLE] * 2
    assert "once the pool has its special vdev" in found[1].why


def test_a_missing_pool_is_explained_and_never_made() -> None:
    (step,) = needed(pebble(), replace(running(pebble()), pools=()))

    assert step.hazard is Hazard.DESTRUCTIVE
    assert not step.hazard.runs
    assert step.commands[0][-4:] == (
        "tank", "mirror",
        "/dev/disk/by-id/ata-WDC_WD40EFRX_1", "/dev/disk/by-id/ata-WDC_WD40EFRX_2",
    )  # fmt: skip


def test_a_machine_that_could_not_tell_of_its_pools_is_not_said_to_have_none() -> None:
    seen = replace(running(pebble()), pools=(), gaps=(Gap("pools", "no answer in time"),))

    assert needed(pebble(), seen) == []


def test_datasets_that_could_not_be_listed_are_not_made() -> None:
    seen = running(pebble())
    seen = replace(seen, pools=(replace(seen.pools[0], datasets=()),))

    assert needed(pebble(), seen) == []


def test_a_disk_that_is_not_described_is_told() -> None:
    seen = running(pebble())
    others = running(shipped("ember")).pools[0].vdevs
    pool = replace(seen.pools[0], vdevs=(*seen.pools[0].vdevs, *others))

    found = needed(pebble(), replace(seen, pools=(pool,)))

    assert found
    assert all(step.offered for step in found)
    assert any("tank has mirror nvme-A-part3" in step.title for step in found)


def test_a_disk_is_known_by_any_of_its_names() -> None:
    seen = running(pebble())
    mirror = seen.pools[0].vdevs[0]
    first = replace(mirror.children[0], path="/dev/sda1")
    pool = replace(seen.pools[0], vdevs=(replace(mirror, children=(first, mirror.children[1])),))
    names = {"sda1": ("ata-WDC_WD40EFRX_1-part1", "wwn-0x5-part1")}

    assert needed(pebble(), replace(seen, pools=(pool,), device_names=names)) == []


def test_a_disk_that_is_being_replaced_still_belongs_there() -> None:
    seen = running(pebble())
    mirror = seen.pools[0].vdevs[0]
    fresh = replace(mirror.children[0], path="/dev/disk/by-id/ata-new-part1")
    both = replace(
        mirror, kind="replacing", name="replacing-0", children=(mirror.children[0], fresh)
    )
    pool = replace(seen.pools[0], vdevs=(replace(mirror, children=(both, mirror.children[1])),))

    assert needed(pebble(), replace(seen, pools=(pool,))) == []


def test_another_ashift_is_for_life() -> None:
    seen = running(pebble())
    pool = replace(seen.pools[0], properties={"ashift": Property("9", "local")})

    (step,) = needed(pebble(), replace(seen, pools=(pool,)))

    assert step.title == "tank has ashift 9, not 12"


def test_what_host_yaml_does_not_name_is_listed_and_left_alone() -> None:
    home = running(pebble()).pools[0].datasets[1]
    seen = with_datasets(replace(home, name="tank/old"))
    seen = replace(seen, pools=(*seen.pools, replace(seen.pools[0], name="usb")))

    assert list(foreign(pebble().spec, seen)) == ["filesystem tank/old", "pool usb"]
    assert needed(pebble(), seen) == []
