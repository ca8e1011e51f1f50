"""The WebSocket: a conversation about what is to be heard."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import msgspec
from starlette.types import Message, Receive, Scope, Send

from emily_runtime import __version__
from emily_runtime.messages import Language, Refused, say
from emily_runtime.mind.ledger import Row
from emily_runtime.service.fanout import Fanout, Reader
from emily_runtime.service.frames import (
    Earlier,
    Hello,
    Reset,
    Subscribe,
    Subscribed,
    Trouble,
    Word,
    understood,
)
from emily_runtime.service.front import SUBPROTOCOL, respond
from emily_runtime.service.problems import Refusal
from emily_runtime.service.standing import Standing

MOST_READERS = 64
MOST_TOPICS = 64
TOO_MUCH = 20
"""Words that make no sense, after which the conversation is over."""
POLICY = 1008
"""The close code of who does not keep to it (RFC 6455)."""


Past = Callable[[str, int], Awaitable[Sequence[Row]]]
"""What durable topics said after a message of an instance; Refused where that can't be read."""


class Feed:
    """An ASGI application for /ws."""

    def __init__(self, fanout: Fanout, standing: Standing, past: Past) -> None:
        self.fanout = fanout
        self.standing = standing
        self.past = past

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Welcome a reader and listen to its wishes until it goes."""
        language = scope["state"]["language"]
        if scope["type"] != "websocket":
            return await respond(scope, send, Refusal(426, "EMY-2020"), language)
        await receive()
        if len(self.fanout.readers) >= MOST_READERS:
            full = Refusal(503, "EMY-2021", limit=MOST_READERS).later(5)
            return await respond(scope, send, full, language)
        offered = SUBPROTOCOL if SUBPROTOCOL in scope["subprotocols"] else None
        await send({"type": "websocket.accept", "subprotocol": offered})
        reader = self.fanout.join(scope["extensions"]["emily.socket"]["is"])
        standing = self.standing
        reader.tell(
            Hello(standing.instance, __version__, standing.colour, self.fanout.bus.published)
        )
        try:
            await self._converse(reader, receive, send, language)
        finally:
            self.fanout.leave(reader)

    async def _converse(
        self, reader: Reader, receive: Receive, send: Send, language: Language
    ) -> None:
        faults = 0
        while (message := await receive())["type"] == "websocket.receive":
            try:
                await self._obey(reader, _word(message), language)
            except Refusal as refusal:
                told = refusal.told(language)
                reader.tell(Trouble(told.code, told.detail, told.action))
                faults += 1
            if faults >= TOO_MUCH:
                await send({"type": "websocket.close", "code": POLICY})
                return

    async def _obey(self, reader: Reader, word: Word, language: Language) -> None:
        if not isinstance(word, Subscribe):
            reader.wants_snapshots = False
            self.fanout.unsubscribe(reader)
            return
        topics = tuple(sorted(set(word.topics)))
        if len(topics) > MOST_TOPICS:
            raise Refusal(422, "EMY-2019", reason=f"more than {MOST_TOPICS} topics")
        since, reader.wants_snapshots = word.since, word.snapshots
        reader.tell(Subscribed(list(topics)))
        if since is not None and not self._is_ours(word, since):
            since = await self._reset(reader, word, topics, language)
        self.fanout.subscribe(reader, topics, since)

    def _is_ours(self, word: Subscribe, since: int) -> bool:
        is_reached = -1 <= since < self.fanout.bus.published
        return is_reached and word.instance == self.standing.instance

    async def _reset(
        self, reader: Reader, word: Subscribe, topics: tuple[str, ...], language: Language
    ) -> int:
        """Say that the past is void, and what is kept of it; the number to go on from instead."""
        ours, following = self.standing.instance, self.fanout.bus.published
        told = say("EMY-2022", language, instance=word.instance or "?", ours=ours)
        reader.tell(Reset(ours, following, "EMY-2022", told.text, told.action))
        with suppress(Refused):  # its health tells; what is new can be heard all the same
            for row in await self.past(word.instance, word.since or 0):
                is_new = row.run == ours and row.sequence >= following
                if not is_new and (not topics or row.topic in topics):
                    reader.tell(Earlier(*row[:5], msgspec.Raw(row.payload)))
        return following - 1


def _word(message: Message) -> Word:
    try:
        return understood(message.get("text") or "")
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise Refusal(422, "EMY-2019", reason=str(error)[:200]) from None
