"""Resilvers and odds, against formulas of others and against common sense."""

from math import log1p
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emily_infra.zfs.capacity import predict
from emily_infra.zfs.geometry import KIB, MIB, Layout
from emily_infra.zfs.odds import AFR, WAIT, YEAR, at_least, outlook
from emily_infra.zfs.prospect import LEFT_OUT, assumptions, chance, duration, prospect
from emily_infra.zfs.resilver import DAY, LINEAR, SMALL_RECORDS, Span, allocated, resilver
from tests.zfs.measured import TB, draid, mirror, on_disks, on_files, raidz

layouts = st.one_of(
    st.builds(mirror, st.integers(2, 5)),
    st.integers(1, 3).flatmap(lambda p: st.builds(raidz, st.just(p), st.integers(p + 1, 14))),
    st.builds(lambda s, d: draid(2, d, 14, s), st.integers(0, 2), st.integers(1, 9)),
)
records = st.sampled_from([4 * KIB, 16 * KIB, 128 * KIB, MIB])


def test_a_mirror_is_filled_at_the_pace_of_its_disks() -> None:
    top = on_disks(mirror(2))[0]

    found = resilver(top, 128 * KIB)

    assert found
    assert found.best == pytest.approx(0.8 * 12e12 / LINEAR["hdd"].best / DAY, rel=0.01)


def test_small_records_on_raidz_take_days_that_large_ones_do_not() -> None:
    top = on_disks(raidz(2, 7))[0]

    small, large = resilver(top, 16 * KIB), resilver(top, MIB)

    assert small
    assert large
    assert small.best == large.best
    assert small.worst == pytest.approx(0.8 * 12e12 / SMALL_RECORDS["hdd"] / DAY, rel=0.01)
    assert small.worst > 2 * large.worst


def test_a_distributed_spare_is_written_by_all_disks_at_once() -> None:
    spare, whole = (resilver(on_disks(draid(2, 5, 14, s))[0], MIB) for s in (1, 0))

    assert spare
    assert whole
    assert spare.worst == pytest.approx(whole.worst * 6 / 13 * 13 / 14, rel=0.01)


def test_nothing_replaces_a_disk_of_a_stripe() -> None:
    assert resilver(on_disks(mirror(1))[0], MIB) is None


@given(layouts, records)
def test_a_range_begins_with_its_better_end(shape: Layout, record: int) -> None:
    found = outlook(predict(on_disks(shape)), record, 0)

    spans = (found.resilver, found.lost_in_resilver, found.damaged_in_resilver, found.lost_in_year)
    for span in spans:
        assert span
        assert 0 <= span.best <= span.worst
        assert span.worst <= (1 if span is not found.resilver else 100)


@given(layouts, records, st.integers(1, 5))
def test_larger_disks_take_longer_and_are_less_safe(shape: Layout, record: int, times: int) -> None:
    small = outlook(predict(on_files(shape)), record, 0)
    large = outlook(predict(on_files(shape, 1, 4 * TB * times)), record, 0)

    assert small.resilver
    assert large.resilver
    assert large.resilver >= small.resilver
    assert large.lost_in_year >= small.lost_in_year


@given(st.integers(4, 14), records)
def test_more_parity_is_safer_and_more_vdevs_are_not(width: int, record: int) -> None:
    def year(parity: int, count: int) -> Span:
        return outlook(predict(on_disks(raidz(parity, width), count)), record, 0).lost_in_year

    assert year(3, 1) < year(2, 1) < year(1, 1)
    assert year(2, 1) < year(2, 2)


def test_a_spare_shortens_the_time_without_redundancy() -> None:
    found = predict(on_disks(raidz(1, 5)))

    with_spare, without = (outlook(found, MIB, spares) for spares in (1, 0))

    assert with_spare.resilver == without.resilver
    assert with_spare.lost_in_year < without.lost_in_year


