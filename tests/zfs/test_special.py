"""How full a special vdev gets."""

import pytest

from emily_infra.spec.storage import Pool
from emily_infra.zfs.capacity import capacity
from emily_infra.zfs.special import (
    demands,
    expected_data,
    metadata_share,
    small_block_limit,
)  # fmt: skip
from emily_infra.zfs.table import rows
from tests.hosts import shipped

TB = 10**12


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
    assert [each.small_blocks for each in demands(pinned, found)] == [TB]


def _first_vdev() -> object:
    return shipped("ember").spec.storage.pools["ember"].data[:1]


def test_ember_fits_its_special_vdev_and_the_proposal_did_not() -> None:
    storage = shipped("ember").spec.storage
    found = capacity(storage.pools["ember"], storage.disks)

    assert found
    wanted = sum(each.total for each in demands(storage.pools["ember"], found))
    assert small_block_limit(63_887_638_528) < wanted < small_block_limit(found.special_size)


def test_the_lines_of_the_table_add_up_to_usable() -> None:
    storage = shipped("ember").spec.storage
    found = capacity(storage.pools["ember"], storage.disks)

    assert found
    lines = {row.what: row.amount for row in rows(storage.pools["ember"], found)}
    parts = ("raw", "parity", "padding", "rounding", "embedded log", "slop")
    assert sum(lines[part] for part in parts) == lines["usable"]
    assert {"fits as code", "special", "special metadata"} <= set(lines)
