"""Memory as the mind uses it: an episode for what happened, and what comes to mind of it."""

from collections.abc import Sequence
from secrets import token_bytes
from time import perf_counter

from emily_runtime.memory.embedding import embed
from emily_runtime.memory.episode import LONGEST, Episode, Vector, cleaned, identity
from emily_runtime.memory.store import Found, Store
from emily_runtime.mind.metrics import Metrics
from emily_runtime.mind.stimulus import Recalled
from emily_runtime.nerves.clock import Clock
from emily_runtime.nerves.workers import Workers

SHORT = 4096
"""Letters whose vector costs less than handing them to a thread and waiting for it."""


class Recollection:
    """A store with a clock and metrics."""

    def __init__(self, store: Store, clock: Clock, metrics: Metrics, workers: Workers) -> None:
        self.store = store
        self.rows = 0
        """Episodes, as far as this process knows."""
        self._clock = clock
        self._metrics = metrics
        self._workers = workers

    async def open(self) -> None:
        """Ready to be used; Refused where the store is not."""
        await self.store.open()
        self.rows = await self.store.count()

    async def remember(
        self, text: str, affect: Sequence[float], trace: str, source: str
    ) -> Episode:
        """A new episode, committed when this returns; Refused where it can't be kept."""
        at = self._clock.wall()
        episode = Episode(
            identity=identity(at, token_bytes(10)),
            at=at,
            text=cleaned(text),
            affect=tuple(affect),
            trace=trace,
            source=cleaned(source)[:LONGEST],
            vector=await self._embedded(text),
        )
        begin = perf_counter()
        new = await self.store.add([episode])
        self.rows += new  # read after the wait, during which others have counted theirs
        self._took("add", begin)
        return episode

    async def search(self, text: str, vector: Vector | None, most: int) -> list[Found]:
        """By text and by vector, fused by their ranks; by the text's own vector without one."""
        begin = perf_counter()
        near = await self._embedded(text) if vector is None else vector
        found = await self.store.search(text, near, most)
        self._took("search", begin)
        return found

    async def come_to_mind(self, text: str, most: int) -> tuple[Recalled, ...]:
        """What is nearest to a text by the cosine, without the same words again."""
        if not text or most < 1:
            return ()
        begin = perf_counter()
        found = await self.store.by_vector(await self._embedded(text), 2 * most)
        self._took("recall", begin)
        others: dict[str, Recalled] = {}
        for episode, score in found:
            if episode.text != text and episode.text not in others:
                near = min(1.0, max(0.0, float(score)))
                others[episode.text] = Recalled(episode.identity, episode.text, near)
        return tuple(others.values())[:most]

    async def _embedded(self, text: str) -> Vector:
        """A long text takes milliseconds for each few thousand letters, so not on the loop."""
        return embed(text) if len(text) <= SHORT else await self._workers.call(embed, text)

    def _took(self, operation: str, begin: float) -> None:
        child = self._metrics.histogram("emily_memory_query_seconds", operation)
        child.observe(perf_counter() - begin)
