"""Two protocols over real connections, and all that may come back instead of an answer."""

import asyncio
import logging
import pickle
import traceback
from collections.abc import Callable

import pytest

from emily_runtime.messages import Refused
from emily_runtime.providers.failures import (
    Busy,
    Failed,
    Garbled,
    Late,
    NoEntry,
    Rejected,
    Unreachable,
)
from emily_runtime.providers.model import Completion, Part, Prompt
from emily_runtime.providers.prices import Price
from emily_runtime.providers.remote import Remote
from emily_runtime.providers.site import Key, Site
from tests.runtime.providers.prompts import prompt
from tests.runtime.providers.server import (
    KEY,
    Reply,
    Server,
    chunked,
    event,
    head,
    resets,
    says,
    serving,
    streams,
)
from tests.runtime.providers.speaking import (
    COST,
    TEXT,
    WORDS,
    as_claude,
    as_gpt,
    claude,
    claude_events,
    claude_message,
    gpt,
    gpt_events,
    gpt_message,
)

SPOKEN = [(as_claude, claude), (as_gpt, gpt)]
each_protocol = pytest.mark.parametrize(("reply", "speaks"), SPOKEN)
Speaks = Callable[[Server, float], Remote]


async def completed(
    reply: Reply, speaks: Speaks, asked: Prompt, seconds: float = 5.0
) -> Completion:
    async with serving(reply) as server:
        remote = speaks(server, seconds)
        try:
            return await remote.complete(asked)
        finally:
            await remote.close()


async def streamed(reply: Reply, speaks: Speaks, seconds: float = 5.0) -> list[Part]:
    async with serving(reply) as server:
        remote = speaks(server, seconds)
        try:
            return [part async for part in remote.stream(prompt())]
        finally:
            await remote.close()


@each_protocol
def test_a_whole_answer_is_read_counted_and_priced(reply: Reply, speaks: Speaks) -> None:
    said = asyncio.run(completed(reply, speaks, prompt(stop=("END",))))

    assert (said.text, said.ending) == (TEXT, "end")
    assert (said.input_tokens, said.output_tokens, said.cost_microdollars) == (12, 7, COST)


@each_protocol
def test_a_stream_gives_each_piece_and_at_last_the_whole(reply: Reply, speaks: Speaks) -> None:
    *parts, whole = asyncio.run(streamed(reply, speaks))

    assert tuple(parts) == WORDS
    assert isinstance(whole, Completion)
    assert (whole.text, whole.cost_microdollars) == (TEXT, COST)


@pytest.mark.parametrize(("events", "speaks"), [(claude_events, claude), (gpt_events, gpt)])
def test_a_stream_may_arrive_byte_by_byte(
    events: Callable[[], list[bytes]], speaks: Speaks
) -> None:
    data = b"".join(events()).replace(b"\n", b"\r\n")
    reply = streams(b": hello\r\n\r\n", *(data[at : at + 1] for at in range(len(data))))

    *parts, _ = asyncio.run(streamed(reply, speaks))

    assert tuple(parts) == WORDS


@pytest.mark.parametrize(
    ("body", "speaks", "ending"),
    [
        (claude_message(stop_reason="max_tokens"), claude, "length"),
        (claude_message(stop_reason="stop_sequence"), claude, "stop"),
        (claude_message(stop_reason="refusal"), claude, "end"),
        (gpt_message(finish_reason="length"), gpt, "length"),
        (gpt_message(None, finish_reason="content_filter"), gpt, "end"),
    ],
)
def test_an_answer_that_was_cut_says_so(
    body: dict[str, object], speaks: Speaks, ending: str
) -> None:
    said = asyncio.run(completed(says(200, body), speaks, prompt()))

    assert said.ending == ending


def test_tokens_that_nobody_counted_are_taken_at_their_most() -> None:
    body = {name: value for name, value in gpt_message().items() if name != "usage"}

    said = asyncio.run(completed(says(200, body), gpt, prompt(most_tokens=9)))

    assert said.output_tokens == 9
    assert said.input_tokens > len(prompt().messages[0].text)


