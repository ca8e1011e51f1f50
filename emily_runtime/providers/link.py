"""One provider of a chain: its breaker, its attempts, and what they cost."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import count
from typing import TypeAlias

from emily_runtime.breaker import Breaker
from emily_runtime.nerves.clock import Clock
from emily_runtime.providers.budget import Budget
from emily_runtime.providers.failures import Broken, Failed, Garbled, Late, NoTime
from emily_runtime.providers.model import Completion, Part, Prompt, Provider
from emily_runtime.providers.retrying import Patience
from emily_runtime.providers.spending import BudgetUnusable, Reservation
from emily_runtime.providers.timing import within

Ask: TypeAlias = Callable[[Provider, Prompt], AsyncGenerator[Part, None]]
NANOSECONDS = 1_000_000_000
MARGIN = 60.0
"""Seconds that a reservation outlives its call: it runs out only when the process is gone."""


@dataclass
class Tally:
    """What a provider has done so far."""

    answered: int = 0
    degraded: int = 0
    """Answers in the place of one that was asked before it."""
    failed: int = 0
    """Attempts."""
    input_tokens: int = 0
    output_tokens: int = 0
    microdollars: int = 0

    def add(self, answer: Completion) -> None:
        """One more answer."""
        self.degraded += answer.degraded
        self.answered += not answer.degraded
        self.input_tokens += answer.input_tokens
        self.output_tokens += answer.output_tokens
        self.microdollars += answer.cost_microdollars


class Deadline:
    """The moment by which a prompt is answered, or given up."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._until_ns = clock.monotonic_ns() + round(seconds * NANOSECONDS)

    def left(self) -> float:
        """Seconds."""
        return (self._until_ns - self._clock.monotonic_ns()) / NANOSECONDS


class Link:
    """Tries one provider for as long as that makes sense."""

    def __init__(
        self, provider: Provider, breaker: Breaker, budget: Budget, patience: Patience, clock: Clock
    ) -> None:
        self.provider = provider
        self.breaker = breaker
        self.tally = Tally()
        self._budget = budget
        self._patience = patience
        self._clock = clock

    async def parts(
        self, ask: Ask, prompt: Prompt, deadline: Deadline
    ) -> AsyncGenerator[Part, None]:
        """The answer in parts; Failed, Resting or Spent before the first, Broken after it."""
        for attempt in count():
            given = ""
            try:
                async with aclosing(self._once(ask, prompt, deadline)) as parts:
                    async for part in parts:
                        given += part if isinstance(part, str) else ""
                        yield part
                return
            except Failed as failure:
                self.tally.failed += 1
                if given:
                    raise Broken(failure, given) from None
                wait = self._patience.wait(attempt, failure, deadline.left())
                if wait is None:
                    raise
            await self._clock.sleep(wait)

    async def _once(
        self, ask: Ask, prompt: Prompt, deadline: Deadline
    ) -> AsyncGenerator[Part, None]:
        """One attempt; it is judged and paid before its completion is given."""
        whole = None
        if deadline.left() <= 0:
            spent = f"all {self._patience.seconds:g} s were over"
            raise NoTime(self.provider.name, spent)
        with self.breaker.guard():
            async with self._paid(prompt, deadline) as bill:
                async for part in self._timely(ask, prompt, deadline):
                    if isinstance(part, str):
                        yield part
                    else:
                        whole = part
                        bill.microdollars = part.cost_microdollars
                if whole is None:
                    raise Garbled(self.provider.name, "an answer without an end")
        yield whole

    async def _timely(
        self, ask: Ask, prompt: Prompt, deadline: Deadline
    ) -> AsyncGenerator[Part, None]:
        failure = None
        try:
            async with aclosing(within(ask(self.provider, prompt), deadline.left())) as parts:
                async for part in parts:
                    yield part
        except TimeoutError:
            failure = Late(self.provider.name, f"not within {self._patience.seconds:g} s in all")
        if failure is not None:
            raise failure

    @asynccontextmanager
    async def _paid(self, prompt: Prompt, deadline: Deadline) -> AsyncIterator["Bill"]:
        """A bill of the ceiling, until what is inside knows better.

        So a call that is cancelled, or whose stream nobody takes to its end, costs its ceiling:
        the provider may have written all of it.
        """
        bill = Bill(self.provider.ceiling(prompt))
        if not bill.microdollars:
            yield bill
            return
        reservation = await self._reserved(bill.microdollars, deadline.left() + MARGIN)
        try:
            yield bill
        except Failed as failure:
            if not failure.billed:
                bill.microdollars = 0
            raise
        finally:
            await self._settled(reservation, bill)

    async def _reserved(self, microdollars: int, seconds: float) -> Reservation:
        asking = asyncio.create_task(asyncio.to_thread(self._budget.reserve, microdollars, seconds))
        try:
            return await asyncio.shield(asking)
        except asyncio.CancelledError:
            asking.add_done_callback(self._unused)
            raise

    def _unused(self, asked: "asyncio.Task[Reservation]") -> None:
        if not asked.exception():
            asyncio.get_running_loop().run_in_executor(None, self._budget.release, asked.result())

    async def _settled(self, reservation: Reservation, bill: "Bill") -> None:
        # where it fails, it stays reserved, and is charged in full when it runs out
        with suppress(BudgetUnusable):
            await asyncio.shield(
                asyncio.to_thread(self._budget.settle, reservation, bill.microdollars)
            )


@dataclass
class Bill:
    """What an attempt costs, as far as is known."""

    microdollars: int
