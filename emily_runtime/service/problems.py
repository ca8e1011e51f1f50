"""A refusal as RFC 9457 has it, with the code of its message, in the caller's language."""

from http import HTTPStatus

import msgspec

from emily_runtime.messages import Language, say

MEDIA_TYPE = "application/problem+json"
LATER = {"EMY-2015": 5}
"""Seconds after which to ask again, where one is not the answer."""


class Problem(msgspec.Struct, frozen=True):
    """What a refused caller reads."""

    title: str
    status: int
    code: str
    detail: str
    action: str


class Refusal(Exception):
    """A request that is not served: the status, and the message with what belongs into it."""

    def __init__(self, status: int, code: str, **values: object) -> None:
        super().__init__(code)
        self.status, self.code, self.values = status, code, values
        self.headers: dict[str, str] = {}

    def later(self, seconds: int) -> "Refusal":
        """The same, with the time after which to ask again."""
        self.headers["retry-after"] = str(seconds)
        return self

    def told(self, language: Language) -> Problem:
        """For whoever asked, in a language of theirs."""
        message = say(self.code, language, **self.values)
        title = HTTPStatus(self.status).phrase
        return Problem(title, self.status, self.code, message.text, message.action)


def language_of(wanted: str, otherwise: Language) -> Language:
    """The first language of Accept-Language that we speak; its weights are not looked at."""
    for choice in wanted.split(",")[:16]:
        name = choice.strip()[:2].lower()
        if name in ("en", "ko"):
            return "ko" if name == "ko" else "en"
    return otherwise


def headers_of(refusal: Refusal, language: Language) -> dict[str, str]:
    """The headers that go with it."""
    return {"content-type": MEDIA_TYPE, "content-language": language, **refusal.headers}


def on_the_wire(refusal: Refusal, language: Language) -> bytes:
    """A whole HTTP/1.1 reply, for a request that never became one; the connection closes."""
    body = msgspec.json.encode(refusal.told(language))
    headers = {
        **headers_of(refusal, language),
        "content-length": str(len(body)),
        "cache-control": "no-store",
        "connection": "close",
    }
    lines = [f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body
