"""What may be spent is never overspent, and never forgotten."""

from collections.abc import Callable
from pathlib import Path

import pytest

from emily_runtime.providers.budget import Budget
from emily_runtime.providers.spending import (
    DOLLAR,
    LIMITS,
    BudgetUnusable,
    Spent,
    Window,
    dollars,
)
from tests.runtime.providers.world import World

SMALL = (Window("hour", 3_600, 100),)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def opened(world: World, in_memory: Path) -> Callable[[], Budget]:
    return lambda: Budget(in_memory / "budget", SMALL, clock=world, boot=str(world.boot))


def stands(budget: Budget) -> tuple[int, int]:
    (balance,) = budget.balances()
    return balance.spent, balance.reserved


def fill(budget: Budget) -> None:
    for _ in range(1_000):
        budget.reserve(0, 30.0)


def test_ten_dollars_an_hour_and_a_hundred_a_day_are_the_limits_unless_told() -> None:
    assert [(limit.name, limit.most) for limit in LIMITS] == [
        ("hour", 10 * DOLLAR),
        ("day", 100 * DOLLAR),
    ]


def test_what_is_set_aside_is_exchanged_for_what_it_did_cost(opened: Callable[[], Budget]) -> None:
    budget = opened()

    reservation = budget.reserve(60, 30.0)

    assert stands(budget) == (0, 60)
    budget.settle(reservation, 25)
    budget.settle(reservation, 25)
    assert stands(budget) == (25, 0)


def test_what_is_set_aside_cannot_be_spent_by_another(opened: Callable[[], Budget]) -> None:
    opened().reserve(60, 30.0)

    with pytest.raises(Spent) as refused:
        opened().reserve(41, 30.0)

    assert refused.value.balance.left == 40
    assert "$0.0001 is set aside" in refused.value.told("en")
    opened().reserve(40, 30.0)


def test_what_is_released_is_free_again(opened: Callable[[], Budget]) -> None:
    budget = opened()

    budget.release(budget.reserve(100, 30.0))

    assert stands(budget) == (0, 0)


def test_a_dead_process_has_spent_all_it_had_set_aside_when_its_time_is_over(
    opened: Callable[[], Budget], world: World
) -> None:
    opened().reserve(60, 30.0)

    world.advance(30)

    assert stands(opened()) == (60, 0)


def test_who_settles_too_late_puts_the_charge_right(
    opened: Callable[[], Budget], world: World
) -> None:
    budget = opened()
    reservation = budget.reserve(60, 30.0)
    world.advance(90)
    assert stands(budget) == (60, 0)

    budget.settle(reservation, 10)

    assert stands(budget) == (10, 0)


def test_an_hour_after_it_was_spent_it_may_be_spent_again(
    opened: Callable[[], Budget], world: World
) -> None:
    budget = opened()
    budget.settle(budget.reserve(100, 30.0), 100)

    world.advance(3_600)
    assert stands(budget) == (100, 0)
    world.advance(60)

    assert stands(budget) == (0, 0)


def test_time_moves_on_however_often_it_is_asked(
    opened: Callable[[], Budget], world: World
) -> None:
    budget = opened()
    budget.settle(budget.reserve(100, 30.0), 100)
    world.advance(3_660 - 40 * 3e-7)

    for _ in range(40):
        world.true_ns += 300
        budget.balances()

    assert stands(budget) == (0, 0)


@pytest.mark.parametrize("years", [-50, 50])
def test_a_clock_that_jumps_changes_nothing(
    opened: Callable[[], Budget], world: World, years: int
) -> None:
    budget = opened()
    budget.settle(budget.reserve(100, 30.0), 100)

    world.skew_ns = years * 31_536_000 * 1_000_000_000

    assert stands(budget) == (100, 0)
    world.advance(3_660)
    assert stands(budget) == (0, 0)


def test_the_time_that_a_machine_was_off_counts(opened: Callable[[], Budget], world: World) -> None:
    opened().reserve(100, 30.0)

    world.reboot(off_seconds=3_700, skew_seconds=0)
    assert stands(opened()) == (100, 0)
    world.reboot(off_seconds=3_700, skew_seconds=0)

    assert stands(opened()) == (0, 0)


def test_what_cost_more_than_was_set_aside_is_told_as_it_is(opened: Callable[[], Budget]) -> None:
    budget = opened()

    budget.settle(budget.reserve(60, 30.0), 130)

    assert stands(budget) == (130, 0)
    with pytest.raises(Spent):
        budget.reserve(1, 30.0)


def test_a_file_that_is_no_database_means_that_nothing_is_spent(tmp_path: Path) -> None:
    file = tmp_path / "budget"
    file.write_bytes(b"not a database, and long enough to be looked at" * 100)

    with pytest.raises(BudgetUnusable) as refused:
        Budget(file, clock=World())

    assert str(file) in refused.value.told("ko")


def test_a_full_disk_means_that_nothing_is_spent_until_there_is_room(
    opened: Callable[[], Budget],
) -> None:
    budget = opened()
    budget._database.execute("PRAGMA max_page_count = 5")

    with pytest.raises(BudgetUnusable, match="EMY-5011"):
        fill(budget)

    budget._database.execute("PRAGMA max_page_count = 1000")
    budget.reserve(60, 30.0)
    assert stands(budget) == (0, 60)


@pytest.mark.parametrize(
    ("microdollars", "text"), [(0, "$0.0000"), (1, "$0.0001"), (12_345_600, "$12.3456")]
)
def test_a_cost_is_never_shown_as_none(microdollars: int, text: str) -> None:
    assert dollars(microdollars) == text
