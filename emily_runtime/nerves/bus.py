"""Messages by topic, each with its own ring, so that a busy one pushes no quiet one out."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from operator import itemgetter
from types import TracebackType
from typing import Any, NamedTuple

from emily_runtime.nerves.clock import Clock
from emily_runtime.nerves.ring import Batch, Cursor, Ring, written

_SEQUENCE = itemgetter(0)
_new = tuple.__new__  # half the time of Message(...), which is written in Python


class Message(NamedTuple):
    """What was said, once, to whoever listens."""

    sequence: int
    """Its number on the bus, over all topics, from 0."""
    topic: str
    at_ns: int
    """The clock's monotonic nanoseconds."""
    trace: str
    """What it came of; empty where nothing did."""
    payload: Any
    """A JSON-able dict, a Struct or a NamedTuple; nobody may change it."""


class Reader(NamedTuple):
    """How a subscription keeps up."""

    name: str
    topics: tuple[str, ...]
    """None are all."""
    lag: int
    delivered: int
    lost: int


class Bus:
    """One loop publishes; readers come, fall behind and go without its noticing."""

    def __init__(self, clock: Clock, slots: int = 1024) -> None:
        self.clock = clock
        self.slots = slots
        self.published = 0
        """How many messages there have been, which is the number of the next one."""
        self._now = clock.monotonic_ns
        self._lanes: dict[str, Ring[Message]] = {}
        self._opened: Ring[Message] = Ring(1)
        """Written with the first message of every topic, to wake whom it may concern."""
        self._subscriptions: list[Subscription] = []
        self._lost_by_the_gone = 0

    def publish(self, topic: str, payload: object, trace: str = "") -> int:
        """Say something; its number."""
        sequence = self.published
        self.published = sequence + 1
        message = _new(Message, (sequence, topic, self._now(), trace, payload))
        lane = self._lanes.get(topic)
        if lane is None:
            lane = self._open(message)
        lane.put(message)
        return sequence

    def publish_many(self, topic: str, said: Iterable[tuple[object, str]]) -> None:
        """Say many things, each with its trace, at one moment, for half the price."""
        now, first = self._now(), self.published
        messages = [
            _new(Message, (at, topic, now, trace, payload))
            for at, (payload, trace) in enumerate(said, first)
        ]
        self.published = first + len(messages)
        if messages:
            (self._lanes.get(topic) or self._open(messages[0])).extend(messages)

    def subscribe(
        self, *topics: str, since: int | None = None, name: str = "reader"
    ) -> "Subscription":
        """Hear these topics, or all, from now on, or first what is still held after number SINCE.

        A number that this bus has not reached, such as one from before a restart, is from now on.
        """
        subscription = Subscription(self, topics, since, name)
        self._subscriptions.append(subscription)
        return subscription

    def topics(self) -> dict[str, int]:
        """How many messages each topic has had."""
        return {topic: lane.head for topic, lane in self._lanes.items()}

    def readers(self) -> tuple[Reader, ...]:
        """Everybody who listens."""
        return tuple(one.state() for one in self._subscriptions)

    def lost(self) -> int:
        """How many messages have been overwritten before a reader got them, over all readers."""
        return self._lost_by_the_gone + sum(one.lost for one in self._subscriptions)

    def occupancy(self) -> float:
        """How much of a ring the slowest reader leaves full, in 0..1; at 1, it loses."""
        lags = [one.fill() for one in self._subscriptions]
        return min(1.0, max(lags, default=0) / self.slots)

    def lane(self, topic: str) -> Ring[Message] | None:
        """The ring of a topic that has had a message."""
        return self._lanes.get(topic)

    def opened(self) -> Ring[Message]:
        """What is written to when a topic has its first message."""
        return self._opened

    def leave(self, subscription: "Subscription") -> None:
        """Forget a reader, but not what it lost."""
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
            self._lost_by_the_gone += subscription.lost

    def release(self) -> None:
        """Let go of what everybody who listens has read; who comes back for it has missed it."""
        for topic, lane in self._lanes.items():
            behind = max((one.behind(topic) for one in self._subscriptions), default=0)
            lane.release(lane.head - behind)

    def _open(self, message: Message) -> Ring[Message]:
        lane = self._lanes[message.topic] = Ring(self.slots)
        self._opened.put(message)
        return lane


