"""The running mind: reflexes at once, one deed for a cycle, and memory of what was said."""

import asyncio
import math
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest

from emily_runtime.config import read
from emily_runtime.memory.sqlite.store import SqliteStore
from emily_runtime.messages import Refused
from emily_runtime.mind.planning import Tables, Wanted
from emily_runtime.mind.runtime import Runtime
from emily_runtime.mind.stimulus import Stimulus
from emily_runtime.mind.wishes import Facet, Wish
from emily_runtime.nerves.clock import VirtualClock
from emily_runtime.tiers.refusals import Refusal
from tests.runtime.mind.runtimes import PING, Parrot, asked, lived, running


def test_a_reflex_answers_before_anything_else(tmp_path: Path) -> None:
    voice = Parrot()

    async def life(runtime: Runtime) -> None:
        reply = await runtime.stimulate(Stimulus("ping, please"))

        assert (reply.tier, reply.words, reply.reflex) == ("reflex", "pong", "ping")
        assert reply.episode == ""

    lived(tmp_path, life, voice)
    assert voice.said == []


def test_a_question_goes_through_all_tiers_and_is_answered(tmp_path: Path) -> None:
    async def life(runtime: Runtime) -> None:
        reply = await runtime.stimulate(Stimulus("why is the pool slow?"))

        assert (reply.tier, reply.action, reply.standing) == ("inference", "answer", "ignited")
        assert reply.words == "why is the pool slow?"
        assert reply.cost_microdollars == 7
        assert reply.plan
        assert 0 <= reply.plan.efe_score <= 1
        assert reply.hypotheses
        assert reply.hypotheses.unique == 5
        assert await runtime.memory.store.get(reply.episode)

    lived(tmp_path, life)


def test_trouble_is_told_to_whoever_listens(tmp_path: Path) -> None:
    async def life(runtime: Runtime) -> None:
        with runtime.bus.subscribe("alert") as reader:
            reply = await runtime.stimulate(Stimulus("disk 3 failed"))

            assert reply.action == "alert"
            assert [one.payload["text"] for one in reader.read().items] == ["disk 3 failed"]

    lived(tmp_path, life)


def test_what_is_unclear_is_looked_up_first_and_then_left(tmp_path: Path) -> None:
    async def life(runtime: Runtime) -> None:
        with runtime.bus.subscribe("beat") as reader:
            reply = await runtime.stimulate(Stimulus("all is well"))
            chosen = [one.payload.action for one in reader.read().items if one.payload.action]

        assert reply.action == "wait"
        assert chosen == ["look", "wait"]

    lived(tmp_path, life)


def test_a_memory_comes_to_mind_and_into_the_answer(tmp_path: Path) -> None:
    async def life(runtime: Runtime) -> None:
        await runtime.remember("the pool is slow because of the scrub")
        reply = await runtime.stimulate(Stimulus("why is the pool slow now?"))

        assert [one.text for one in reply.recalled] == ["the pool is slow because of the scrub"]
        assert reply.words.endswith("because of the scrub")

    lived(tmp_path, life)


def test_what_was_said_before_word_for_word_does_not_come_to_mind(tmp_path: Path) -> None:
    async def life(runtime: Runtime) -> None:
        await runtime.remember("why is the pool slow?")
        reply = await runtime.stimulate(Stimulus("why is the pool slow?"))

        assert reply.recalled == []

    lived(tmp_path, life)


def test_many_at_once_share_a_cycle_and_its_one_deed(tmp_path: Path) -> None:
    voice = Parrot()

    async def life(runtime: Runtime) -> None:
        texts = [f"why is pool {number} slow?" for number in range(12)]
        replies = await asyncio.gather(*(runtime.stimulate(Stimulus(text)) for text in texts))

        ignited = [reply for reply in replies if reply.standing == "ignited"]
        assert {reply.words for reply in ignited} <= set(voice.said)
        assert len(voice.said) < len(ignited)
        assert len({reply.episode for reply in replies}) == 12

    lived(tmp_path, life, voice)


def test_without_words_it_says_why_and_feels_it(tmp_path: Path) -> None:
    voice = Parrot()
    voice.failures = 1

    async def life(runtime: Runtime) -> None:
        reply = await runtime.stimulate(Stimulus("why?"))

        assert reply.degraded
        assert reply.words == ""
        assert reply.why.startswith("EMY-")
        assert 'action="answer",result="bad"' in (await runtime.exposition()).decode()

    lived(tmp_path, life, voice)


def test_it_ticks_on_its_own_and_is_ill_when_it_does_not(tmp_path: Path) -> None:
    async def life() -> None:
        clock = VirtualClock(1.7e9)
        async with running(tmp_path, clock=clock) as runtime:
            await clock.elapse(1.01)
            assert runtime.status().cycles == 8
            assert runtime.healthy() is None

            await runtime.supervisor.stop("tick")
            clock.advance(3)
            assert "3.0 s" in (runtime.healthy() or "")

    asyncio.run(life())


def test_a_day_asleep_and_a_clock_set_back_leave_it_well(tmp_path: Path) -> None:
    async def life() -> None:
        clock = VirtualClock(1.7e9)
        async with running(tmp_path, clock=clock) as runtime:
            clock.advance(86_400)
            await clock.elapse(0.3)
            later = await asked(runtime, clock, "why is the pool slow?")
            clock.set_wall(1.6e9)
            earlier = await asked(runtime, clock, "what is the fan doing?")
            found = await runtime.recall("pool fan")

            assert runtime.healthy() is None
            assert (later.action, earlier.action) == ("answer", "answer")
            assert {one.identity for one in found} == {later.episode, earlier.episode}
            assert all(0 < one.level < 1 for one in runtime.substrate().transmitters)

    asyncio.run(life())


