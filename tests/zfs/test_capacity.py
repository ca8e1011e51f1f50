"""The forecast against real pools, to the byte where bytes were noted."""

from collections.abc import Sequence

import pytest

from emily_infra.spec.storage import Pool
from emily_infra.zfs.capacity import capacity, predict, slop_space
from emily_infra.zfs.vdev import Top
from tests.hosts import over, pebble, shipped
from tests.zfs.measured import (
    DISK,
    RATIOS,
    RETAIL_DISK,
    ROUNDED,
    SIZES,
    TB,
    TO_THE_BYTE,
    Rounded,
    ToTheByte,
    draid,
    mirror,
    on_disks,
    on_files,
    raidz,
)  # fmt: skip


def every(rows: Sequence[ToTheByte | Rounded]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", rows, ids=[row.name for row in rows])


@every(TO_THE_BYTE)
def test_available_and_used_are_right_to_the_byte(row: ToTheByte) -> None:
    smallest = row.tops[0].charged(512)

    predicted = predict(row.tops).available

    assert predicted == row.available + row.used_blocks * smallest


@every([row for row in TO_THE_BYTE if row.size])
def test_the_size_that_zpool_list_shows_is_right_to_the_byte(row: ToTheByte) -> None:
    assert predict(row.tops).size == row.size


@pytest.mark.parametrize(("name", "tops", "size"), SIZES)
def test_the_size_of_a_raidz1_is_right_to_the_byte(name: str, tops: list[Top], size: int) -> None:
    assert predict(tops).size == size, name


@every(ROUNDED)
def test_available_is_right_in_every_digit_that_was_noted(row: Rounded) -> None:
    found = predict(row.tops)

    assert f"{found.available / TB:.2f}" == row.terabytes
    assert found.available / found.raw == pytest.approx(float(row.share_of_raw), abs=0.0006)


@pytest.mark.parametrize(("layout", "share"), RATIOS)
def test_the_deflate_ratio_is_what_the_pools_showed(layout: object, share: str) -> None:
    ratio = on_disks(layout)[0].ratio  # type: ignore[arg-type]

    assert ratio / 512 == pytest.approx(float(share), abs=0.001)


def test_the_proposal_promised_seven_per_cent_too_much() -> None:
    found = predict(on_disks(raidz(2, 7), 2))

    assert found.available / (2 * 5 * DISK) - 1 == pytest.approx(-0.069, abs=0.0005)
    assert found.fits(1 << 20) * 0.8 / TB == pytest.approx(95, rel=0.01)


def test_draid_costs_what_was_measured_and_not_what_was_said() -> None:
    two_raidz2 = predict(on_disks(raidz(2, 7), 2)).available

    costs = [two_raidz2 - predict(on_disks(draid(2, 5, 14, s))).available for s in (0, 1)]

    assert [f"{cost / TB:.1f}" for cost in costs] == ["2.3", "10.1"]


def test_a_disk_of_the_retail_size_gives_no_byte_more() -> None:
    round_size = predict(on_disks(raidz(2, 7), 2, DISK))
    retail = predict(on_disks(raidz(2, 7), 2, RETAIL_DISK))

    assert (retail.size, retail.available) == (round_size.size, round_size.available)


def test_a_small_special_vdev_changes_available_only_through_its_log_metaslab() -> None:
    # Measured on 2.4.4 with a special mirror of 64 GB: 111,743,574,138,880, of which 712,704 bytes
    # were then allocated on special; ZFS adds those to `available` and `used`. The rest is ours:
    # the forecast without special, and 512 MiB less slop for the log metaslab on special.
    special = on_files(mirror(2), 1, 64 * 10**9)

    found = predict(on_disks(raidz(2, 7), 2), special)

    assert found.special_size == 63_887_638_528
    assert found.available == 111_743_574_138_880 - 712_704
    assert found.available == predict(on_disks(raidz(2, 7), 2)).available + (512 << 20)


def test_ember_holds_what_the_measured_pool_holds() -> None:
    # Its special has 600 GB, whose metaslabs are 4 GiB: slop is lower by that much.
    storage = shipped("ember").spec.storage

    found = capacity(storage.pools["ember"], storage.disks)

    assert found
    assert found.available == predict(on_disks(raidz(2, 7), 2)).available + (4 << 30)
    assert f"{found.available / TB:.2f} {found.available / 2**40:.2f}" == "111.75 101.63"


def test_a_partition_is_used_as_it_is_and_a_disk_is_partitioned_first() -> None:
    storage = shipped("ember").spec.storage

    found = capacity(storage.pools["rpool"], storage.disks)

    assert found
    assert found.available == predict(on_files(mirror(2), 1, 240 << 30)).available


@every(ROUNDED)
def test_the_bytes_of_the_disks_add_up(row: Rounded) -> None:
    found = predict(row.tops)
    overhead = found.parity + found.padding + found.rounding + found.embedded_log + found.slop

    assert found.raw == overhead + found.available
    assert min(found.parity, found.padding, found.rounding, found.slop) >= 0


def test_a_member_that_nobody_declared_gives_no_forecast() -> None:
    storage = pebble("storage: { pools: { tank: { data: [{ disk: ata-nowhere }] } } }").spec.storage

    assert capacity(storage.pools["tank"], storage.disks) is None


def test_a_pool_survives_what_its_weakest_vdev_survives() -> None:
    storage = shipped("ember").spec.storage
    weak = capacity(storage.pools["ember"], storage.disks)
    without = over(shipped("ember"), "storage: { pools: { ember: { special: [] } } }").spec.storage
    strong = capacity(without.pools["ember"], without.disks)

    assert weak
    assert strong
    assert (weak.failures_survived, strong.failures_survived) == (1, 2)


@pytest.mark.parametrize("ashift", range(9, 17))
@pytest.mark.parametrize("size", [64 << 20, 1 << 30, 100 * 10**9, 12 * TB, 9_000 * TB])
@pytest.mark.parametrize("kind", ["mirror", "raidz1", "raidz2", "raidz3", "draid1", "draid3"])
def test_every_well_formed_pool_has_a_forecast(kind: str, size: int, ashift: int) -> None:
    names = [f"disk-{index}" for index in range(5)]
    pool = Pool.model_validate({"data": ({kind: tuple(names)},), "ashift": ashift})
    disks = (
        type(shipped("ember").spec.storage)
        .model_validate({"disks": {name: {"size": f"{size}B"} for name in names}})
        .disks
    )

    found = capacity(pool, disks)

    assert found
    assert 0 <= found.available <= found.raw
    assert found.fits(512) <= found.fits(16 << 20) <= found.raw


def test_slop_is_a_thirty_second_less_the_log_but_never_under_half_of_it() -> None:
    assert slop_space(3200 << 30, 0) == 100 << 30
    assert slop_space(3200 << 30, 16 << 30) == 84 << 30
    assert slop_space(3200 << 30, 90 << 30) == 50 << 30
    assert slop_space(100 << 40, 0) == 128 << 30
    assert slop_space(1 << 30, 0) == 128 << 20
    assert slop_space(100 << 20, 0) == 50 << 20