def test_a_spare_of_the_data_does_not_stand_in_for_special() -> None:
    found = predict(on_disks(raidz(3, 14)), on_files(mirror(2)))

    assert outlook(found, MIB, 1).lost_in_year > outlook(predict(found.tops), MIB, 1).lost_in_year


def test_one_parity_disk_gives_what_mttdl_gives() -> None:
    # R. Elling, A story of two MTTDL models: MTTDL[1] = MTBF^2 / (N (N - 1) MTTR).
    top = on_disks(raidz(1, 5))[0]
    days = resilver(top, MIB)
    assert days
    mtbf = -YEAR / log1p(-AFR["hdd"].best)
    mttdl = mtbf**2 / (5 * 4 * (days.best + WAIT.best))

    found = outlook(predict([top]), MIB, 0).lost_in_year.best

    assert found == pytest.approx(YEAR / mttdl, rel=0.01)


def test_two_parity_disks_give_what_angus_gives() -> None:
    # J. E. Angus 1988: MTBF_system = MTTF / (k C(n, k)) (MTTF / MTTR)^(n - k).
    top = on_disks(raidz(2, 7))[0]
    days = resilver(top, MIB)
    assert days
    mtbf = -YEAR / log1p(-AFR["hdd"].best)
    system = mtbf / (5 * 21) * (mtbf / (days.best + WAIT.best)) ** 2

    found = outlook(predict([top]), MIB, 0).lost_in_year.best

    assert found == pytest.approx(YEAR / system, rel=0.01)


def test_a_game_of_dice_agrees() -> None:
    dice, rounds = Random(4), 20_000

    hits = sum(sum(dice.random() < 0.2 for _ in range(6)) >= 2 for _ in range(rounds))

    assert hits / rounds == pytest.approx(at_least(2, 6, 0.2), rel=0.03)


def test_reading_one_disk_of_twelve_terabytes_by_the_data_sheet() -> None:
    top = on_disks(mirror(2))[0]

    found = outlook(predict([top]), MIB, 0).damaged_in_resilver

    assert found
    assert found.best == pytest.approx(8 * allocated(top) * 1e-15, rel=0.05)


def test_a_stripe_has_only_the_odds_of_its_disks() -> None:
    found = outlook(predict(on_disks(mirror(1), 14)), MIB, 0)

    assert (found.resilver, found.lost_in_resilver, found.damaged_in_resilver) == (None, None, None)
    assert found.lost_in_year.worst == pytest.approx(1 - 0.96**14)


@pytest.mark.parametrize(
    ("odds", "text"),
    [
        (1.0, "certain"), (0.512, "51 %"), (0.0341, "3.4 %"), (0.0041, "1 in 240"),
        (1 / 2345, "1 in 2,300"), (1 / 99_999, "1 in 100,000"), (1e-10, "under 1 in a billion"),
        (0.0, "under 1 in a billion"),
    ],
)  # fmt: skip
def test_odds_are_told_with_two_digits(odds: float, text: str) -> None:
    assert chance(odds) == text


@pytest.mark.parametrize(
    ("days", "text"),
    [
        (Span(0.6, 5.6), "0.6 to 5.6 days"), (Span(10.2, 20.4), "10 to 20 days"),
        (Span(0.25, 1.1), "6.0 to 26 hours"), (Span(0.001, 0.035), "1.4 to 50 minutes"),
        (Span(0, 0), "0.0 minutes"),
    ],
)  # fmt: skip
def test_time_is_told_in_units_that_a_person_would_choose(days: Span, text: str) -> None:
    assert duration(days) == text


def test_every_estimate_comes_with_what_it_assumes_and_leaves_out() -> None:
    found = predict(on_disks(raidz(2, 7)))

    told = " ".join(assumptions([found], 16 * KIB))
    facts = dict(prospect(found, outlook(found, 16 * KIB, 0)))

    assert "80 % full" in told
    assert "0.5 % to 4.0 % fail in a year" in told
    assert "190 to 20 MB/s" in told
    assert told.endswith(LEFT_OUT)
    assert facts["resilver"] == "0.6 to 5.6 days, healed record by record"
