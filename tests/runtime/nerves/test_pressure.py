"""Up at once, down slowly, never to and fro; and no action can hold the ladder up."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emily_runtime.nerves.clock import VirtualClock
from emily_runtime.nerves.pressure import (
    Change,
    Ladder,
    Rules,
    Rung,
    Standing,
    give_back,
    moved,
)
from emily_runtime.nerves.psi import Stall, Stalls

RULES = Rules()
SEEN = st.lists(st.tuples(st.floats(0, 100), st.floats(0.1, 8.0)), max_size=60)
"""Per cent stalled, and how many seconds after the look before."""


@given(SEEN)
def test_it_stands_where_the_worst_of_late_put_it(seen: list[tuple[float, float]]) -> None:
    standing, at = Standing(), 0.0
    for stalled, seconds in seen:
        at += seconds
        before, standing = standing, moved(RULES, standing, stalled, at)

        due = sum(stalled >= rise for rise in RULES.rises)
        assert standing.level >= due
        if standing.level > before.level:
            assert standing.level == due
        if standing.level < before.level:
            assert standing.level == before.level - 1
            assert stalled < RULES.leaves(before.level)
            assert before.calm_since is not None
            assert at - before.calm_since >= RULES.hold


@given(st.integers(1, 4), st.data())
def test_between_entering_and_leaving_nothing_moves(level: int, data: st.DataObject) -> None:
    above = RULES.rises[level] if level < 4 else 100.0
    between = st.floats(RULES.leaves(level), above, exclude_max=True)
    standing = Standing(level)
    for second in range(30):
        standing = moved(RULES, standing, data.draw(between), float(second))

    assert standing == Standing(level)


def test_after_the_pressure_it_comes_all_the_way_down_rung_by_rung() -> None:
    standing, levels = Standing(), []
    for second in range(60):
        standing = moved(RULES, standing, 80.0 if second == 0 else 0.0, float(second))
        levels.append(standing.level)

    assert [levels.index(level) for level in (4, 3, 2, 1, 0)] == [0, 11, 21, 31, 41]


@pytest.mark.parametrize(
    "rules",
    [{"release": 1.0}, {"hold": -1.0}, {"period": 0.0}],
)
def test_rules_that_lead_nowhere_are_refused(rules: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="lead nowhere"):
        Rules(**rules)  # type: ignore[arg-type]


@pytest.mark.parametrize("rises", [(5.0, 5.0, 30.0, 50.0), (0.0, 1.0, 2.0, 3.0)])
def test_rungs_that_do_not_rise_are_refused(rises: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match="have to rise, and are"):
        Rules(rises)


class _Scene:
    """A ladder over rungs that note what is done."""

    def __init__(self, rungs: dict[int, Rung] | None = None) -> None:
        self.clock = VirtualClock()
        self.stalled = 0.0
        self.done: list[str] = []
        self.told: list[Change] = []
        noted = [self._noting(level) for level in range(1, 5)]
        self.ladder = Ladder(
            self.clock,
            [(rungs or {}).get(level, noted[level - 1]) for level in range(1, 5)],
            self._look,
            self.told.append,
        )

    def _look(self) -> Stalls:
        stall = Stall(self.stalled, 0.0, 0.0, 0)
        return Stalls(stall, stall)

    def _noting(self, level: int) -> Rung:
        async def enter() -> None:
            self.done.append(f"+{level}")

        async def leave() -> None:
            self.done.append(f"-{level}")

        return Rung(enter, leave)

    async def at(self, stalled: float, seconds: float) -> None:
        self.stalled = stalled
        await self.clock.elapse(seconds)


def _run(scene: _Scene, act: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        task = asyncio.create_task(scene.ladder.run())
        await act()
        task.cancel()

    asyncio.run(run())


def test_every_rung_is_entered_on_the_way_up_and_left_on_the_way_down() -> None:
    scene = _Scene()

    async def act() -> None:
        await scene.at(20.0, 4.0)
        await scene.at(60.0, 4.0)
        await scene.at(0.0, 60.0)

    _run(scene, act)

    assert scene.done == ["+1", "+2", "+3", "+4", "-4", "-3", "-2", "-1"]
    codes = [f"EMY-70{code}" for code in ("09", "10", "11", "12", *["13"] * 4)]
    assert [change.code for change in scene.told] == codes
    assert [change.level for change in scene.told] == [1, 2, 3, 4, 3, 2, 1, 0]


def test_every_step_says_how_it_is_undone() -> None:
    scene = _Scene()

    _run(scene, lambda: scene.at(20.0, 4.0))

    message = scene.told[1].message("en")
    assert message.text == "memory is short (20.0 % stalled), level 2 of 4: cold memory shrinks"
    assert message.action.startswith("ends by itself below 7.5 % for 10.0 s")


def test_an_action_that_fails_is_told_of_and_the_others_go_on() -> None:
    async def fails() -> None:
        raise OSError("no space")

    scene = _Scene({2: Rung(fails, fails)})

    _run(scene, lambda: scene.at(60.0, 4.0))

    assert scene.done == ["+1", "+3", "+4"]
    assert [change.reason for change in scene.told if change.reason] == ["OSError: no space"]


def test_an_action_that_hangs_holds_up_only_its_own_rung() -> None:
    done: list[str] = []
    free = asyncio.Event()

    async def hangs() -> None:
        await free.wait()
        done.append("+1")

    async def leave() -> None:
        done.append("-1")

    scene = _Scene({1: Rung(hangs, leave)})

    async def act() -> None:
        await scene.at(20.0, 4.0)
        await scene.at(0.0, 60.0)
        assert scene.ladder.level == 0
        assert done == []
        free.set()
        await scene.clock.elapse(0.0)

    _run(scene, act)

    assert scene.done == ["+2", "-2"]
    assert done == ["+1", "-1"]


def test_a_jump_of_the_clock_brings_it_down_one_rung_at_most() -> None:
    scene = _Scene()

    async def act() -> None:
        await scene.at(60.0, 4.0)
        scene.stalled = 0.0
        await scene.clock.elapse(2.0)
        scene.clock.advance(86_400.0)
        await scene.clock.elapse(0.0)
        assert scene.ladder.level == 3

    _run(scene, act)


def test_an_alarm_is_worth_the_first_rung() -> None:
    async def run() -> list[str]:
        scene = _Scene()
        scene.ladder.take(0.0, has_rung=True)
        await scene.clock.elapse(0.0)
        return scene.done

    assert asyncio.run(run()) == ["+1"]


def test_giving_memory_back_harms_nothing() -> None:
    give_back()
