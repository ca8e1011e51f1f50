"""The bus against a reader that forgets nothing."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from emily_runtime.nerves.bus import Bus, Subscription
from emily_runtime.nerves.clock import VirtualClock

TOPICS = ("a", "b", "c")
CHOICES = st.lists(st.sampled_from(TOPICS), unique=True).map(tuple)


class _Readers(RuleBasedStateMachine):
    """Any publishing, joining, reading and leaving, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.bus = Bus(VirtualClock(), slots=4)
        self.log: list[str] = []
        self.readers: list[tuple[Subscription, tuple[str, ...], int, list[int]]] = []

    @rule(topic=st.sampled_from(TOPICS), number=st.integers(1, 9))
    def publish(self, topic: str, number: int) -> None:
        if number > 5:
            self.bus.publish_many(topic, [(one, "") for one in range(number)])
        else:
            number = len([self.bus.publish(topic, one) for one in range(number)])
        self.log += [topic] * number

    @rule(topics=CHOICES)
    def join(self, topics: tuple[str, ...]) -> None:
        self.readers.append((self.bus.subscribe(*topics), topics, len(self.log), []))

    @rule(who=st.integers(0, 9), most=st.none() | st.integers(1, 5))
    def read(self, who: int, most: int | None) -> None:
        if self.readers:
            subscription, _, _, got = self.readers[who % len(self.readers)]
            got += [message.sequence for message in subscription.read(most).items]

    @rule()
    def release(self) -> None:
        self.bus.release()

    @invariant()
    def everything_is_accounted_for(self) -> None:
        for subscription, topics, born, got in self.readers:
            since = [at for at, topic in enumerate(self.log) if at >= born]
            mine = [at for at in since if not topics or self.log[at] in topics]
            lag = subscription.state().lag
            assert subscription.delivered + subscription.lost + lag == len(mine)
            assert len(got) == subscription.delivered
            assert got == sorted(set(got))
            assert set(got) <= set(mine)


TestReaders = _Readers.TestCase
TestReaders.settings = settings(max_examples=25, stateful_step_count=25)


@given(st.lists(st.sampled_from(TOPICS), max_size=60), CHOICES, st.data())
def test_who_comes_back_gets_what_is_still_held_and_knows_how_much_is_not(
    said: list[str], topics: tuple[str, ...], data: st.DataObject
) -> None:
    bus = Bus(VirtualClock(), slots=4)
    for topic in said:
        bus.publish(topic, {})
    since = data.draw(st.integers(-1, len(said)))

    reader = bus.subscribe(*topics, since=since)
    got = [message.sequence for message in reader.read().items]

    mine = [at for at, topic in enumerate(said) if at > since and topic in (topics or TOPICS)]
    held = [[at for at in mine if said[at] == topic][-4:] for topic in TOPICS]
    assert got == sorted(at for lane in held for at in lane)
    assert reader.missed >= len(mine) - len(got)
    if not topics or set(said) <= set(topics):
        assert reader.missed == len(mine) - len(got)
    assert reader.lost == 0


@given(st.lists(st.sampled_from(TOPICS), max_size=20), st.data())
def test_who_listens_loses_nothing_that_is_let_go_and_who_comes_back_knows_it(
    said: list[str], data: st.DataObject
) -> None:
    bus = Bus(VirtualClock(), slots=32)
    listener = bus.subscribe()
    for topic in said:
        bus.publish(topic, {})
    read = [message.sequence for message in listener.read(data.draw(st.integers(0, 20))).items]

    bus.release()

    since = data.draw(st.integers(-1, len(said)))
    back = bus.subscribe(since=since)
    got = [message.sequence for message in back.read().items]
    rest, lost = listener.read()
    assert read + [message.sequence for message in rest] == list(range(len(said)))
    assert lost == 0
    assert got == [at for at in range(max(0, since + 1), len(said)) if at not in read]
    assert back.missed + len(got) == max(0, len(said) - since - 1)


def test_a_busy_topic_pushes_no_quiet_one_out() -> None:
    bus = Bus(VirtualClock(), slots=8)
    reader = bus.subscribe("quiet")
    bus.publish("quiet", "here")
    bus.publish_many("busy", [(one, "") for one in range(1_000)])

    items, lost = reader.read()

    assert [message.payload for message in items] == ["here"]
    assert lost == 0


def test_a_reader_of_all_hears_topics_that_come_later() -> None:
    async def run() -> list[str]:
        bus = Bus(VirtualClock())
        reader = bus.subscribe()
        heard: list[str] = []

        async def listen() -> None:
            while len(heard) < 3:
                await reader.wait()
                heard.extend(message.topic for message in reader.read().items)

        task = asyncio.create_task(listen())
        for topic in ("first", "second", "first"):
            await asyncio.sleep(0.001)
            bus.publish(topic, {})
        await asyncio.wait_for(task, 5)
        return heard

    assert asyncio.run(run()) == ["first", "second", "first"]


def test_a_reader_does_not_wake_for_what_it_did_not_ask_for() -> None:
    async def run() -> bool:
        bus = Bus(VirtualClock())
        bus.publish("mine", {})
        task = asyncio.create_task(bus.subscribe("mine").wait())
        await asyncio.sleep(0)
        bus.publish("other", {})
        await asyncio.sleep(0.001)
        is_asleep = not task.done()
        bus.publish("mine", {})
        await asyncio.wait_for(task, 5)
        return is_asleep

    assert asyncio.run(run())


def test_messages_carry_the_time_the_trace_and_a_number_over_all_topics() -> None:
    clock = VirtualClock()
    bus = Bus(clock)
    reader = bus.subscribe()
    bus.publish("a", {"x": 1}, "t1")
    clock.advance(0.5)
    bus.publish("b", {"y": 2})
    bus.publish_many("c", [(3, "t3"), (4, "t4")])

    assert reader.read().items == [
        (0, "a", 0, "t1", {"x": 1}),
        (1, "b", 500_000_000, "", {"y": 2}),
        (2, "c", 500_000_000, "t3", 3),
        (3, "c", 500_000_000, "t4", 4),
    ]


def test_what_a_reader_lost_is_remembered_when_it_has_gone() -> None:
    bus = Bus(VirtualClock(), slots=2)
    with bus.subscribe("a", name="slow") as reader:
        bus.publish_many("a", [(one, "") for one in range(5)])
        assert bus.occupancy() == 1.0
        reader.read()
        assert bus.readers() == (("slow", ("a",), 0, 2, 3),)

    assert bus.readers() == ()
    assert bus.lost() == 3
    assert bus.published == 5


@pytest.mark.parametrize("topics", [(), ("a",), ("a", "b")])
def test_a_reader_that_stands_still_wakes_for_nothing_it_has_read(topics: tuple[str, ...]) -> None:
    async def run() -> bool:
        bus = Bus(VirtualClock())
        reader = bus.subscribe(*topics)
        bus.publish("a", {})
        reader.read()
        task = asyncio.create_task(reader.wait())
        await asyncio.sleep(0.001)
        is_asleep = not task.done()
        task.cancel()
        return is_asleep

    assert asyncio.run(run())