def test_habits_are_kept_over_a_restart_and_damage_is_survived(tmp_path: Path) -> None:
    async def setpoint() -> float:
        async with running(tmp_path) as runtime:
            return runtime.substrate().transmitters[0].setpoint

    asyncio.run(setpoint())
    file = tmp_path / "habits.json"
    file.write_bytes(file.read_bytes().replace(b"0.5", b"0.7", 1))
    assert asyncio.run(setpoint()) == pytest.approx(0.7, abs=0.01)

    file.write_text("{")
    assert asyncio.run(setpoint()) == pytest.approx(0.5, abs=0.01)


def test_a_reload_changes_reflexes_and_names_what_waits(tmp_path: Path) -> None:
    async def life(runtime: Runtime) -> None:
        file = tmp_path / "runtime.toml"
        file.write_text(PING.replace("pong", "yes") + "[bus]\nslots = 64\n")
        waiting = runtime.reload(read(file))

        assert waiting == ("bus.slots",)
        assert (await runtime.stimulate(Stimulus("ping"))).words == "yes"

    lived(tmp_path, life)


def test_attention_orders_signals_and_changes_nothing(tmp_path: Path) -> None:
    async def life(runtime: Runtime) -> None:
        seen = runtime.attend([0.1, -0.9, 0.5], at=1 / 16)

        assert [one.place for one in seen.firing] == [1, 2, 0]
        assert seen.phase == pytest.approx(math.pi)
        assert seen == runtime.attend([0.1, -0.9, 0.5], at=1 / 16)
        with pytest.raises(Refusal):
            runtime.attend([math.nan])

    lived(tmp_path, life)


def test_plans_and_hypotheses_can_be_asked_for(tmp_path: Path) -> None:
    tables = Tables(
        likelihood=[[1.0, 0.0], [0.0, 1.0]],
        transition=[[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]],
        preference=[0.0, 3.0],
        prior=[1.0, 0.0],
        actions=["stay", "go"],
    )

    async def life(runtime: Runtime) -> None:
        for planner in ("policies", "tree"):
            plan = await runtime.plan(Wanted(tables, horizon=1, planner=planner))
            assert plan.action == "go"
        found = await runtime.generate([Facet("a", ("x", "y"), (0.0, 0.0))], Wish(2), seed=1)
        assert found.unique == 2
        with pytest.raises(Refusal):
            await runtime.plan(Wanted(msgspec.structs.replace(tables, prior=[])))

    lived(tmp_path, life)


class Slow(tuple[str, ...]):
    """Values of a facet that cannot be had before they are free."""

    free = threading.Event()

    def __getitem__(self, place: Any) -> Any:
        assert self.free.wait(10)
        return super().__getitem__(place)


def test_it_ticks_on_and_answers_while_hypotheses_are_drawn(tmp_path: Path) -> None:
    slow = Facet("cause", Slow(("x", "y")), (0.0, 0.0))

    async def life(runtime: Runtime) -> None:
        drawing = asyncio.create_task(runtime.generate([slow], Wish(2)))
        reply = await runtime.stimulate(Stimulus("why is the pool slow?"))
        assert not drawing.done()
        Slow.free.set()

        assert reply.tier == "inference"
        assert (await drawing).unique == 2

    lived(tmp_path, life)


def test_its_parts_say_who_hears_whom_and_loop_where_they_feed_back(tmp_path: Path) -> None:
    async def life(runtime: Runtime) -> None:
        assert any({"actor", "cycle"} <= set(loop) for loop in runtime.topology().cycles)

    lived(tmp_path, life)


def test_what_may_be_spent_is_shown_in_dollars(tmp_path: Path) -> None:
    async def life(runtime: Runtime) -> None:
        windows = {one.name: one.left_dollars for one in runtime.budget().windows}

        assert windows == {"hour": 10.0, "day": 100.0}

    lived(tmp_path, life)


def test_in_the_end_nothing_is_left_open_to_a_provider(tmp_path: Path) -> None:
    voice = Parrot()

    async def life(_: Runtime) -> None:
        assert voice.is_open

    lived(tmp_path, life, voice=voice)

    assert not voice.is_open


def test_a_task_that_fails_starts_again_and_what_that_took_is_measured(tmp_path: Path) -> None:
    async def life(runtime: Runtime) -> None:
        async def fail_once() -> None:
            if not runtime.supervisor.health()[0].restarts:
                raise OSError("gone")
            await asyncio.Event().wait()

        runtime.supervisor.start("a part", fail_once)
        await asyncio.sleep(0.01)

        metrics = (await runtime.exposition()).decode()
        assert 'emily_restarts_total{component="a part"} 1.0' in metrics
        assert "emily_recovery_seconds_count 1.0" in metrics

    lived(tmp_path, life)


class Untidy(SqliteStore):
    """It cannot be tidied now."""

    asked = 0

    async def tidy(self) -> None:
        self.asked += 1
        raise Refused("EMY-4001", folder="here", reason="busy")


def test_memory_is_tidied_and_that_it_cannot_be_is_no_illness(tmp_path: Path) -> None:
    store = Untidy(tmp_path)

    async def life() -> None:
        async with running(tmp_path, store=store) as runtime:
            await asyncio.sleep(0.05)

            assert store.asked == 1
            assert runtime.healthy() is None

    asyncio.run(life())
