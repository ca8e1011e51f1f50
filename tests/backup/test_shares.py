"""Which share of a repository is read when."""

from datetime import UTC, datetime, timedelta

import pytest

from emily_infra.backup.shares import Shares, from_data

DAY = timedelta(days=1)
BEGIN = datetime(2026, 3, 1, 3, tzinfo=UTC)


def after(days: int, of: int = 4, skip: frozenset[int] = frozenset()) -> tuple[Shares, list[int]]:
    """So many nights, without those that were missed."""
    shares, turns = Shares(of, BEGIN), []
    for day in sorted(set(range(days)) - skip):
        turns.append(shares.next())
        shares = shares.clean(turns[-1], BEGIN + day * DAY)
    return shares, turns


def test_every_share_has_its_turn() -> None:
    assert after(9)[1] == [1, 2, 3, 4, 1, 2, 3, 4, 1]


def test_after_missed_runs_it_goes_on_with_the_one_that_waits_longest() -> None:
    shares, turns = after(8, skip=frozenset({2, 3, 4}))

    assert turns == [1, 2, 3, 4, 1]
    assert shares.oldest == BEGIN + DAY


def test_what_was_never_read_waits_since_the_beginning() -> None:
    assert after(3)[0].oldest == BEGIN
    assert after(4)[0].oldest == BEGIN


def test_a_damaged_share_comes_first_until_it_is_clean() -> None:
    shares = after(4)[0].broken(3, ("ab" * 32,))

    assert shares.next() == 3
    assert not shares.clean(3, BEGIN + 9 * DAY).damaged


def test_after_a_share_that_stays_damaged_the_others_have_their_turn() -> None:
    shares, turns = after(4)[0].broken(3, ("ab" * 32,)), []
    for day in range(4, 8):
        turns.append(shares.next([shares.next()]))
        shares = shares.clean(turns[-1], BEGIN + day * DAY)

    assert turns == [1, 2, 4, 1]


def test_what_was_lost_waits_since_the_first_copy() -> None:
    assert from_data(None, 4, BEGIN + 9 * DAY, BEGIN).oldest == BEGIN
    assert from_data(None, 4, BEGIN, BEGIN + 9 * DAY).oldest == BEGIN


def test_it_is_remembered_as_it_was() -> None:
    shares = after(3)[0].broken(2, ("ab" * 32,))

    assert from_data(shares.as_data(), 4, BEGIN + 9 * DAY) == shares


@pytest.mark.parametrize("data", [None, {}, {"of": "x"}, {"of": 4, "since": 3}, {"read": []}])
def test_what_was_lost_begins_anew(data: dict[str, object] | None) -> None:
    assert from_data(data, 4, BEGIN) == Shares(4, BEGIN)


def test_other_shares_begin_anew_and_wait_as_long_as_the_old_ones() -> None:
    shares = from_data(after(4)[0].as_data(), 8, BEGIN + 9 * DAY)

    assert (shares.of, shares.oldest, shares.next()) == (8, BEGIN, 1)


def test_a_time_from_a_clock_that_was_ahead_counts_as_now() -> None:
    shares = Shares(1, BEGIN).clean(1, BEGIN + 1000 * DAY)

    assert from_data(shares.as_data(), 1, BEGIN + DAY).oldest == BEGIN + DAY


def test_with_another_number_of_shares_a_damage_is_only_over_once_all_are_clean() -> None:
    damaged = after(4)[0].broken(3, ("ab" * 32,))

    shares = from_data(damaged.as_data(), 2, BEGIN + 9 * DAY)

    assert (sorted(shares.damaged), shares.errors) == ([1, 2], 2)
    assert shares.clean(1, BEGIN).errors == 1
    assert shares.clean(1, BEGIN).clean(2, BEGIN).errors == 0
