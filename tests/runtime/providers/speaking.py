"""What the two protocols look like on the wire, after their documentation."""

import asyncio
from typing import Any

from emily_runtime.nerves.clock import Clock, RealClock
from emily_runtime.providers.anthropic import Anthropic
from emily_runtime.providers.openai import OpenAi
from emily_runtime.providers.prices import Price
from emily_runtime.providers.remote import Remote
from emily_runtime.providers.site import Key, Site
from tests.runtime.providers.server import KEY, Reply, Request, Server, event, says, streams

PRICE = Price(3_000_000, 15_000_000)
WORDS = ("The tank", " is full", ", 한글.")
TEXT = "".join(WORDS)
COST = 12 * 3 + 7 * 15
"""Microdollars of 12 tokens read and 7 written."""


def claude_message(text: str = TEXT, stop_reason: str = "end_turn") -> dict[str, Any]:
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-test",
        "content": [{"type": "text", "text": text}],
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": {"input_tokens": 12, "output_tokens": 7},
    }


def claude_events(words: tuple[str, ...] = WORDS) -> list[bytes]:
    started = claude_message() | {"content": [], "stop_reason": None}
    started["usage"] = {"input_tokens": 12, "output_tokens": 1}
    deltas = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}}
        for word in words
    ]
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text"}}
    ended = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}
    data: list[dict[str, Any]] = [
        {"type": "message_start", "message": started},
        block,
        {"type": "ping"},
        *deltas,
        {"type": "content_block_stop", "index": 0},
        {"type": "something_new", "delta": {"type": "unheard_of"}},
        ended | {"usage": {"output_tokens": 7}},
        {"type": "message_stop"},
    ]
    return [event(one, one["type"]) for one in data]


def gpt_message(text: str | None = TEXT, finish_reason: str = "stop") -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "gpt-test",
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
        "usage": {"prompt_tokens": 12, "completion_tokens": 7, "total_tokens": 19},
    }


def gpt_events(words: tuple[str, ...] = WORDS) -> list[bytes]:
    first: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas = [{"index": 0, "delta": delta} for delta in [*first, *({"content": w} for w in words)]]
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "usage": None}
    ended = chunk | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    usage = {"prompt_tokens": 12, "completion_tokens": 7}
    counted = chunk | {"choices": [], "usage": usage}
    words_first = [event(chunk | {"choices": [delta]}) for delta in deltas]
    return [*words_first, event(ended), event(counted), event("[DONE]")]


async def as_claude(writer: asyncio.StreamWriter, request: Request) -> None:
    """Answers what Anthropic's API would, and 4xx where it would."""
    good: Reply = (
        streams(*claude_events()) if "stream" in request.body else says(200, claude_message())
    )
    body = request.body
    wrong = request.path != "/v1/messages" or not {"model", "max_tokens", "messages"} <= set(body)
    wrong |= any(turn["role"] not in ("user", "assistant") for turn in body["messages"])
    wrong |= request.headers.get("anthropic-version") != "2023-06-01"
    entered = request.headers.get("x-api-key") == KEY
    await (says(400, b"") if wrong else good if entered else says(401, b""))(writer, request)


async def as_gpt(writer: asyncio.StreamWriter, request: Request) -> None:
    """Answers what a server of chat completions would."""
    stream = request.body.get("stream")
    good: Reply = streams(*gpt_events()) if stream else says(200, gpt_message())
    wrong = request.path != "/chat/completions" or not {"model", "messages"} <= set(request.body)
    wrong |= bool(stream) and request.body["stream_options"] != {"include_usage": True}
    entered = request.headers.get("authorization") == f"Bearer {KEY}"
    await (says(400, b"") if wrong else good if entered else says(401, b""))(writer, request)


def claude(server: Server, seconds: float = 5.0, clock: Clock | None = None) -> Remote:
    site = Site("claude", server.address, "claude-test", PRICE, seconds, Key(KEY))
    return Remote(Anthropic(), site, clock or RealClock())


def gpt(server: Server, seconds: float = 5.0, clock: Clock | None = None) -> Remote:
    site = Site("gpt", server.address, "gpt-test", PRICE, seconds, Key(KEY))
    return Remote(OpenAi(), site, clock or RealClock())
