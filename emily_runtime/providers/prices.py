"""What a model costs; the figures are data, and the configuration may say others."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from emily_runtime.messages import Refused
from emily_runtime.providers.model import Prompt

MILLION = 1_000_000
EDITION = re.compile(r"-(\d{8}|\d{4}-\d\d-\d\d|latest)$")
FRAME_TOKENS = 64
"""What a request holds besides its texts, and each of its messages again: markers of roles."""


class Price(NamedTuple):
    """Microdollars for a million tokens, of what is read and of what is written."""

    input: int
    output: int

    def of(self, input_tokens: int, output_tokens: int) -> int:
        """Microdollars, rounded up."""
        return -(-(input_tokens * self.input + output_tokens * self.output) // MILLION)


def _dollars(read: float, written: float) -> Price:
    return Price(round(read * MILLION), round(written * MILLION))


KNOWN: Mapping[str, Price] = {
    "claude-opus-4-5": _dollars(5, 25),
    "claude-opus-4-1": _dollars(15, 75),
    "claude-sonnet-4-5": _dollars(3, 15),
    "claude-haiku-4-5": _dollars(1, 5),
    "gpt-5": _dollars(1.25, 10),
    "gpt-5-mini": _dollars(0.25, 2),
    "gpt-5-nano": _dollars(0.05, 0.4),
    "gpt-4.1": _dollars(2, 8),
    "gpt-4.1-mini": _dollars(0.4, 1.6),
    "gpt-4o": _dollars(2.5, 10),
    "gpt-4o-mini": _dollars(0.15, 0.6),
}
"""List prices of the end of 2025; a provider may change its own at any time."""


def price(model: str, told: Mapping[str, tuple[float, float]]) -> Price:
    """What the configuration says, else what is known here, for this edition or for any.

    Refused where nobody says it: a free guess would be no budget.
    """
    for name in (model, EDITION.sub("", model)):
        if name in told:
            return _dollars(*told[name])
        if name in KNOWN:
            return KNOWN[name]
    raise Refused("EMY-5012", model=model)


def most_input_tokens(prompt: Prompt) -> int:
    """More than any tokenizer makes of it: a token stands for one byte of UTF-8 at least."""
    texts = (prompt.system, *(turn.text for turn in prompt.messages))
    letters = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
    return letters + FRAME_TOKENS * (1 + len(prompt.messages))
