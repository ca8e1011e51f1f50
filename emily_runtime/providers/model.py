"""What a language model is asked, what it answers, and what all providers have in common."""

from collections.abc import AsyncGenerator
from typing import Literal, Protocol, TypeAlias

from msgspec import Struct


class Turn(Struct, frozen=True):
    """One side's words."""

    role: Literal["user", "assistant"]
    text: str


class Prompt(Struct, frozen=True):
    """What a model is asked."""

    messages: tuple[Turn, ...]
    system: str = ""
    most_tokens: int = 512
    temperature: float | None = None
    """None leaves it to the model; some take no other value."""
    stop: tuple[str, ...] = ()


Ending: TypeAlias = Literal["end", "length", "stop"]


class Completion(Struct, frozen=True):
    """What a model answered, what that took, and who it was."""

    text: str
    provider: str
    model: str
    input_tokens: int
    output_tokens: int
    cost_microdollars: int = 0
    ending: Ending = "end"
    degraded: bool = False
    """Whether one that comes earlier in the order should have answered."""
    why: str = ""
    """What became of those."""


Part: TypeAlias = str | Completion
"""Of a stream: text, and at the end all of it as a completion."""


class Provider(Protocol):
    """Somebody who completes prompts."""

    name: str

    def ceiling(self, prompt: Prompt, /) -> int:
        """Microdollars that one call costs at most."""

    async def complete(self, prompt: Prompt) -> Completion:
        """The answer, once it is whole; Failed where there is none."""

    def stream(self, prompt: Prompt) -> AsyncGenerator[Part, None]:
        """The answer while it is written, and at last the completion; Failed as above."""

    async def close(self) -> None:
        """Let go of whatever is open."""
