"""Every message by its code, in both languages: what happened, and what to do."""

from emily_runtime.messages.command import COMMAND
from emily_runtime.messages.edge import EDGE
from emily_runtime.messages.flags import FLAGS
from emily_runtime.messages.http import HTTP
from emily_runtime.messages.memory import MEMORY
from emily_runtime.messages.message import Catalogue, Language, Message
from emily_runtime.messages.mind import MIND
from emily_runtime.messages.nerves import NERVES
from emily_runtime.messages.providers import PROVIDERS

__all__ = ["CATALOGUE", "Language", "Message", "Refused", "say"]

CATALOGUE: Catalogue = EDGE | HTTP | MEMORY | PROVIDERS | FLAGS | NERVES | MIND | COMMAND


def say(code: str, language: Language, **values: object) -> Message:
    """A message with its holes filled."""
    message = CATALOGUE[code][language]
    return Message(message.text.format(**values), message.action.format(**values))


class Refused(Exception):
    """What cannot be done, told to a person: the code of its message and what belongs into it."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values

    def told(self, language: Language) -> str:
        """Two lines for a person."""
        message = say(self.code, language, **self.values)
        return f"{self.code}: {message.text}\n  {message.action}"