class Subscription:
    """A reader of some topics, in the order of publishing; `delivered + lost` is what there was."""

    def __init__(self, bus: Bus, topics: tuple[str, ...], since: int | None, name: str) -> None:
        self.name = name
        self.missed = 0
        """How many after SINCE were overwritten before it began: exact for a reader of all topics,
        and at most so many for a reader of some."""
        self._bus = bus
        self._topics = topics
        self._cursors: dict[str, Cursor[Message]] = {}
        self._known = 0
        self._join(since)

    @property
    def delivered(self) -> int:
        """How many messages it has got."""
        return sum(cursor.delivered for cursor in self._cursors.values())

    @property
    def lost(self) -> int:
        """How many were overwritten before it read them, as counted by its reads."""
        return sum(cursor.lost for cursor in self._cursors.values())

    def read(self, most: int | None = None) -> Batch[Message]:
        """The next messages, at most MOST, without waiting."""
        self._meet()
        cursors = self._cursors
        if len(cursors) == 1:
            return next(iter(cursors.values())).read(most)
        lost = sum(cursor.skip() for cursor in cursors.values())
        peeked = [message for cursor in cursors.values() for message in cursor.peek()]
        peeked.sort(key=_SEQUENCE)
        items = peeked[:most]
        for topic, number in Counter(message.topic for message in items).items():
            cursors[topic].take(number)
        return Batch(items, lost)

    async def wait(self) -> None:
        """Return when there is something to read."""
        while not self._lag():
            lanes = [lane for topic in self._cursors if (lane := self._bus.lane(topic))]
            if len(lanes) < len(self._topics) or not self._topics:
                lanes.append(self._bus.opened())
            await written(lanes)

    def state(self) -> Reader:
        """How it keeps up."""
        return Reader(self.name, self._topics, self._lag(), self.delivered, self.lost)

    def fill(self) -> int:
        """The longest of its lags, over its topics."""
        self._meet()
        return max((cursor.lag for cursor in self._cursors.values()), default=0)

    def behind(self, topic: str) -> int:
        """How many messages of a topic it has neither got nor lost count of."""
        self._meet()
        cursor = self._cursors.get(topic)
        return cursor.lag if cursor else 0

    def close(self) -> None:
        """Listen no more."""
        self._bus.leave(self)

    def __enter__(self) -> "Subscription":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _lag(self) -> int:
        self._meet()
        return sum(cursor.lag for cursor in self._cursors.values())

    def _meet(self) -> None:
        """Follow topics that have been opened since, from their first message."""
        if self._bus.opened().head == self._known:
            return
        self._known = self._bus.opened().head
        for topic in self._topics or self._bus.topics():
            lane = self._bus.lane(topic)
            if lane and topic not in self._cursors:
                self._cursors[topic] = Cursor(lane, 0)

    def _join(self, since: int | None) -> None:
        bus = self._bus
        self._known = bus.opened().head
        bounds = 0
        for topic in self._topics or bus.topics():
            lane = bus.lane(topic)
            if lane is None:
                continue
            start, gone = _after(lane, since)
            bounds += gone
            self._cursors[topic] = Cursor(lane, start)
        if bounds and since is not None:
            self.missed = min(bounds, _overwritten(bus, since))


def _after(lane: Ring[Message], since: int | None) -> tuple[int, int]:
    """The first held item after message SINCE, and how many before it may be after SINCE, too."""
    if since is None:
        return lane.head, 0
    held = lane.between(lane.oldest, lane.head)
    if not held:
        return lane.head, lane.head
    place = bisect_right(held, since, key=_SEQUENCE)
    gap = held[0].sequence - since - 1 if place == 0 else 0
    return lane.oldest + place, min(lane.oldest, gap)


def _overwritten(bus: Bus, since: int) -> int:
    """How many messages after SINCE the whole bus no longer holds."""
    held = 0
    for topic in bus.topics():
        lane = bus.lane(topic)
        if lane:
            held += lane.head - _after(lane, since)[0]
    return max(0, bus.published - since - 1 - held)
