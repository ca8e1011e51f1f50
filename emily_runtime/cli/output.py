"""What a command prints: text for a person, or one JSON document."""

import sys
from typing import NamedTuple

from emily_runtime.messages import Language

DONE, REFUSED, USAGE, FOUND = 0, 1, 2, 3
"""Exit codes: done; refused with a code and the next move; a wrong command line; found a fault."""


class Output(NamedTuple):
    """How to print, and in which language."""

    language: Language
    is_json: bool = False

    def say(self, text: str, document: object) -> None:
        """TEXT for a person, or DOCUMENT for a program; to standard output."""
        if self.is_json:
            import msgspec

            text = msgspec.json.encode(document, enc_hook=str).decode()
        print(text)  # noqa: T201

    def tell(self, text: str) -> None:
        """A line beside the result; to standard error."""
        print(text, file=sys.stderr)  # noqa: T201
