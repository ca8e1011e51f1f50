"""From the bus to everybody who listens by WebSocket, each at its own pace.

Readers of the same topics are a group: a batch is joined once and written to each. Who can't take
it leaves the group and gets a place of its own in the ring, where it is overtaken and told so, and
comes back to the group once it has caught up. Nothing here waits for a reader.
"""

import asyncio
from dataclasses import dataclass, field

from emily_runtime.nerves.bus import Bus, Subscription
from emily_runtime.service.frames import Frames, Lost, Told, frame
from emily_runtime.service.guard import Socket

NAME = "websocket"
"""Of all readers, on the bus and in its metrics."""
AT_A_TIME = 256
"""Messages that are joined into one write."""


@dataclass(eq=False)
class Reader:
    """One connection and its place."""

    socket: Socket
    group: "Group | None" = None
    own: Subscription | None = None
    """Its own place in the ring, where it is not in step with its group."""
    wants_snapshots: bool = False
    lost: int = 0

    def tell(self, told: Told) -> None:
        """Send a word meant for this one alone."""
        self.write(frame(told))

    def write(self, data: bytes) -> None:
        """Send frames; to who has gone, nothing."""
        if self.socket.is_open:
            self.socket.transport.write(data)


@dataclass(eq=False)
class Group:
    """Readers of the same topics, in step."""

    topics: tuple[str, ...]
    subscription: Subscription
    readers: set[Reader] = field(default_factory=set)
    """Those in step and those who are behind."""
    task: "asyncio.Task[None] | None" = None


class Fanout:
    """All readers of one bus."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.frames = Frames(2 * bus.slots)
        self.readers: set[Reader] = set()
        self.lost = 0
        self.delivered = 0
        self._groups: dict[tuple[str, ...], Group] = {}
        self._is_pumping = False

    @property
    def is_watched(self) -> bool:
        """Whether somebody wants snapshots."""
        return any(reader.wants_snapshots for reader in self.readers)

    def join(self, socket: Socket) -> Reader:
        """A new connection, which hears nothing yet."""
        reader = Reader(socket)
        socket.paused = lambda: self._paused(reader)
        socket.resumed = lambda: self._resumed(reader)
        self.readers.add(reader)
        return reader

    def leave(self, reader: Reader) -> None:
        """It is gone."""
        self.unsubscribe(reader)
        self.readers.discard(reader)

    def subscribe(self, reader: Reader, topics: tuple[str, ...], since: int | None) -> None:
        """Hear these topics from now on, or from after SINCE, as far as that is held."""
        self.unsubscribe(reader)
        group = self._groups.get(topics)
        if group is None:
            group = Group(topics, self.bus.subscribe(*topics, name=NAME))
            self._groups[topics] = group
            group.task = asyncio.ensure_future(self._follow(group))
        self._pump(group)
        reader.group = group
        reader.own = self.bus.subscribe(*topics, since=since, name=NAME)
        group.readers.add(reader)
        if reader.own.missed:
            self._lose(reader, reader.own.missed, exact=not topics)
        self._catch_up(reader)

    def unsubscribe(self, reader: Reader) -> None:
        """Hear nothing; a group that nobody is left in ends."""
        group, reader.group = reader.group, None
        if reader.own:
            reader.own.close()
            reader.own = None
        if group is None:
            return
        group.readers.discard(reader)
        if not group.readers:
            del self._groups[group.topics]
            group.subscription.close()
            if group.task:
                group.task.cancel()

    def snapshot(self, told: Told) -> None:
        """The same to everybody who wants it and can take it."""
        data = frame(told)
        for reader in self.readers:
            if reader.wants_snapshots and reader.socket.is_ready:
                reader.write(data)

    async def _follow(self, group: Group) -> None:
        while True:
            await group.subscription.wait()
            self._pump(group)

    def _pump(self, group: Group) -> None:
        """Everything that was said, to everybody in step; who can't take more falls behind."""
        if self._is_pumping:
            return
        self._is_pumping = True
        try:
            while batch := group.subscription.read(AT_A_TIME):
                if not batch.items and not batch.lost:
                    break
                self._spread(group, self.frames.of(batch.items), len(batch.items), batch.lost)
        finally:
            self._is_pumping = False
        for reader in group.readers:
            if reader.own is None and not reader.socket.is_ready:
                self._fall_behind(reader)

    def _spread(self, group: Group, data: bytes, number: int, lost: int) -> None:
        for reader in group.readers:
            if reader.own is None:
                if lost:
                    self._lose(reader, lost)
                reader.write(data)
                self.delivered += number

    def _paused(self, reader: Reader) -> None:
        if reader.group and reader.own is None and not self._is_pumping:
            self._pump(reader.group)

    def _resumed(self, reader: Reader) -> None:
        if reader.own:
            self._catch_up(reader)

    def _fall_behind(self, reader: Reader) -> None:
        """Its place is where its group has just got to."""
        if reader.group:
            reader.own = self.bus.subscribe(*reader.group.topics, name=NAME)

    def _catch_up(self, reader: Reader) -> None:
        """As much as it takes; with nothing left, it is in step again."""
        group = reader.group
        if group is None:
            return
        self._pump(group)
        while reader.own and reader.socket.is_ready:
            batch = reader.own.read(AT_A_TIME)
            if batch.lost:
                self._lose(reader, batch.lost)
            if not batch.items:
                reader.own.close()
                reader.own = None
                return
            reader.write(self.frames.of(batch.items))
            self.delivered += len(batch.items)

    def _lose(self, reader: Reader, count: int, *, exact: bool = True) -> None:
        reader.lost += count
        self.lost += count
        reader.tell(Lost(count, exact))
