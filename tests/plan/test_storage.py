"""What apply does about pools and datasets, and what it leaves to a person."""

from dataclasses import replace
from typing import Any

from emily_infra.observe import Observation
from emily_infra.observe.answer import Gap
from emily_infra.observe.pools import Dataset, Property
from emily_infra.plan import Hazard, Step
from emily_infra.plan.storage import foreign, steps
from emily_infra.spec.host import Host
from tests.hosts import pebble, shipped
from tests.plan.machines import GIB, running


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

    assert {step.hazard for step in found} == {Hazard.IMPOSSIBLE}
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
