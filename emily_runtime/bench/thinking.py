"""Rows 1 and 10: the reflex, and the whole cycle beside the sum of its tiers."""

import asyncio
from collections.abc import Callable
from functools import partial
from statistics import median
from time import perf_counter_ns
from typing import NamedTuple

from emily_runtime.bench.row import Row, by_the_clock, in_turn, ratio
from emily_runtime.mind.body import Measures, demand
from emily_runtime.mind.cycle import Choice, Heard, Instant, Mind, arrive, cycle, newborn
from emily_runtime.mind.settings import Settings
from emily_runtime.mind.situation import Action, Result, Situation, outcome
from emily_runtime.mind.stimulus import Recalled, Stimulus
from emily_runtime.nerves.bus import Bus
from emily_runtime.nerves.clock import RealClock
from emily_runtime.tiers import alpha, substrate, workspace
from emily_runtime.tiers.allostasis import learned, predicted
from emily_runtime.tiers.inference.expected import decide
from emily_runtime.tiers.inference.model import perceive, predict
from emily_runtime.tiers.modulation import modulation
from emily_runtime.tiers.reflex import Rule, match, reflexes

STIMULI = 20_000
CYCLES = 400
STATED_MS = 50.0
TABLE = reflexes(
    Rule(f"rule{number}", "reply", frozenset({f"word{number}", "now"})) for number in range(50)
)
TEXTS = tuple(f"please do word{number} for me now" for number in range(64))


def rows() -> list[Row]:
    """Both."""
    return [_reflex(), _whole("10a", FAR), _whole("10b", NEAR)]


def _reflex() -> Row:
    direct = _p95(lambda number: match(TABLE, TEXTS[number % 64], 1.0))
    by_bus = asyncio.run(_by_bus())
    held = direct <= 20 and by_bus <= 200 and STATED_MS * 1000 / by_bus >= 250
    return Row(
        "1",
        f"reflex, p95 of {STIMULI:,} by the wall clock",
        f"{by_bus:.1f} µs through the bus",
        f"{direct:.1f} µs called directly",
        f"{STATED_MS * 1000 / by_bus:,.0f} under the stated 50 ms",
        "200 µs, 20 µs, 250",
        by_the_clock(held=held),
    )


def _p95(work: Callable[[int], object]) -> float:
    """Microseconds."""
    times = []
    for number in range(STIMULI):
        begin = perf_counter_ns()
        work(number)
        times.append(perf_counter_ns() - begin)
    return sorted(times)[STIMULI * 95 // 100] / 1000


async def _by_bus() -> float:
    """Microseconds from a stimulus on the bus to the reflex on the bus."""
    bus = Bus(RealClock())
    stimuli, found = bus.subscribe("stimulus"), bus.subscribe("reflex")

    async def tier() -> None:
        while True:
            await stimuli.wait()
            for message in stimuli.read().items:
                bus.publish("reflex", match(TABLE, message.payload, 1.0), message.trace)

    task, times = asyncio.create_task(tier()), []
    for number in range(STIMULI):
        begin = perf_counter_ns()
        bus.publish("stimulus", TEXTS[number % 64])
        await found.wait()
        found.read()
        times.append(perf_counter_ns() - begin)
    task.cancel()
    return sorted(times)[STIMULI * 95 // 100] / 1000


SETTINGS = Settings()
SOURCES = 64
"""Who speaks, each in turn; one who spoke in every cycle would soon not be heard."""
FAR, NEAR = 0.005, 0.2
"""Cosines of memories that fall silent at once, and of such as compete for some cycles."""
SIGNALS = tuple(0.1 * place for place in range(1, 11))
SEEN = outcome(Situation.QUESTION + 1, Result.NEUTRAL)


class Step(NamedTuple):
    """What the tiers were given in one cycle, and what was chosen."""

    heard: Heard
    phase: float
    before: Mind
    """With the items that wait."""
    moment: workspace.Moment
    choice: Choice


def heard(score: float) -> list[Heard]:
    """A stimulus of each source, with twenty memories of this cosine."""
    found = tuple(Recalled(f"{place}", f"memory {place}", score) for place in range(20))
    said = "why is the pool slow?"
    return [Heard(Stimulus(said, SIGNALS, source=f"s{n}"), found) for n in range(SOURCES)]


def _whole(number: str, score: float) -> Row:
    said = heard(score)
    steps = recorded(said)
    times = in_turn({"ours": partial(_cycles, said), "sum": partial(_tiers, steps)})
    found = ratio(times["ours"], times["sum"])
    ours, whole = (median(times[name]) / CYCLES * 1e6 for name in ("ours", "sum"))
    policies = len(SETTINGS.policies[steps[-1].choice.horizon - 1].actions)
    rivals = median(
        len(step.before.waiting) + len(step.before.workspace.preconscious) for step in steps
    )
    return Row(
        number,
        f"stimulus to action, {rivals:.0f} candidates, {policies} policies",
        f"{ours:.0f} µs",
        f"{whole:.0f} µs, the tiers called one by one",
        f"{found} of the sum",
        "100 µs; 1.3 of the sum",
        min(times["ours"]) / CYCLES <= 1e-4 and found.least <= 1.3,
    )


def recorded(said: list[Heard]) -> list[Step]:
    """The cycles that are measured; each of them ends in an action."""
    mind, steps = newborn(SETTINGS), []
    for number in range(CYCLES):
        now, one = Instant(number / 8, number), said[number % SOURCES]
        before, arrival = arrive(SETTINGS, mind, one, now)
        mind, thought = cycle(SETTINGS, before, Measures(), now)
        assert thought.choice, "what is measured is the way to an action"
        moment = workspace.Moment(now.time, SETTINGS.alpha.capacity, mind.setting.gain)
        steps.append(Step(one, arrival.phase, before, moment, thought.choice))
    return steps


def _cycles(said: list[Heard]) -> None:
    mind = newborn(SETTINGS)
    for number in range(CYCLES):
        now = Instant(number / 8, number)
        mind, _ = arrive(SETTINGS, mind, said[number % SOURCES], now)
        mind, _ = cycle(SETTINGS, mind, Measures(), now)


def _tiers(steps: list[Step]) -> None:
    """The same tiers on the same input, with nothing between them."""
    by = SETTINGS
    for one, phase, before, moment, choice in steps:
        fired = alpha.gate(by.alpha, one.stimulus.signals, phase)
        items = [workspace.Item(before.arrived - 21, one.stimulus.source, fired[0].output)]
        for place, found in enumerate(one.recalled, before.arrived - 20):
            items.append(workspace.Item(place, found.identity, found.score))
        body, wanted = before.body, demand(Measures(), before.echo)
        drive = substrate.drive(by.substrate, body.levels, wanted)
        levels = substrate.advance(by.pace.one, body.levels, drive)
        levels = substrate.adjust(by.substrate, by.pace.one, levels, predicted(body.forecast, 0.0))
        learned(body.forecast, 0.0, wanted)
        modulation(levels.shown)
        workspace.cycle(by.workspace, before.workspace, before.waiting, moment)
        perceive(by.model, predict(by.model, before.belief, Action.LOOK), SEEN)
        decide(by.model, by.policies[choice.horizon - 1], choice.belief, choice.precision)
