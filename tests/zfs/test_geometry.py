"""What a record costs, and how a vdev is cut into metaslabs."""

import pytest

from emily_infra.zfs.capacity import predict
from emily_infra.zfs.geometry import (
    GIB,
    MIB,
    Block,
    leaf_size,
    metaslab_shift,
    whole_disk_partition,
)
from tests.zfs.measured import (
    RAW_PER_RECORD,
    TB,
    USED_PER_LOGICAL,
    draid,
    mirror,
    on_disks,
    raidz,
)  # fmt: skip


@pytest.mark.parametrize("record", RAW_PER_RECORD)
def test_a_record_on_raidz2_takes_its_parity_and_its_padding(record: int) -> None:
    taken = raidz(2, 7).block(record).sectors << 12

    assert taken / record == pytest.approx(RAW_PER_RECORD[record], abs=0.001)


@pytest.mark.parametrize("record", USED_PER_LOGICAL)
def test_used_grows_as_measured_within_two_per_cent(record: int) -> None:
    top = on_disks(raidz(2, 7))[0]

    assert top.charged(record) / record == pytest.approx(USED_PER_LOGICAL[record], rel=0.02)


@pytest.mark.parametrize(
    ("record", "terabytes"),
    [(4, 55.4), (8, 55.6), (16, 111.2), (128, 111.7), (1024, 119.2), (4096, 119.7)],
)
def test_what_fits_depends_on_the_recordsize(record: int, terabytes: float) -> None:
    found = predict(on_disks(raidz(2, 7), 2))

    assert found.fits(record << 10) / TB == pytest.approx(terabytes, rel=0.02)


def test_a_sector_on_raidz2_costs_three_and_needs_no_padding() -> None:
    assert raidz(2, 7).block(4096) == Block(data=1, parity=2, padding=0)
    assert raidz(2, 7).block(8192) == Block(data=2, parity=2, padding=2)


def test_a_small_record_on_draid_pays_for_the_whole_stripe() -> None:
    assert draid(2, 8, 14, 0).block(4096) == Block(data=1, parity=2, padding=7)


def test_a_record_smaller_than_a_sector_takes_the_sector() -> None:
    assert mirror(2).block(512) == Block(data=1, parity=0, padding=0)


@pytest.mark.parametrize(
    ("top", "shift"),
    [
        (100 * MIB, 24),
        (16 * (512 * MIB) - 1, 29),
        (16 * (512 * MIB), 29),
        (100 * GIB, 29),
        (200 * (512 * MIB), 29),
        (201 * (512 * MIB), 30),
        (84 * TB, 34),
        (2 << 50, 34),
        (4 << 50, 36),
    ],
)
def test_metaslabs_are_few_but_not_too_large(top: int, shift: int) -> None:
    assert metaslab_shift(top) == shift


def test_a_whole_disk_loses_its_partition_tables_and_a_leaf_its_labels() -> None:
    assert whole_disk_partition(12 * TB) == 11_999_989_760_000 // MIB * MIB
    assert leaf_size(64 * MIB) == 64 * MIB - 4 * MIB - 512 * 1024


def test_what_is_too_small_to_hold_anything_holds_nothing() -> None:
    assert (whole_disk_partition(1 * MIB), leaf_size(1 * MIB)) == (0, 0)
