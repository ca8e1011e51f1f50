"""From a choice to a deed: wait, look into memory, answer in words, or raise an alert."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, Protocol

from emily_runtime.messages import Refused
from emily_runtime.mind.cycle import Deed
from emily_runtime.mind.metrics import Metrics
from emily_runtime.mind.recollection import Recollection
from emily_runtime.mind.situation import Action, Result
from emily_runtime.mind.stimulus import Content
from emily_runtime.mind.stream import Stream, Turn

KEPT = 64
"""Deeds of past cycles that somebody may still ask for."""
ALERT = "alert"
"""The topic of alerts."""


class Spoken(NamedTuple):
    """Words, and what they cost."""

    words: str
    provider: str = ""
    microdollars: int = 0
    why: str = ""
    """What had to be done without, where something was."""


class Voice(Protocol):
    """Whoever finds words."""

    async def answer(self, asked: str, recalled: Sequence[str], /) -> Spoken:
        """Words for what was ASKED, knowing what was RECALLED; Refused where there are none."""


class Done(NamedTuple):
    """A deed, with the cycle that decided for it."""

    turn: Turn
    action: Action
    result: Result
    spoken: Spoken


class Actor:
    """Does what each cycle decides, once, for all who wait for it."""

    def __init__(
        self, stream: Stream, memory: Recollection, voice: Voice, metrics: Metrics
    ) -> None:
        self.failures = 0.0
        """Share of recent deeds that went wrong."""
        self._stream = stream
        self._memory = memory
        self._voice = voice
        self._metrics = metrics
        self._deeds: dict[int, asyncio.Task[Done]] = {}

    def begin(self, turn: Turn, beat: Callable[[], Turn]) -> None:
        """Start the deed of a cycle that has a choice; BEAT ends a cycle, for who looks."""
        if turn.thought.choice is None:
            return
        task = asyncio.create_task(self._act(turn, beat), name=f"deed of cycle {turn.number}")
        self._deeds[turn.number] = task
        while len(self._deeds) > KEPT:
            del self._deeds[next(iter(self._deeds))]

    async def deed(self, number: int) -> Done | None:
        """What a cycle decided for, once it is done."""
        task = self._deeds.get(number)
        return await asyncio.shield(task) if task else None

    async def close(self) -> None:
        """Leave everything as it is."""
        tasks = list(self._deeds.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _act(self, turn: Turn, beat: Callable[[], Turn]) -> Done:
        choice = turn.thought.choice
        assert choice
        if choice.action is Action.LOOK and (after := await self._look(turn, beat)):
            return after
        does: dict[Action, Callable[[Turn], Awaitable[tuple[Result, Spoken]]]] = {
            Action.ANSWER: self._answer,
            Action.ALERT: self._alert,
        }
        act = does.get(choice.action, self._wait)
        result, spoken = await act(turn)
        if choice.action is not Action.LOOK:
            belief = tuple(choice.belief.tolist())
            self._stream.settle(Deed(choice.action, result, belief, choice.hoped))
        names = (choice.action.name.lower(), result.name.lower())
        self._metrics.count("emily_actions_total", *names)
        self.failures += 0.05 * ((result is Result.BAD) - self.failures)
        return Done(turn, choice.action, result, spoken)

    async def _look(self, turn: Turn, beat: Callable[[], Turn]) -> Done | None:
        """Ask memory for more, end the cycle at once, and do what is decided then."""
        most = 2 * self._stream.config.memory.recall
        self._stream.remind(await self._memory.come_to_mind(_text(turn), most))
        following = await self._stream.decided(beat())
        if following.thought.choice is None:  # another cycle has closed the matter meanwhile
            following = self._stream.last or turn
        return await self.deed(following.number) if following.number > turn.number else None

    async def _wait(self, _: Turn) -> tuple[Result, Spoken]:
        return Result.NEUTRAL, Spoken("")

    async def _answer(self, turn: Turn) -> tuple[Result, Spoken]:
        known = [content.text for content in _contents(turn) if content.kind == "memory"]
        try:
            spoken = await self._voice.answer(_text(turn), known)
        except Refused as refused:
            why = refused.told(self._stream.config.language)
            return Result.BAD, Spoken("", why=why)
        return Result.NEUTRAL if spoken.why else Result.GOOD, spoken

    async def _alert(self, turn: Turn) -> tuple[Result, Spoken]:
        words = _text(turn)
        heard = [one for one in self._stream.bus.readers() if not one.topics or ALERT in one.topics]
        self._stream.bus.publish(ALERT, {"text": words, "cycle": turn.number})
        return Result.GOOD if heard else Result.NEUTRAL, Spoken(words)


def _contents(turn: Turn) -> list[Content]:
    """What everybody knows after a cycle, most salient first."""
    entries = turn.mind.workspace.ignited
    return [one.item.content for one in entries if isinstance(one.item.content, Content)]


def _text(turn: Turn) -> str:
    """What a choice is about: the stimulus that was broadcast, else the newest that is known."""
    known = [entry.item for entry in turn.mind.workspace.ignited]
    about = turn.thought.choice.about if turn.thought.choice else ()
    for items in (about, sorted(known, reverse=True, key=lambda item: item[0])):
        for item in items:
            content = item.content
            if isinstance(content, Content) and content.kind == "stimulus" and content.text:
                return content.text
    return ""
