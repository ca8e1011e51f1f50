"""The WebSocket: a conversation about what is to be heard."""

import msgspec
from starlette.types import Message, Receive, Scope, Send

from emily_runtime import __version__
from emily_runtime.messages import Language
from emily_runtime.service.fanout import Fanout, Reader
from emily_runtime.service.frames import (
    Hello,
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


class Feed:
    """An ASGI application for /ws."""

    def __init__(self, fanout: Fanout, standing: Standing) -> None:
        self.fanout = fanout
        self.standing = standing

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
                self._obey(reader, _word(message))
            except Refusal as refusal:
                told = refusal.told(language)
                reader.tell(Trouble(told.code, told.detail, told.action))
                faults += 1
            if faults >= TOO_MUCH:
                await send({"type": "websocket.close", "code": POLICY})
                return

    def _obey(self, reader: Reader, word: Word) -> None:
        if not isinstance(word, Subscribe):
            reader.wants_snapshots = False
            return self.fanout.unsubscribe(reader)
        topics = tuple(sorted(set(word.topics)))
        if len(topics) > MOST_TOPICS:
            raise Refusal(422, "EMY-2019", reason=f"more than {MOST_TOPICS} topics")
        known = not word.instance or word.instance == self.standing.instance
        since = word.since if known else None
        if since is not None and not -1 <= since < self.fanout.bus.published:
            since = None
        restarted = word.since is not None and since is None
        reader.tell(Subscribed(list(topics), restarted))
        reader.wants_snapshots = word.snapshots
        return self.fanout.subscribe(reader, topics, since)


def _word(message: Message) -> Word:
    try:
        return understood(message.get("text") or "")
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise Refusal(422, "EMY-2019", reason=str(error)[:200]) from None
