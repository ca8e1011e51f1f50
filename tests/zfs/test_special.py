"""How full a special vdev gets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emily_infra.spec.storage import Pool
from emily_infra.zfs.capacity import Capacity, capacity, predict
from emily_infra.zfs.special import (
    FINE,
    Spill,
    demands,
    expected_data,
    metadata_share,
    small_block_limit,
    spills,
)  # fmt: skip
from tests.hosts import shipped
from tests.zfs.measured import mirror, on_disks, on_files, raidz

TB = 10**12
sizes = st.integers(1 << 10, 1 << 20)
"""MiB."""


def pool(**datasets: str | dict[str, object]) -> Pool:
    """A pool of one mirror; a dataset is its quota or its settings."""
    return Pool.model_validate(
        {
            "data": ({"mirror": ("disk-1", "disk-2")},),
            "datasets": {
                name.replace("_", "/"): {"mountpoint": f"/{name}"}
                | ({"quota": value} if isinstance(value, str) else value)
                for name, value in datasets.items()
            },
        }
    )


@pytest.mark.parametrize(
    ("record", "low", "high"),
    [
        (8 << 10, 0.0115, 0.0115),
        (16 << 10, 0.0054, 0.0062),
        (128 << 10, 0.0006, 0.0007),
        (1 << 20, 0.0003, 0.0007),
    ],
)
def test_metadata_is_what_was_measured(record: int, low: float, high: float) -> None:
    share = metadata_share(record)

    assert (share.low / 1e6, share.high / 1e6) == (low, high)


def test_larger_records_never_need_more_metadata() -> None:
    shares = [metadata_share(1 << power).high for power in range(9, 25)]

    assert shares == sorted(shares, reverse=True)


def test_small_blocks_stop_at_three_quarters() -> None:
    assert small_block_limit(63_887_638_528) == 47_915_728_896


def test_datasets_without_quota_share_the_room_evenly() -> None:
    shares = expected_data(pool(a={}, b={}, c={}, d={}), 100 * TB)

    assert shares == dict.fromkeys("abcd", 25 * TB)


def test_what_a_quota_holds_back_goes_to_the_others() -> None:
    shares = expected_data(pool(a="10TB", b={}, c="40TB", d={}), 100 * TB)

    assert shares == {"a": 10 * TB, "b": 30 * TB, "c": 30 * TB, "d": 30 * TB}


def test_a_child_holds_no_more_than_its_parents_quota() -> None:
    shares = expected_data(pool(a="1TB", a_b={}, c={}), 100 * TB)

    assert shares == {"a": TB, "a/b": TB, "c": 98 * TB}


def test_a_dataset_that_is_mounted_nowhere_holds_nothing() -> None:
    shares = expected_data(pool(a={"mountpoint": None}, b={}), 100 * TB)

    assert shares == {"b": 100 * TB}


def test_a_dataset_pinned_to_special_brings_all_its_data() -> None:
    pinned = pool(a={"all_on_special": True, "quota": "1TB"})
    disks = shipped("ember").spec.storage.disks
    found = capacity(pinned.model_copy(update={"data": _first_vdev()}), disks)

    assert found
    assert [each.small_blocks for each in demands(pinned, found.comfortable)] == [TB]


def _first_vdev() -> object:
    return shipped("ember").spec.storage.pools["ember"].data[:1]


def test_ember_fits_its_special_vdev_and_the_proposal_did_not() -> None:
    storage = shipped("ember").spec.storage
    found = capacity(storage.pools["ember"], storage.disks)

    assert found
    wanted = sum(each.total for each in demands(storage.pools["ember"], found.comfortable))
    assert small_block_limit(63_887_638_528) < wanted < small_block_limit(found.special_size)


def forecast(special: int) -> Capacity:
    """Two raidz2 vdevs of seven 12 TB disks, and a special mirror of so many bytes."""
    return predict(on_disks(raidz(2, 7), 2), on_files(mirror(2), 1, special))


def test_the_special_vdev_of_the_proposal_overflows_long_before_the_pool_is_full() -> None:
    # 64 GB carry the metadata of 10 to 12 TB of 16K records: measured. Small blocks stop earlier.
    small = pool(code={"recordsize": "16KiB", "small_blocks_on_special": "8KiB"})

    early, late = spills(small, forecast(64 * 10**9))

    assert early.small_blocks
    assert early.metadata
    assert late.metadata
    assert 4 * TB < early.small_blocks < early.metadata < late.metadata < 12 * TB


def test_metadata_alone_spills_where_it_was_measured_to() -> None:
    plain = pool(code={"recordsize": "16KiB"})

    early, late = spills(plain, forecast(64 * 10**9))

    assert early.metadata
    assert late.metadata
    assert early.metadata == pytest.approx(10.3 * TB, rel=0.01)
    assert late.metadata == pytest.approx(11.8 * TB, rel=0.01)
    assert early.small_blocks is None


def test_a_large_special_vdev_never_overflows() -> None:
    media = pool(media={"recordsize": "1MiB", "small_blocks_on_special": "32KiB"})

    assert spills(media, forecast(10**12)) == (Spill(None, None), Spill(None, None))


def test_a_quota_keeps_the_special_vdev_from_overflowing() -> None:
    def early(**settings: object) -> Spill:
        asked = pool(code={"recordsize": "16KiB", **settings}, media={"recordsize": "1MiB"})
        return spills(asked, forecast(200 * 10**9))[0]

    assert early().metadata
    assert early(quota="10TB").metadata is None


@given(sizes, sizes)
def test_a_larger_special_vdev_overflows_later(one: int, other: int) -> None:
    asked = pool(code={"recordsize": "16KiB", "small_blocks_on_special": "8KiB"})
    never = 200 * TB

    smaller, larger = (
        spills(asked, forecast(size))[0] for size in sorted((one << 20, other << 20))
    )

    step = 112 * TB // FINE  # as fine as the moment is found
    assert (smaller.small_blocks or never) <= (larger.small_blocks or never) + step
    assert (smaller.metadata or never) <= (larger.metadata or never) + step


def test_two_thousand_datasets_are_divided_in_no_time() -> None:
    many = pool(**{f"d{index}": f"{index + 1}GB" for index in range(2_000)})

    shares = expected_data(many, 3_000 * TB)

    assert sum(shares.values()) == sum(range(2_001)) * 10**9
