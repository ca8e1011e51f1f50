"""Providers in their order, each with a breaker; at the end the one that is always there."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

import msgspec

from emily_runtime.breaker import Breaker, Resting
from emily_runtime.messages import Language, say
from emily_runtime.nerves.clock import Clock
from emily_runtime.providers.budget import Budget
from emily_runtime.providers.failures import COUNTED, Failed
from emily_runtime.providers.link import Ask, Deadline, Link, Tally
from emily_runtime.providers.model import Completion, Part, Prompt, Provider
from emily_runtime.providers.offline import Offline
from emily_runtime.providers.retrying import Patience
from emily_runtime.providers.spending import BudgetUnusable, Spent

FAILURES, REST_SECONDS = 5, 30.0
PASSED_OVER = (Failed, Resting, Spent, BudgetUnusable)
"""What makes the chain go on to the next."""


class Chain:
    """A provider that always answers, and says when it was not the one that should have.

    Only a stream that breaks off after a part was given is Broken: nobody else can finish it.
    """

    name = "chain"

    def __init__(
        self,
        providers: Sequence[Provider],
        budget: Budget,
        clock: Clock,
        patience: Patience | None = None,
        language: Language = "en",
    ) -> None:
        self.offline = Offline()
        self._spoke_for = Tally()
        self._patience = patience or Patience()
        self._clock = clock
        self._language = language
        self.links = [
            Link(each, _breaker(each, clock), budget, self._patience, clock) for each in providers
        ]

    @property
    def tallies(self) -> dict[str, Tally]:
        """What each has done so far, by its name."""
        return {link.provider.name: link.tally for link in self.links} | {
            self.offline.name: self._spoke_for
        }

    def ceiling(self, prompt: Prompt, /) -> int:
        """What the dearest of its providers may cost; each reserves its own."""
        return max((link.provider.ceiling(prompt) for link in self.links), default=0)

    async def complete(self, prompt: Prompt) -> Completion:
        """The answer of the first that has one."""
        async with aclosing(self._parts(_whole, prompt)) as parts:
            answers = [part async for part in parts if isinstance(part, Completion)]
        return answers[-1]

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Part, None]:
        """The answer of the first that begins one; Broken where it does not end it."""
        async with aclosing(self._parts(_streamed, prompt)) as parts:
            async for part in parts:
                yield part

    async def close(self) -> None:
        """Let go of every provider's connections."""
        for link in self.links:
            await link.provider.close()

    async def _parts(self, ask: Ask, prompt: Prompt) -> AsyncGenerator[Part, None]:
        deadline, passed = Deadline(self._clock, self._patience.seconds), list[str]()
        for link in self.links:
            try:
                async with aclosing(link.parts(ask, prompt, deadline)) as parts:
                    async for part in parts:
                        yield _told(part, passed, link.tally)
                return
            except PASSED_OVER as refused:
                text = say(refused.code, self._language, **refused.values).text
                passed.append(f"{refused.code}: {text}")
        async for part in ask(self.offline, prompt):
            yield _told(part, passed, self._spoke_for)


def _breaker(provider: Provider, clock: Clock) -> Breaker:
    return Breaker(provider.name, FAILURES, REST_SECONDS, clock, COUNTED)


def _told(part: Part, passed: list[str], tally: Tally) -> Part:
    """Marked where others were passed over, and counted where it ends the answer."""
    if isinstance(part, str):
        return part
    if passed:
        part = msgspec.structs.replace(part, degraded=True, why="; ".join(passed))
    tally.add(part)
    return part


async def _whole(provider: Provider, prompt: Prompt) -> AsyncGenerator[Part, None]:
    yield await provider.complete(prompt)


async def _streamed(provider: Provider, prompt: Prompt) -> AsyncGenerator[Part, None]:
    async with aclosing(provider.stream(prompt)) as parts:
        async for part in parts:
            yield part
