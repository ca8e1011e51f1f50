"""What a message is: what happened, and what to do, in both languages."""

from typing import Literal, NamedTuple, TypeAlias

Language = Literal["en", "ko"]


class Message(NamedTuple):
    """Text with named holes."""

    text: str
    action: str


Catalogue: TypeAlias = dict[str, dict[Language, Message]]
"""Messages by their code."""
