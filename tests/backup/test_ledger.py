"""What is remembered of copies, and what becomes of it when it is lost."""

from datetime import UTC, datetime, timedelta

import pytest

from emily_infra.backup import ledger, state
from emily_infra.backup.ledger import Copy, Counted, Ledger, Running, Taken, agreed, judged
from tests.backup.world import World

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
FULL = Counted(files=100, bytes=1000)


def copy(name: str, day: int, **more: object) -> Copy:
    time = NOON + timedelta(days=day)
    data = {"id": name, "origin": name, "time": time, "ended": time, "verdict": "good"}
    data |= {"counted": FULL, **more}
    return Copy.model_validate(data)


def running(day: int, **more: object) -> Running:
    time = NOON + timedelta(days=day)
    snapshots = {"tank/a": Taken(name="emily-x", guid=7, creation=time)}
    return Running.model_validate({"time": time, "snapshots": snapshots, "began": time, **more})


def test_a_ledger_is_read_as_it_was_written(world: World) -> None:
    written = Ledger(running=running(2, lacking=("tank/b",))).having(copy("a", 1))

    ledger.save(world.here(), "shed", written)

    assert ledger.load(world.here(), "shed") == written


@pytest.mark.parametrize("content", [{"copies": "none"}, {"unknown": 1}])
def test_a_ledger_of_another_shape_is_no_reason_to_stop(
    world: World, content: dict[str, object]
) -> None:
    state.write(ledger.path(world.here(), "shed"), content)

    assert ledger.load(world.here(), "shed") == Ledger()


def test_the_newest_good_copy_is_found_behind_partial_ones() -> None:
    found = Ledger(copies=(copy("a", 1), copy("b", 2, verdict="partial")))

    assert found.newest == found.copies[1]
    assert found.good == found.copies[0]


def test_what_the_repository_forgot_is_forgotten() -> None:
    found = agreed(Ledger(copies=(copy("a", 1), copy("b", 2))), [copy("b", 2)])

    assert [each.id for each in found.copies] == ["b"]


def test_a_copy_of_a_killed_run_is_taken_over_with_its_snapshots() -> None:
    found = agreed(Ledger(copies=(copy("a", 1),), running=running(2)), [copy("a", 1), copy("b", 2)])

    assert found.good is not None
    assert found.good.id == "b"
    assert found.good.snapshots["tank/a"].guid == 7
    assert found.running is None


@pytest.mark.parametrize("more", [{"unreadable": 1}, {"lacking": ("tank/b",)}])
def test_a_killed_run_that_had_seen_trouble_left_no_good_copy(more: dict[str, object]) -> None:
    found = agreed(Ledger(running=running(2, **more)), [copy("b", 2)])

    assert found.copies[0].verdict == "partial"


def test_a_ledger_that_was_lost_comes_back_from_the_repository() -> None:
    there = [copy("b", 2, verdict="partial"), copy("a", 1)]

    found = agreed(Ledger(), there)

    assert [each.id for each in found.copies] == ["a", "b"]
    assert found.good == there[1]


def test_a_copy_that_is_taken_over_is_judged_as_any_other() -> None:
    small = copy("b", 2, counted=Counted(files=10, bytes=1000))

    assert agreed(Ledger(), [copy("a", 1), small]).copies[1].verdict == "shrunk"


@pytest.mark.parametrize(
    ("files", "size", "verdict"),
    [(80, 800, "good"), (79, 1000, "shrunk"), (100, 799, "shrunk"), (0, 0, "shrunk")],
)
def test_a_fifth_may_go_without_a_word(files: int, size: int, verdict: str) -> None:
    assert judged(Counted(files=files, bytes=size), copy("a", 1), unread=0) == verdict


def test_a_first_copy_without_a_file_is_not_good_where_there_should_be_some() -> None:
    nothing = Counted()

    assert judged(nothing, None, unread=0, blank=True) == "shrunk"
    assert judged(nothing, copy("a", 1, counted=nothing), unread=0, blank=True) == "good"
    assert judged(nothing, None, unread=0) == "good"


def test_what_could_not_be_read_makes_a_copy_partial_whatever_its_size() -> None:
    assert judged(FULL, copy("a", 1), unread=1) == "partial"


def test_a_copy_that_was_tagged_is_still_the_same_copy() -> None:
    there = copy("a2", 1, origin="a", verdict="partial")

    found = agreed(Ledger(copies=(copy("a", 1, verdict="shrunk"),)), [there])

    assert [(each.id, each.verdict) for each in found.copies] == [("a2", "shrunk")]


def test_no_more_copies_are_remembered_than_are_useful() -> None:
    found = Ledger()
    for day in range(ledger.REMEMBERED + 5):
        found = found.having(copy(str(day), day))

    assert len(found.copies) == ledger.REMEMBERED
    assert found.first == NOON


def test_a_copy_that_a_wrong_clock_dated_ahead_is_not_the_newest_for_years() -> None:
    ahead, now = copy("a", 3000), NOON + timedelta(days=2)
    after = copy("b", 1, verdict="partial")

    kept = Ledger(copies=(ahead,)).having(after)
    found = agreed(Ledger(), [ahead, copy("b", 1)], now)

    assert kept.newest == after
    assert [each.id for each in found.copies] == ["a", "b"]
    assert found.newest
    assert found.newest.id == "b"
