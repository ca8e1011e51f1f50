"""The random share that a drill restores."""

import tracemalloc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from emily_infra.backup.drilling.devices import Sieve
from emily_infra.backup.sample import Entry, draw, walk

ROOM = 1 << 60


def entries(sizes: list[int]) -> list[Entry]:
    return [Entry(b"%d" % number, size) for number, size in enumerate(sizes)]


@settings(deadline=None)
@given(sizes=st.lists(st.integers(0, 100), max_size=60), seed=st.integers(0, 2**63), data=st.data())
def test_the_seed_alone_decides_whatever_the_order(
    sizes: list[int], seed: int, data: st.DataObject
) -> None:
    listed = entries(sizes)
    shuffled = data.draw(st.permutations(listed))

    one, two = (draw(each, seed, files=5, size=80, room=ROOM) for each in (listed, shuffled))

    assert one == two


@settings(deadline=None)
@given(sizes=st.lists(st.integers(1, 100), max_size=60), seed=st.integers(0, 2**63))
def test_a_sample_has_as_many_files_and_bytes_as_asked(sizes: list[int], seed: int) -> None:
    sample = draw(entries(sizes), seed, files=5, size=80, room=ROOM)

    assert len(sample.paths) >= min(5, len(sizes))
    assert sample.bytes >= min(80, sum(sizes))
    assert (sample.of_files, sample.of_bytes) == (len(sizes), sum(sizes))


def test_each_file_is_as_likely_and_so_is_each_byte() -> None:
    listed = entries([0] * 50 + [10, 1000])

    by_file = Counter(
        path
        for seed in range(2000)
        for path in draw(listed, seed, files=5, size=0, room=ROOM).paths
    )
    by_byte = Counter(
        path for seed in range(500) for path in draw(listed, seed, files=1, size=1, room=ROOM).paths
    )

    assert all(130 < by_file[entry.path] < 260 for entry in listed[:50])  # 192 is expected
    assert by_byte[b"51"] > 480
    assert by_byte[b"50"] < 40


def test_what_has_no_room_is_counted_and_not_drawn() -> None:
    sample = draw(entries([5, 500, 7]), 1, files=3, size=10, room=100)

    assert set(sample.paths) == {b"0", b"2"}
    assert sample.too_large == 1


def test_memory_is_that_of_the_sample() -> None:
    def many() -> Iterator[Entry]:
        for number in range(50_000):
            yield Entry(b"folder/%d" % number, 1)

    tracemalloc.start()
    sample = draw(many(), 7, files=10, size=1 << 30, room=ROOM)

    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
    assert 100 <= len(sample.paths) <= 110


def test_a_walk_sees_everything_but_folders_and_sockets(tmp_path: Path) -> None:
    (tmp_path / "out" / "deep").mkdir(parents=True)
    (tmp_path / "in").mkdir()
    (tmp_path / "out" / "deep" / "file").touch()
    (tmp_path / "in" / "file").write_bytes(b"four")
    (tmp_path / "link").symlink_to("in")

    found = sorted(walk(bytes(tmp_path), {b"out"}.__contains__), key=lambda each: each.path)

    assert found == [Entry(b"in/file", 4), Entry(b"link", 0)]


def test_device_nodes_are_kept_back_and_counted() -> None:
    sieve = Sieve(keeps_back=True)

    assert list(sieve.through([Entry(b"a", 1), Entry(b"null", 0, is_device=True)])) == [
        Entry(b"a", 1)
    ]
    assert sieve.devices == 1
