"""The first provider that can answers; every call is paid once; somebody always answers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from emily_runtime.breaker import State
from emily_runtime.providers.budget import Budget
from emily_runtime.providers.chain import FAILURES, Chain
from emily_runtime.providers.failures import Broken
from emily_runtime.providers.model import Completion, Part
from emily_runtime.providers.retrying import Patience
from emily_runtime.providers.spending import LIMITS, Window
from tests.runtime.providers.prompts import prompt
from tests.runtime.providers.server import (
    Reply,
    Request,
    Server,
    head,
    resets,
    says,
    serving,
    streams,
)
from tests.runtime.providers.speaking import (
    COST,
    TEXT,
    WORDS,
    as_claude,
    as_gpt,
    claude,
    claude_events,
    claude_message,
    gpt,
)
from tests.runtime.providers.world import World

T = TypeVar("T")
BUSY = says(529, b"")
SHORT = Patience(seconds=20.0, chance=lambda: 0.5)


@dataclass
class Scene:
    """A chain of two over real connections, its budget, and a clock that only waits move."""

    first: Server
    second: Server
    chain: Chain
    budget: Budget
    world: World

    def stands(self) -> tuple[int, int]:
        balance = self.budget.balances()[0]
        return balance.spent, balance.reserved


@asynccontextmanager
async def scene(
    file: Path,
    first: list[Reply],
    limits: tuple[Window, ...] = LIMITS,
    patience: Patience = SHORT,
    worlds: list[World] | None = None,
) -> AsyncIterator[Scene]:
    world = World()
    if worlds is not None:
        worlds.append(world)
    budget = Budget(file / "budget", limits, clock=world, boot="0")
    async with serving(*first) as one, serving(as_gpt) as two:
        providers = [claude(one, clock=world), gpt(two, clock=world)]
        there = Scene(one, two, Chain(providers, budget, world, patience), budget, world)
        yield there
        await there.chain.close()
    budget.close()


@pytest.fixture
def play(in_memory: Path) -> Callable[..., T]:
    def run(act: Callable[[Scene], Awaitable[T]], *first: Reply, **other: object) -> T:
        async def whole() -> T:
            async with scene(in_memory, list(first), **other) as there:  # type: ignore[arg-type]
                return await act(there)

        return asyncio.run(whole())

    return run


Play = Callable[..., None]


def test_the_first_answers_and_nothing_is_degraded(play: Play) -> None:
    async def act(there: Scene) -> None:
        said = await there.chain.complete(prompt())

        assert (said.text, said.provider, said.degraded, said.why) == (TEXT, "claude", False, "")
        assert there.stands() == (COST, 0)
        assert there.second.asked == []

    play(act, as_claude)


def test_a_busy_one_is_asked_again_after_the_wait_it_wants_and_paid_once(play: Play) -> None:
    async def act(there: Scene) -> None:
        said = await there.chain.complete(prompt())

        assert (said.provider, said.degraded) == ("claude", False)
        assert there.world.monotonic_ns() == round((7 + 0.25 + 0.5) * 1e9)
        assert there.stands() == (COST, 0)

    play(act, says(429, b"", "retry-after: 7"), BUSY, as_claude)


def test_the_next_one_answers_and_says_why(play: Play) -> None:
    async def act(there: Scene) -> None:
        said = await there.chain.complete(prompt())

        assert (said.text, said.provider, said.degraded) == (TEXT, "gpt", True)
        assert said.why == "EMY-5002: claude is too busy to answer: HTTP 529"
        assert len(there.first.asked) == 3

    play(act, BUSY)


def test_who_asks_for_more_patience_than_there_is_is_not_waited_for(play: Play) -> None:
    async def act(there: Scene) -> None:
        assert (await there.chain.complete(prompt())).provider == "gpt"
        assert there.world.monotonic_ns() == 0
        assert len(there.first.asked) == 1

    play(act, says(429, b"", "retry-after: 3600"))


def test_when_nobody_can_the_one_that_is_always_there_does(play: Play) -> None:
    async def act(there: Scene) -> None:
        said = await there.chain.complete(prompt())

        assert (said.provider, said.degraded, said.cost_microdollars) == ("offline", True, 0)
        assert said.why.count("EMY-5010") == 2
        assert there.first.asked == there.second.asked == []

    play(act, as_claude, limits=(Window("hour", 3_600, 100),))


def test_what_may_have_been_written_is_paid_in_full_and_what_was_not_is_free(play: Play) -> None:
    async def act(there: Scene) -> None:
        ceiling = there.chain.links[0].provider.ceiling(prompt())
        await there.chain.complete(prompt())

        assert there.stands() == (2 * ceiling + COST, 0)

    lost = resets(head(200, "application/json", "content-length: 99"))
    play(act, BUSY, lost, lost, as_claude, patience=Patience(attempts=4, chance=lambda: 0.0))


def test_after_failures_in_a_row_it_is_left_alone_and_tried_again_later(play: Play) -> None:
    async def act(there: Scene) -> None:
        for _ in range(3):
            await there.chain.complete(prompt())
        link = there.chain.links[0]
        assert link.breaker.state is State.OPEN
        assert len(there.first.asked) == FAILURES

        there.world.advance(30)
        said = await there.chain.complete(prompt())

        assert (said.provider, link.tally.answered, link.tally.failed) == ("claude", 1, FAILURES)

    play(act, *[BUSY] * FAILURES, as_claude, patience=Patience(attempts=2, chance=lambda: 0.0))


def test_a_prompt_that_is_not_taken_is_no_fault_of_the_provider(play: Play) -> None:
    async def act(there: Scene) -> None:
        for _ in range(FAILURES + 1):
            assert (await there.chain.complete(prompt())).provider == "gpt"
        assert there.chain.links[0].breaker.state is State.CLOSED

    play(act, says(400, b""))


def test_a_stream_begins_anew_only_while_nothing_was_given(play: Play) -> None:
    async def act(there: Scene) -> None:
        *parts, whole = await taken(there.chain)

        assert tuple(parts) == WORDS
        assert isinstance(whole, Completion)
        assert (whole.provider, whole.degraded) == ("claude", False)

    play(act, BUSY, streams(*claude_events()[:3]), as_claude)


async def taken(chain: Chain) -> list[Part]:
    async with aclosing(chain.stream(prompt())) as parts:
        return [part async for part in parts]


def test_a_stream_that_breaks_off_is_told_and_paid_and_not_begun_anew(play: Play) -> None:
    async def act(there: Scene) -> None:
        with pytest.raises(Broken, match="EMY-5008") as broken:
            await taken(there.chain)

        assert broken.value.text == WORDS[0]
        assert len(there.first.asked) == 1
        assert there.second.asked == []
        assert there.stands() == (there.chain.links[0].provider.ceiling(prompt()), 0)

    play(act, streams(*claude_events()[:4]))


def test_a_stream_that_nobody_takes_to_its_end_is_paid_in_full(play: Play) -> None:
    async def act(there: Scene) -> None:
        async with aclosing(there.chain.stream(prompt())) as parts:
            assert await anext(parts) == WORDS[0]

        assert there.stands() == (there.chain.links[0].provider.ceiling(prompt()), 0)
        assert there.chain.links[0].breaker.state is State.CLOSED

    play(act, as_claude)


def test_a_call_that_is_cancelled_leaves_nothing_reserved(play: Play) -> None:
    async def act(there: Scene) -> None:
        call = asyncio.create_task(there.chain.complete(prompt()))
        while not there.first.asked:
            await asyncio.sleep(0.01)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

        assert there.stands() == (there.chain.links[0].provider.ceiling(prompt()), 0)

    play(act, streams(5.0, kind="application/json"))


def test_the_deadline_is_for_all_of_them_together(play: Play) -> None:
    async def act(there: Scene) -> None:
        said = await there.chain.complete(prompt())

        assert (said.provider, said.degraded) == ("offline", True)
        assert [text[:8] for text in said.why.split("; ")] == ["EMY-5004", "EMY-5009"]
        assert there.second.asked == []
        assert there.stands() == (there.chain.links[0].provider.ceiling(prompt()), 0)
        assert there.chain.links[1].breaker.state is State.CLOSED

    async def slow(writer: asyncio.StreamWriter, request: Request) -> None:
        worlds[0].advance(20)
        await says(504, b"")(writer, request)

    worlds: list[World] = []
    play(act, slow, worlds=worlds)


def test_a_thousand_calls_at_once_never_overspend(play: Play) -> None:
    async def act(there: Scene) -> None:
        said = await asyncio.gather(*(there.chain.complete(prompt()) for _ in range(1_000)))

        answered = len(there.first.asked) + len(there.second.asked)
        # At least as many as fit by their ceilings: what settles early makes room for others.
        assert answered >= 300_000 // there.chain.links[0].provider.ceiling(prompt())
        assert answered * COST <= 300_000
        assert sum(one.cost_microdollars for one in said) == answered * COST
        assert there.stands() == (answered * COST, 0)
        assert sum(one.provider == "offline" for one in said) == 1_000 - answered

    play(act, says(200, claude_message()), limits=(Window("hour", 3_600, 300_000),))
