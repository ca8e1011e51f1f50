"""Episodes as a host would have them, the same in every run."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from emily_runtime.memory.embedding import embed
from emily_runtime.memory.episode import Episode, identity
from emily_runtime.memory.store import Found, Store

T = TypeVar("T")
Make = Callable[[], Store]

_SUBJECTS = ("disk sda", "disk sdb", "the pool tank", "the uplink", "the fan of bay 3", "backup")
_EVENTS = ("failed its self-test", "was replaced by a spare", "is slower than usual", "came back")
_MEASURES = ("temperature {} degrees", "latency {} ms", "{} errors since noon", "{} percent full")
HOSTILE = (
    'a "quoted" word',
    "' or 1=1; drop table episodes; --",
    "NEAR(a b) AND OR NOT * ^ : - + ( )",
    'text:"x" -col',
    "%_\\",
    "",
    "\N{REPLACEMENT CHARACTER}",
    "🦊🦊🦊 ⟨⟩",
    "مرحبا بالعالم",
    "a" * 60_000,
    "'a' & !b | c:* <-> d",
)


def episode(number: int, text: str = "", seed: int = 0) -> Episode:
    """One of a series; its text follows from the number unless given."""
    draw = random.Random(f"{seed} {number}")
    text = text or told(draw)
    affect = tuple(draw.uniform(-1, 1) for _ in range(5))
    at = 1_700_000_000 + number * 1.25
    name, source = identity(at, draw.randbytes(10)), f"seed {seed}"
    return Episode(name, at, text, affect, f"t{number}", source, embed(text))


def series(count: int, begin: int = 0) -> list[Episode]:
    """Several."""
    return [episode(number) for number in range(begin, begin + count)]


def told(draw: random.Random) -> str:
    """What an operator might read."""
    measure = draw.choice(_MEASURES).format(draw.randrange(1000))
    host = f"host{draw.randrange(40)}"
    return f"{draw.choice(_SUBJECTS)} on {host} {draw.choice(_EVENTS)}: {measure}"


def fields(one: Episode | None) -> tuple[object, ...]:
    """An episode that can be compared."""
    assert one is not None
    return (*one[:-1], one.vector.tobytes())


def texts(found: list[Found]) -> list[str]:
    """What was found."""
    return [one.episode.text for one in found]


def run(make: Make, story: Callable[[Store], Awaitable[T]]) -> T:
    """A STORY with an open store, which is closed afterwards."""

    async def whole() -> T:
        store = make()
        await store.open()
        try:
            return await story(store)
        finally:
            await store.close()

    return asyncio.run(whole())
