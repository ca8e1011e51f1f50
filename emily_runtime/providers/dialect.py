"""What differs between two protocols of language models; everything else is shared."""

from typing import Any, Protocol

from msgspec import Struct

from emily_runtime.providers.model import Ending, Prompt


class Unlike(ValueError):
    """A message that is not what the protocol says; the text says where."""


class Told(ValueError):
    """An error that the provider sends within a stream."""


class Said(Struct):
    """What has been answered so far; the tokens are None until the provider counts them."""

    text: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    ending: Ending = "end"
    is_done: bool = False
    """Whether the provider said that this is all."""


class Dialect(Protocol):
    """One protocol: pure, without any connection."""

    path: str
    """Of the call, below the provider's address."""

    def headers(self, key: str) -> dict[str, str]:
        """What goes with every call."""

    def request(self, model: str, prompt: Prompt) -> dict[str, Any]:
        """The body of a call."""

    def streaming(self) -> dict[str, Any]:
        """What the body holds besides where a stream is asked for."""

    def answer(self, body: bytes) -> Said:
        """What a whole answer says; Unlike."""

    def heard(self, data: str, said: Said) -> str:
        """The text that an event adds, the rest noted in SAID; Unlike, Told."""
