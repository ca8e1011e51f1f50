"""The one family of errors that a person may meet."""

from typing import ClassVar


class EmilyError(Exception):
    """A failure with a code to search for, a message that says what happened, and the next move."""

    code: ClassVar[str]

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint
