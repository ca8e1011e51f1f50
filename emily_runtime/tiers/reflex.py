"""Tier 0: what is answered at once, from a table, without attention or inference."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from emily_runtime.tiers.refusals import Refusal

READ = 2048
"""Characters of a stimulus that a reflex looks at: its time is bounded, whatever arrives."""
_WORD = re.compile(r"\w+")
_TORN = re.compile(r"\w+\Z")


@dataclass(frozen=True)
class Rule:
    """Fires when all of its words occur and the stimulus is intense enough."""

    name: str
    reply: str
    words: frozenset[str] = frozenset()
    intensity: float = 0.0
    """The least |signal|."""


@dataclass(frozen=True)
class Reflexes:
    """A rule table, indexed so that a stimulus meets only the rules that share a word with it."""

    rules: tuple[Rule, ...]
    by_word: Mapping[str, tuple[int, ...]]
    """Each rule with words stands under one of them, by its place in the table."""
    wordless: tuple[int, ...]


def words(text: str) -> frozenset[str]:
    """The words of the first READ characters, without regard to case or Unicode form."""
    if len(text) > READ:
        text = _TORN.sub("", text[:READ])
    return frozenset(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def reflexes(rules: Iterable[Rule]) -> Reflexes:
    """A table in order of precedence; Refusal for a name twice, or for words that aren't one."""
    table = tuple(rules)
    by_word: dict[str, tuple[int, ...]] = {}
    for place, rule in enumerate(table):
        if any(other.name == rule.name for other in table[:place]):
            raise Refusal(f"two reflexes are named {rule.name}")
        for word in sorted(rule.words):
            if words(word) != {word}:
                raise Refusal(f"reflex {rule.name}: {word!r} is not one word in lower case")
        if rule.words:
            longest = max(sorted(rule.words), key=len)  # most likely the rarest
            by_word[longest] = (*by_word.get(longest, ()), place)
    wordless = tuple(place for place, rule in enumerate(table) if not rule.words)
    return Reflexes(table, by_word, wordless)


def match(table: Reflexes, text: str, intensity: float) -> Rule | None:
    """The first rule of the table that fires, or none; INTENSITY is the stimulus' |signal|."""
    said = words(text)
    places = [place for word in said for place in table.by_word.get(word, ())]
    if not places and not table.wordless:
        return None
    for place in sorted((*places, *table.wordless)):
        rule = table.rules[place]
        if rule.intensity <= intensity and rule.words <= said:
            return rule
    return None
