"""A recorded run comes out the same, bit for bit, and what does not is named."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emily_runtime.config import Config
from emily_runtime.memory.sqlite.store import SqliteStore
from emily_runtime.messages import Refused
from emily_runtime.mind import records
from emily_runtime.mind.body import Measures
from emily_runtime.mind.cycle import Deed, Heard
from emily_runtime.mind.records import Habits
from emily_runtime.mind.replay import replay
from emily_runtime.mind.runtime import Parts, Runtime
from emily_runtime.mind.situation import Action, Result
from emily_runtime.mind.stimulus import Recalled, Stimulus
from emily_runtime.mind.stream import Stream
from emily_runtime.nerves.bus import Bus, Message
from emily_runtime.nerves.clock import RealClock, VirtualClock
from emily_runtime.nerves.record import Ending, recording
from emily_runtime.providers.budget import Budget
from tests.runtime.mind.runtimes import Parrot, asked, running

CONFIG = Config(file=Path("runtime.toml"))
Recorded = list[tuple[str, Any]]
step = st.tuples(
    st.floats(0.001, 3),
    st.sampled_from(["why?", "the disk fails", "all is well", ""]),
    st.lists(st.floats(-5, 5), max_size=5),
    st.floats(0, 1),
)


def run(steps: list[tuple[float, str, list[float], float]]) -> tuple[Stream, Recorded]:
    """A run, and what a recorder on the bus has written of it."""
    clock = VirtualClock(1.7e9)
    bus = Bus(clock)
    stream = Stream(CONFIG, bus, clock, seed=7)
    with bus.subscribe() as reader:
        stream.begin()
        for seconds, text, signals, load in steps:
            clock.advance(seconds)
            stream.hear(Heard(Stimulus(text, tuple(signals)), (Recalled("1", "tea", load),)))
            turn = stream.beat(Measures(clock.wall(), pressure=load))
            if choice := turn.thought.choice:
                if choice.action is Action.LOOK:
                    stream.remind([Recalled("2", "the disk fails", 0.9)])
                else:
                    belief = tuple(choice.belief.tolist())
                    stream.settle(Deed(choice.action, Result.BAD, belief, choice.hoped))
        said = [(one.topic, one.payload) for one in reader.read().items]
    return stream, [(topic, msgspec.json.decode(msgspec.json.encode(one))) for topic, one in said]


@settings(max_examples=40, deadline=None)
@given(st.lists(step, min_size=1, max_size=30))
def test_a_recorded_run_is_repeated_bit_for_bit(
    steps: list[tuple[float, str, list[float], float]],
) -> None:
    stream, recorded = run(steps)

    again = replay(recorded)

    assert again.divergence is None
    assert again.digest == records.digest(stream.mind)
    assert again.cycles == len(steps)


def test_a_changed_input_is_found_at_its_place() -> None:
    _, recorded = run([(0.5, "why?", [0.5], 0.1), (0.5, "the disk fails", [-0.5], 0.1)])
    place = next(at for at, (topic, _) in enumerate(recorded) if topic == records.CYCLED)
    recorded[place][1]["measures"][1] += 1e-15

    found = replay(recorded).divergence

    assert found
    assert (found.place, found.topic) == (place, records.CYCLED)


def test_a_recording_without_its_beginning_is_refused() -> None:
    _, recorded = run([(0.5, "why?", [], 0.0)])

    with pytest.raises(Refused, match="EMY-7090"):
        replay(recorded[1:])


def test_a_broken_record_is_refused() -> None:
    with pytest.raises(Refused, match="EMY-7091"):
        replay([(records.BEGUN, {"version": 1})])


def test_habits_outlive_a_run() -> None:
    habits = Habits((0.2,) * 5, ((0.7,) * 5,) * 24)
    clock = VirtualClock()

    stream = Stream(CONFIG, Bus(clock), clock, habits=habits)

    assert Habits.of(stream.mind) == habits


def test_whoever_waits_for_a_cycle_is_told_of_it() -> None:
    async def told() -> bool:
        clock = VirtualClock()
        stream = Stream(CONFIG, Bus(clock), clock)
        waiting = stream.next_turn()
        turn = stream.beat(Measures())
        return await waiting is turn

    assert asyncio.run(told())


def test_a_run_on_the_bus_is_replayed_bit_for_bit(tmp_path: Path) -> None:
    async def life() -> None:
        clock = VirtualClock(1.7e9)
        async with running(tmp_path, clock=clock) as runtime:
            for text in ("why?", "disk 3 failed", "all is well"):
                await asked(runtime, clock, text)
            reader = runtime.bus.subscribe(since=-1)
            said = [(one.topic, one.payload) for one in reader.read().items]
        plain = [
            (t, msgspec.json.decode(msgspec.json.encode(p))) for t, p in said if t in records.KINDS
        ]

        again = replay(plain)

        assert again.divergence is None
        assert again.records == len(plain) > 10

    asyncio.run(life())


def test_a_recording_is_replayed_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "run"

    async def life() -> None:
        clock = RealClock()
        budget = Budget(tmp_path / "budget.sqlite", clock=clock)
        parts = Parts(SqliteStore(tmp_path), Parrot(), budget)
        runtime = Runtime(Config(), clock, tmp_path, parts)
        runtime.record_to = file
        await runtime.start()
        await runtime.stimulate(Stimulus("why?"))
        await runtime.stop()

    asyncio.run(life())
    written = recording(file)

    again = replay((one.topic, one.payload) for one in written if isinstance(one, Message))

    assert written.ending is Ending.WHOLE
    assert again.divergence is None
    assert again.cycles >= 1
