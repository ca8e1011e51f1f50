"""What every place to remember in can do; one suite of tests holds all of them to it."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from emily_runtime.memory.episode import Episode, Tally, Vector

SCANNED = 1000
"""Episodes that are read at a time where all are read."""


class Found(NamedTuple):
    """An episode, and how well it fits: comparable within one answer only."""

    episode: Episode
    score: float


class Shrunk(NamedTuple):
    """What giving memory back came to."""

    vectors: int
    """How many are held in a quarter of their size now."""
    texts: int
    """How many were packed by this call."""
    freed: int
    """Bytes of vectors and texts that are gone from memory and disk."""


class Health(NamedTuple):
    """How a store is, for a person and for a dashboard."""

    kind: str
    place: str
    """The file, or the database without its password."""
    well: bool
    rows: int
    search: str
    """How vectors are searched, and why in no better way."""
    waiting: int
    """Calls that are under way or queued."""
    compressed: float
    """Bytes before over bytes after, of what is packed; 1 where nothing is."""
    why: str = ""
    """What is wrong, where it is not well."""


class Store(Protocol):
    """A memory; whatever it can't do is Refused with a code EMY-4nnn."""

    async def open(self) -> None:
        """Ready to be used; made where there is none yet."""

    async def close(self) -> None:
        """What is under way is finished first."""

    async def add(self, episodes: Sequence[Episode]) -> int:
        """How many of EPISODES are new; all of them are committed when this returns."""

    async def get(self, identity: str) -> Episode | None:
        """One episode."""

    async def several(self, identities: Sequence[str]) -> list[Episode]:
        """Those of IDENTITIES that are held, in no order."""

    async def missing(self, identities: Sequence[str]) -> set[str]:
        """Those of IDENTITIES that aren't held."""

    async def by_text(self, query: str, most: int) -> list[Found]:
        """Who has all words of QUERY, best first, and then who has some."""

    async def by_vector(self, vector: Vector, most: int) -> list[Found]:
        """Who is nearest to a VECTOR of length 1, by the cosine."""

    async def search(self, query: str, vector: Vector, most: int) -> list[Found]:
        """By text and by vector, fused by their ranks."""

    async def count(self) -> int:
        """How many episodes there are."""

    async def checksum(self) -> str:
        """32 hexadecimal digits over every field of every episode, whatever their order."""

    async def scan(self, after: str, most: int) -> list[Episode]:
        """Up to MOST episodes by identity, beginning behind AFTER."""

    async def shrink(self, keep: int, /) -> Shrunk:
        """Give memory back: all but about the KEEP newest become cold; all stay searchable."""

    async def expand(self) -> None:
        """The way back from shrink(): vectors in full again."""

    async def tidy(self) -> None:
        """At leisure, and after many were added: what makes searching many quicker."""

    async def health(self) -> Health:
        """How it is; never Refused."""


async def tallied(store: Store) -> Tally:
    """Every episode, by reading all fields of all of them."""
    tally, after = Tally(), ""
    while batch := await store.scan(after, SCANNED):
        tally, after = tally.plus(batch), batch[-1].identity
    return tally
