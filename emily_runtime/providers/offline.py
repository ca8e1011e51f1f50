"""The provider that is always there: a small grammar, seeded by the prompt, and no network."""

import re
from collections.abc import AsyncGenerator, Iterator
from hashlib import blake2b
from itertools import islice

import msgspec

from emily_runtime.providers.grammar import ENGLISH, KOREAN, Grammar
from emily_runtime.providers.model import Completion, Ending, Part, Prompt

TOKEN = re.compile(r"\s*(?:\w{1,6}|[^\w\s])|\s+")
"""Up to six letters, or one other character, with the space before; no character is left out."""
SUBJECT = re.compile(r"\w{4,}")
HANGUL = re.compile("[가-힣]")
SENTENCES = 3


class Offline:
    """The same prompt gets the same answer, in every process and on every machine."""

    name = "offline"
    model = "grammar-1"

    def ceiling(self, _: Prompt, /) -> int:
        """Nothing."""
        return 0

    async def complete(self, prompt: Prompt) -> Completion:
        """The answer."""
        text, ending = _limited(prompt)
        return self._completion(prompt, text, ending)

    async def stream(self, prompt: Prompt) -> AsyncGenerator[Part, None]:
        """The answer, token by token, and at last the completion."""
        text, ending = _limited(prompt)
        for token in tokens(text):
            yield token
        yield self._completion(prompt, text, ending)

    async def close(self) -> None:
        """Nothing is open."""

    def _completion(self, prompt: Prompt, text: str, ending: Ending) -> Completion:
        read = sum(map(count, (prompt.system, *(turn.text for turn in prompt.messages))))
        return Completion(text, self.name, self.model, read, count(text), ending=ending)


def tokens(text: str) -> Iterator[str]:
    """The text in pieces; joined, they are the text."""
    return (found.group() for found in TOKEN.finditer(text))


def count(text: str) -> int:
    """Tokens of a text."""
    return sum(1 for _ in tokens(text))


def written(prompt: Prompt) -> str:
    """What the grammar says to a prompt, without any limit."""
    asked = prompt.messages[-1].text if prompt.messages else prompt.system
    grammar = KOREAN if HANGUL.search(asked) else ENGLISH
    chance = _chance(msgspec.json.encode(prompt))
    subjects = SUBJECT.findall(asked)[-8:] or [grammar.nothing]
    return " ".join(_sentence(grammar, subjects, chance) for _ in range(SENTENCES))


def _limited(prompt: Prompt) -> tuple[str, Ending]:
    """The text up to the first stop sequence, or to the most tokens, and which it was."""
    text, ending = written(prompt), "end"
    stops = [at for stop in prompt.stop if stop and (at := text.find(stop)) >= 0]
    if stops:
        text, ending = text[: min(stops)], "stop"
    short = "".join(islice(tokens(text), prompt.most_tokens))
    return (short, "length") if short != text else (text, "stop" if ending == "stop" else "end")


def _sentence(grammar: Grammar, subjects: list[str], chance: Iterator[int]) -> str:
    pattern = grammar.patterns[next(chance) % len(grammar.patterns)]
    words = {
        role: choices[next(chance) % len(choices)]
        for role, choices in {**grammar.words, "subject": tuple(subjects)}.items()
    }
    return pattern.format_map(words)


def _chance(seed: bytes) -> Iterator[int]:
    """Whole numbers that only the seed decides."""
    state = blake2b(seed).digest()
    while True:
        state = blake2b(state).digest()
        yield int.from_bytes(state[:8], "little")
