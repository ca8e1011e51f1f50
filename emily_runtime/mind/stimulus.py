"""What comes in, what memory adds to it, and how a text is read as evidence."""

import hashlib
import re
from dataclasses import dataclass
from typing import NamedTuple

from emily_runtime.mind.situation import UNSEEN, Situation
from emily_runtime.tiers.reflex import words

ADDRESSED = 1.0
"""The intensity of a text that somebody sends without any other signal."""
_ASKING = re.compile(r"[?\uff1f]|(?:까|나요|니|는가|을까)\s*[.!]?\s*$")


class Stimulus(NamedTuple):
    """Something that happened outside."""

    text: str = ""
    signals: tuple[float, ...] = ()
    """Strengths of its parts; their sum below zero means harm."""
    intensity: float | None = None
    """The strongest |signal| where none is given; 1 for a bare text."""
    source: str = ""
    """Who habituation remembers; a text stands for itself where no source is given."""
    identity: str = ""
    """On whose behalf: what flags are asked about."""

    @property
    def strength(self) -> float:
        """The intensity as given, or as it follows from the signals."""
        if self.intensity is not None:
            return abs(self.intensity)
        return max(map(abs, self.signals), default=ADDRESSED)

    @property
    def drives(self) -> tuple[float, ...]:
        """The signals, or the intensity as the only one."""
        return self.signals or (self.strength,)

    @property
    def origin(self) -> str:
        """The source, or a digest of the text where none is given."""
        return self.source or hashlib.blake2b(self.text.encode(), digest_size=8).hexdigest()


class Recalled(NamedTuple):
    """An episode that memory found."""

    identity: str
    text: str
    score: float
    """Similarity to what was asked for, from 0 to 1."""


class Content(NamedTuple):
    """What an item of the workspace is about."""

    kind: str
    """stimulus or memory."""
    text: str
    evidence: int
    trace: str


@dataclass(frozen=True)
class Reading:
    """The words by which a text is evidence for trouble or for a question."""

    trouble: frozenset[str] = frozenset()
    question: frozenset[str] = frozenset()

    def evidence(self, text: str, signals: tuple[float, ...] = ()) -> int:
        """Harm or a word of trouble, else a question, else calm; UNSEEN where there is nothing."""
        if not text and not signals:
            return UNSEEN
        said = words(text)
        if sum(signals) < 0 or said & self.trouble:
            return Situation.TROUBLE + 1
        if said & self.question or _ASKING.search(text[-200:]):
            return Situation.QUESTION + 1
        return Situation.CALM + 1
