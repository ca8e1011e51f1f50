"""Every reader gets every item in order, or is told exactly how many it lost."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emily_runtime.nerves.ring import Cursor, Ring

WRITES = st.integers(0, 40)
ACTIONS = st.lists(
    st.tuples(st.sampled_from(["put", "extend", "read", "join"]), WRITES, st.integers(0, 3)),
    max_size=60,
)


class _Model:
    """A reader that forgets nothing, to compare with."""

    def __init__(self, cursor: Cursor[int], born: int) -> None:
        self.cursor = cursor
        self.born = born
        self.got: list[int] = []
        self.lost = 0

    def read(self, most: int | None) -> None:
        items, lost = self.cursor.read(most)
        self.got += items
        self.lost += lost


@given(st.sampled_from([1, 2, 4, 8]), ACTIONS)
def test_delivered_and_lost_add_up_to_what_was_written_since(
    slots: int, actions: list[tuple[str, int, int]]
) -> None:
    ring: Ring[int] = Ring(slots)
    readers = [_Model(ring.cursor(), 0)]
    for what, number, who in actions:
        if what == "put":
            ring.put(ring.head)
        elif what == "extend":
            ring.extend(list(range(ring.head, ring.head + number)))
        elif what == "join":
            readers.append(_Model(ring.cursor(), ring.head))
        else:
            readers[who % len(readers)].read(number or None)

    for reader in readers:
        reader.read(None)
        cursor = reader.cursor
        assert len(reader.got) + reader.lost == ring.head - reader.born
        assert (cursor.delivered, cursor.lost, cursor.lag) == (len(reader.got), reader.lost, 0)
        assert reader.got == sorted(set(reader.got))
        assert reader.got[-slots:] == list(range(max(reader.born, ring.oldest), ring.head))


def test_what_was_lost_is_the_oldest() -> None:
    ring: Ring[str] = Ring(4)
    cursor = ring.cursor()
    for letter in "abcdef":
        ring.put(letter)

    assert cursor.read(3) == (["c", "d", "e"], 2)
    assert cursor.read() == (["f"], 0)
    assert cursor.read() == ([], 0)


@pytest.mark.parametrize("slots", [0, -4, 3, 1000])
def test_slots_are_a_power_of_two(slots: int) -> None:
    with pytest.raises(ValueError, match="a power of two"):
        Ring(slots)


def test_a_waiting_reader_is_woken_once_for_a_burst() -> None:
    async def run() -> list[list[int]]:
        ring: Ring[int] = Ring(64)
        cursor = ring.cursor()
        batches: list[list[int]] = []

        async def reader() -> None:
            while True:
                await cursor.wait()
                batches.append(cursor.read().items)

        task = asyncio.create_task(reader())
        for burst in (3, 2):
            await asyncio.sleep(0)
            for number in range(burst):
                ring.put(number)
            await asyncio.sleep(0.001)
        task.cancel()
        return batches

    assert asyncio.run(run()) == [[0, 1, 2], [0, 1]]


def test_readers_that_never_read_cost_the_writer_nothing() -> None:
    async def scheduled(waiting: int) -> int:
        ring: Ring[int] = Ring(8)
        loop = asyncio.get_running_loop()
        tasks = [asyncio.create_task(ring.cursor().wait()) for _ in range(waiting)]
        await asyncio.sleep(0)
        before = len(loop._ready)  # type: ignore[attr-defined]
        for number in range(100):
            ring.put(number)
        after = len(loop._ready)  # type: ignore[attr-defined]
        await asyncio.gather(*tasks)
        return after - before

    assert asyncio.run(scheduled(0)) == 0
    assert asyncio.run(scheduled(1)) == asyncio.run(scheduled(500)) == 1


def test_a_cancelled_wait_leaves_nothing_behind() -> None:
    async def run() -> int:
        ring: Ring[int] = Ring(8)
        task = asyncio.create_task(ring.cursor().wait())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        return len(ring.waiting)

    assert asyncio.run(run()) == 0
