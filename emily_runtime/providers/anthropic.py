"""Anthropic's Messages API, version 2023-06-01."""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct, field

from emily_runtime.providers.dialect import Said, Told, Unlike
from emily_runtime.providers.model import Ending, Prompt

ENDINGS: Mapping[str, Ending] = {"max_tokens": "length", "stop_sequence": "stop"}


class _Usage(Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None

    def read(self) -> int | None:
        """All tokens that were read, cached or not: never less than what is billed for them."""
        if self.input_tokens is None:
            return None
        cached = (self.cache_creation_input_tokens, self.cache_read_input_tokens)
        return self.input_tokens + sum(tokens or 0 for tokens in cached)


class _Block(Struct):
    type: str = ""
    text: str = ""


class _Message(Struct):
    content: list[_Block]
    usage: _Usage
    stop_reason: str | None = None


class _Error(Struct):
    type: str = ""
    message: str = ""


class _Delta(Struct):
    type: str = ""
    text: str = ""
    stop_reason: str | None = None


class _Started(Struct):
    usage: _Usage = field(default_factory=_Usage)


class _Event(Struct):
    type: str
    message: _Started = field(default_factory=_Started)
    delta: _Delta = field(default_factory=_Delta)
    usage: _Usage = field(default_factory=_Usage)
    error: _Error = field(default_factory=_Error)


_message = msgspec.json.Decoder(_Message)
_event = msgspec.json.Decoder(_Event)


class Anthropic:
    """The dialect."""

    path = "/v1/messages"

    def headers(self, key: str) -> dict[str, str]:
        """Key and version."""
        return {"x-api-key": key, "anthropic-version": "2023-06-01"}

    def request(self, model: str, prompt: Prompt) -> dict[str, Any]:
        """The system prompt stands beside the messages, not among them."""
        optional = {
            "system": prompt.system or None,
            "temperature": prompt.temperature,
            "stop_sequences": list(prompt.stop) or None,
        }
        return {
            "model": model,
            "max_tokens": prompt.most_tokens,
            "messages": [{"role": turn.role, "content": turn.text} for turn in prompt.messages],
        } | {name: value for name, value in optional.items() if value is not None}

    def streaming(self) -> dict[str, Any]:
        """A stream always counts its tokens."""
        return {"stream": True}

    def answer(self, body: bytes) -> Said:
        """The text blocks, joined."""
        try:
            message = _message.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Unlike(str(error)) from None
        text = "".join(block.text for block in message.content if block.type == "text")
        read, wrote = message.usage.read(), message.usage.output_tokens
        return Said(text, read, wrote, ENDINGS.get(message.stop_reason or "", "end"), is_done=True)

    def heard(self, data: str, said: Said) -> str:
        """Events of a kind that is not known are passed over, as the protocol asks."""
        try:
            event = _event.decode(data)
        except (msgspec.DecodeError, UnicodeEncodeError) as error:
            raise Unlike(str(error)) from None
        if event.type == "error":
            raise Told(f"{event.error.type}: {event.error.message}")
        if event.type == "content_block_delta" and event.delta.type == "text_delta":
            said.text += event.delta.text
            return event.delta.text
        _note(event, said)
        return ""


def _note(event: _Event, said: Said) -> None:
    if event.type == "message_start":
        said.input_tokens = event.message.usage.read()
    elif event.type == "message_delta":
        said.output_tokens = event.usage.output_tokens
        said.ending = ENDINGS.get(event.delta.stop_reason or "", "end")
    elif event.type == "message_stop":
        said.is_done = True