TOLD = {"type": "error", "error": {"type": "overloaded_error", "message": "try later"}}
HUGE = b'{"content": "' + b"x" * (5 << 20)
BAD: list[tuple[Reply, type[Failed], str]] = [
    (says(429, TOLD, "retry-after: 7"), Busy, "HTTP 429: try later"),
    (says(500, b"<html>", kind="text/html"), Busy, "HTTP 500"),
    (says(503, b""), Busy, "HTTP 503"),
    (says(529, TOLD), Busy, "HTTP 529: try later"),
    (says(504, b""), Late, "HTTP 504"),
    (says(401, {"error": {"message": f"wrong key {KEY}"}}), NoEntry, "HTTP 401"),
    (says(403, b""), NoEntry, "HTTP 403"),
    (says(400, {"error": {"message": f"no\r\nmodel {KEY}"}}), Rejected, "400: no  model ..."),
    (says(404, {"error": "no such model"}), Rejected, "HTTP 404: no such model"),
    (says(413, b"[" * 100_000), Rejected, "HTTP 413"),
    (says(307, b"", "location: http://127.0.0.1:1/"), Garbled, "HTTP 307"),
    (says(200, b"{nothing"), Garbled, "JSON"),
    (says(200, b"[]"), Garbled, "object"),
    (says(200, {"choices": [], "content": 3}), Garbled, ""),
    (says(200, b'{"content": "\xff"}'), Garbled, ""),
    (says(200, b"<html>", kind="text/html"), Garbled, "text/html instead of"),
    (says(200, b"x", "content-encoding: gzip"), Garbled, "packed"),
    (says(200, HUGE), Garbled, "more than 4,194,304 bytes"),
    (resets(head(200, "application/json", "content-length: 99") + b'{"con'), Late, ""),
    (resets(), Late, ""),
    (streams(b'{"con', kind="application/json"), Garbled, "truncated"),
]


@pytest.mark.parametrize("speaks", [claude, gpt])
@pytest.mark.parametrize(("reply", "kind", "reason"), BAD)
def test_what_comes_instead_of_an_answer_is_told_without_the_key(
    reply: Reply, kind: type[Failed], reason: str, speaks: Speaks
) -> None:
    with pytest.raises(Failed) as failed:
        asyncio.run(completed(reply, speaks, prompt()))

    assert type(failed.value) is kind
    assert reason in str(failed.value.values["reason"])
    assert failed.value.__context__ is None or not has_key(failed.value.__context__)
    assert KEY not in failed.value.told("en") + failed.value.told("ko")


def has_key(error: BaseException) -> bool:
    return KEY in "".join(traceback.format_exception(error)) or hasattr(error, "request")


BAD_STREAMS: list[tuple[Reply, type[Failed], int]] = [
    (streams(*claude_events()[:5]), Late, 2),
    (chunked(*claude_events()[:4]), Late, 1),
    (resets(head(200, "text/event-stream"), *claude_events()[:4]), Late, 1),
    (streams(claude_events()[3], event(TOLD, "error")), Late, 1),
    (streams(claude_events()[3], event("{nothing")), Garbled, 1),
    (streams(event("[]")), Garbled, 0),
    (streams(b"data: " + b"x" * (2 << 20)), Garbled, 0),
    (streams(*[event({"type": "ping", "pad": "x" * 100_000})] * 50), Garbled, 0),
    (streams(b"data: \xff\n\n"), Garbled, 0),
    (streams(b""), Late, 0),
    (says(200, claude_message()), Garbled, 0),
    (says(529, TOLD), Busy, 0),
]


@pytest.mark.parametrize(("reply", "kind", "given"), BAD_STREAMS)
def test_a_stream_that_goes_wrong_gives_what_came_and_then_fails(
    reply: Reply, kind: type[Failed], given: int
) -> None:
    parts: list[Part] = []

    async def take() -> None:
        async with serving(reply) as server:
            async for part in claude(server).stream(prompt()):
                parts.append(part)

    with pytest.raises(Failed) as failed:
        asyncio.run(take())

    assert type(failed.value) is kind
    assert parts == list(WORDS[:given])


def test_a_slow_drip_has_its_end() -> None:
    pieces: list[bytes | float] = [b" ", 0.02]
    drip = streams(*pieces * 500, kind="application/json")

    with pytest.raises(Late, match="EMY-5004"):
        asyncio.run(completed(drip, claude, prompt(), 0.3))


def test_a_server_that_says_nothing_is_late() -> None:
    with pytest.raises(Late):
        asyncio.run(completed(streams(2.0, kind="application/json"), gpt, prompt(), 0.2))


def test_nobody_there_is_unreachable() -> None:
    async def ask() -> None:
        await claude(Server(1)).complete(prompt())

    with pytest.raises(Unreachable):
        asyncio.run(ask())


def test_no_log_and_no_text_of_ours_holds_the_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    site = Site("claude", "http://127.0.0.1:1", "m", Price(0, 0), key=Key(KEY))

    asyncio.run(completed(as_claude, claude, prompt()))
    with pytest.raises(Refused):
        asyncio.run(completed(says(401, b""), gpt, prompt()))

    assert KEY not in caplog.text + repr(site) + str(site)
    with pytest.raises(TypeError):
        pickle.dumps(site)


@pytest.mark.parametrize(
    ("address", "key", "word"),
    [
        ("http://models.example", KEY, "https"),
        ("ftp://127.0.0.1", KEY, "address"),
        ("https://user:pass@models.example", KEY, "credential"),
        ("https://models.example", "two\r\nlines", "character"),
        ("https://models.example", "한글", "character"),
    ],
)
def test_an_address_or_a_key_that_would_leak_is_refused(address: str, key: str, word: str) -> None:
    with pytest.raises(Refused) as refused:
        Site("claude", address, "m", Price(0, 0), key=Key(key))

    assert word in refused.value.told("en")
    assert key not in refused.value.told("en")
