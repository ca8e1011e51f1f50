"""A fused chain does what its stages do one by one, and loses one message to a failure at most."""

import asyncio
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emily_runtime.nerves.bus import Bus
from emily_runtime.nerves.clock import VirtualClock
from emily_runtime.nerves.components import Component
from emily_runtime.nerves.fusion import Carries, Stage, fused, source
from emily_runtime.nerves.pipeline import BATCH, Unit, overhead
from emily_runtime.nerves.supervise import Incident, Patience, Supervisor
from emily_runtime.nerves.topology import organise

STAGES: dict[str, Stage] = {
    "plus one": lambda number: number + 1,
    "twice": lambda number: number * 2,
    "odd only": lambda number: number if number % 2 else None,
    "nothing": lambda _: None,
    "to zero": lambda _: 0,
}
CHOSEN = st.lists(st.sampled_from(sorted(STAGES)), min_size=1, max_size=6)


def _one_by_one(stages: list[Stage], items: list[int]) -> list[Any]:
    results: list[Any] = list(items)
    for stage in stages:
        results = [result for item in results if (result := stage(item)) is not None]
    return results


@given(CHOSEN, st.lists(st.integers(), max_size=30))
def test_fused_stages_give_what_they_give_one_by_one(names: list[str], items: list[int]) -> None:
    stages = [STAGES[name] for name in names]
    results: list[Any] = []

    fused(stages)(items, results.append)

    assert results == _one_by_one(stages, items)


def test_a_stage_that_raises_costs_its_item_only() -> None:
    results: list[float] = []
    divide = fused([lambda number: 6 / number])
    items = iter([1, 0, 2, 0, 3])

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            divide(items, results.append)
    divide(items, results.append)

    assert results == [6.0, 3.0, 2.0]


def test_the_generated_code_names_nothing_that_anybody_named() -> None:
    assert source(2, Carries.ITEMS) == (
        "def bind(stage_0, stage_1):\n"
        "    def fused(batch, emit):\n"
        "        for item in batch:\n"
        "            if (value := stage_0(item)) is not None"
        " and (value := stage_1(value)) is not None:\n"
        "                emit(value)\n"
        "    return fused\n"
    )


def _part(name: str, consumes: str, produces: str, stage: Stage) -> Component:
    return Component(name, frozenset({consumes}), frozenset({produces}), stage)


def _worked(parts: list[Component], payloads: list[Any]) -> tuple[list[Any], list[Incident]]:
    """What is said on topic `out`, with its traces, when PAYLOADS are said on topic `in`."""

    async def run() -> tuple[list[Any], list[Incident]]:
        clock = VirtualClock()
        bus = Bus(clock, slots=4096)
        told: list[Incident] = []
        supervisor = Supervisor(clock, told.append)
        out = bus.subscribe("out")
        for chain in organise(parts).chains:
            supervisor.start(chain.name, Unit(bus, chain).run, Patience(most=1_000_000))
        for number, payload in enumerate(payloads):
            bus.publish("in", payload, f"trace {number}")
        await clock.elapse(1e9)
        await supervisor.stop()
        return [(message.trace, message.payload) for message in out.read().items], told

    return asyncio.run(run())


def test_a_chain_carries_the_trace_through() -> None:
    parts = [
        _part("double", "in", "middle", STAGES["twice"]),
        _part("add", "middle", "out", STAGES["plus one"]),
    ]

    said, told = _worked(parts, [1, 2])

    assert said == [("trace 0", 3), ("trace 1", 5)]
    assert told == []


def test_messages_that_a_stage_chokes_on_are_lost_alone_and_told_of() -> None:
    number = 3 * BATCH
    bad = {0, 1, BATCH - 1, BATCH, 2 * BATCH + 7, number - 1}
    payloads = [0 if at in bad else 1 for at in range(number)]

    said, told = _worked([_part("divide", "in", "out", lambda one: 6 / one)], payloads)

    assert [trace for trace, _ in said] == [f"trace {at}" for at in range(number) if at not in bad]
    assert [incident.reason for incident in told] == ["ZeroDivisionError: division by zero"] * 6


def test_a_loop_of_components_goes_round_until_a_stage_ends_it() -> None:
    def decay(number: int) -> int | None:
        return number - 1 if number > 1 else None

    parts = [
        Component("sense", frozenset({"in", "back"}), frozenset({"out"}), STAGES["plus one"]),
        _part("decay", "out", "back", lambda number: decay(number - 1)),
    ]

    said, _ = _worked(parts, [3])

    assert [payload for _, payload in said] == [4, 3, 2]


def test_the_overhead_of_chains_is_a_share_of_all_their_time() -> None:
    bus = Bus(VirtualClock())
    chains = organise(
        [_part("a", "x", "y", STAGES["nothing"]), _part("b", "v", "w", STAGES["twice"])]
    )
    quick, slow = (Unit(bus, chain) for chain in chains.chains)
    quick.around_ns, quick.in_stages_ns = 100, 100
    slow.in_stages_ns = 800

    assert overhead([quick, slow]) == overhead([slow, quick]) == 0.1
    assert math.isnan(overhead([]))
