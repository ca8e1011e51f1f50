"""The words of a text, and questions for them that nothing in a text can break out of.

Both stores get the words from here, so that they find the same: full-text engines differ in what
they take for a word, and PostgreSQL's even takes some texts for addresses and files.
"""

import re
import unicodedata
from collections.abc import Sequence

MOST = 16
"""Words of a question that are looked for; the first ones."""
LONGEST = 40
"""Characters of a word; the rest is cut off."""
_MARKS = re.compile("[\u0300-\u036f]+")
_WORD = re.compile(r"[^\W_]+")
_PLACES = 16_383
"""PostgreSQL's last position in a text."""
_EACH = 255
"""PostgreSQL's most positions of a word."""


def words(text: str) -> list[str]:
    """Letters and figures in a row, lower case and without accents."""
    plain = _MARKS.sub("", unicodedata.normalize("NFKD", text.casefold()))
    found: list[str] = _WORD.findall(unicodedata.normalize("NFC", plain))
    return [word[:LONGEST] for word in found]


def asked(text: str) -> list[str]:
    """The different words of a question, in their order."""
    return list(dict.fromkeys(words(text)))[:MOST]


def is_stem(word: str) -> bool:
    """Whether more may follow: Korean words carry their grammar at their end."""
    return "가" <= word[-1] <= "힣"


def fts5(asked_for: Sequence[str], joined: str) -> str:
    """A question to SQLite, JOINED by AND or OR; words hold no quotes by construction."""
    return f" {joined} ".join(f'"{word}"{"*" if is_stem(word) else ""}' for word in asked_for)


def tsquery(asked_for: Sequence[str], joined: str) -> str:
    """A question to PostgreSQL, JOINED by & or |."""
    return f" {joined} ".join(f"'{word}'{':*' if is_stem(word) else ''}" for word in asked_for)


def tsvector(text: str) -> str:
    """The words of TEXT with their places, as PostgreSQL reads them."""
    places: dict[str, list[str]] = {}
    for place, word in enumerate(words(text), 1):
        places.setdefault(word, []).append(str(min(place, _PLACES)))
    return " ".join(f"'{word}':{','.join(at[:_EACH])}" for word, at in places.items())
