"""Row 12: what it costs to remember and to recall, beside sqlite-vec where it is installed."""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np

from emily_runtime.bench import remembered
from emily_runtime.bench.peers.peer import Absent, Around, peer
from emily_runtime.bench.row import (
    NOT_RUN,
    REPEATS,
    Row,
    Work,
    by_the_clock,
    cpu_seconds,
    in_turn,
    not_run,
    ratio,
)
from emily_runtime.memory.embedding import embed
from emily_runtime.memory.episode import DIMENSIONS, Episode, Vector
from emily_runtime.memory.sqlite.store import SqliteStore
from emily_runtime.memory.vectors import ROWS, Vectors

SIZES = {10_000: 8.0, 100_000: 4.0}
"""How many episodes, and how many times quicker than sqlite-vec."""
ASKED = 20
INSERTS = 300
_INSERT_GOAL = 0.2
_ADD_GOAL = 20.0
ADDED = 40
_RECALL_GOAL = 0.98
_BATCH = 500


def rows(around: Around, sizes: dict[int, float] | None = None) -> Iterator[Row]:
    """All of row 12; some 100 MB on disk and a minute."""
    for count, goal in (sizes or SIZES).items():
        episodes = remembered.episodes(count)
        yield _nearest(around, count, goal, episodes)
        with tempfile.TemporaryDirectory() as folder:
            yield from asyncio.run(_store(Path(folder), episodes))
    yield from _beside_mem0(around)
    yield _cold()
    yield _embedding()


def _nearest(around: Around, count: int, goal: float, episodes: list[Episode]) -> Row:
    held, matrix = Vectors(2 * count), np.stack([one.vector for one in episodes])
    held.add(np.arange(1, count + 1), matrix)
    copy = np.empty_like(matrix)
    asked = remembered.vectors(ASKED, seed=99)
    found: list[list[int]] = []

    def ours() -> None:
        found[:] = [held.nearest(vector, 10).numbers.tolist() for vector in asked]

    works: dict[str, Work] = {
        "ours": ours,
        "product": lambda: [matrix @ vector for vector in asked],
        "copy": partial(_copied, matrix, copy),
    }
    with peer(around, "by_sqlite_vec", count=count, asked=ASKED) as theirs:
        if not isinstance(theirs, Absent):
            works["peer"] = theirs
        times = in_turn(works)
    speeds = [ASKED * matrix.nbytes / median(times[name]) / 1e9 for name in ("product", "copy")]
    mine = (
        f"{_ms(times['ours'])} CPU-ms ({_ms(times['product'])} for the bare product, "
        f"which reads {speeds[0]:.0f} GB/s; a copy reads {speeds[1]:.0f})"
    )
    what, wanted = f"10 nearest of {count:,}, exactly", f"{goal:g} times sqlite-vec"
    if isinstance(theirs, Absent):
        return Row("12", what, mine, theirs.why, NOT_RUN, wanted, None)
    faster = ratio(times["peer"], times["ours"])
    is_same = theirs.told["found"] == found
    other = f"{_ms(times['peer'])} CPU-ms, {theirs.version}, {'the same' if is_same else 'OTHER'}"
    return Row("12", what, mine, other, str(faster), wanted, is_same and faster.reaches(goal))


def _copied(matrix: Vector, copy: Vector) -> None:
    for _ in range(ASKED):
        np.copyto(copy, matrix)


async def _store(folder: Path, episodes: list[Episode]) -> list[Row]:
    """Whole calls, with the way to a thread and back and ten episodes decoded."""
    store = SqliteStore(folder)
    await store.open()
    for begin in range(0, len(episodes), _BATCH):
        await store.add(episodes[begin : begin + _BATCH])
    await store.tidy()
    size = f"of {len(episodes):,}"
    pairs = [" ".join(one.text.split()[:2]) for one in episodes[:ASKED]]
    vectors = remembered.vectors(ASKED, seed=98)
    by_text = await _each(lambda n: store.by_text(pairs[n], 10))
    by_vector = await _each(lambda n: store.by_vector(vectors[n], 10))
    both = await _each(lambda n: store.search(pairs[n], vectors[n], 10))
    new = remembered.episodes(INSERTS, seed=7)
    insert = await _each(lambda n: store.add([new[n]]), INSERTS)
    await store.close()
    found = f"{by_text:.2f} / {by_vector:.2f} / {both:.2f} ms"
    return [
        Row("12", f"a call, top 10 {size}: text / vector / both", found, "", "", "", None),
        Row("12", f"one committed insert to {size[3:]}, p50", f"{insert:.3f} ms", "", "",
            f"{_INSERT_GOAL} ms", by_the_clock(held=insert <= _INSERT_GOAL)),
    ]  # fmt: skip


def _beside_mem0(around: Around) -> Iterator[Row]:
    """Texts added one after the other, and all of them by callers of their own at once."""
    wanted = f"{_ADD_GOAL:g} times Mem0"
    episodes = remembered.episodes(2 * ADDED * (REPEATS + 1), seed=8)
    parts = iter([episodes[at : at + ADDED] for at in range(0, len(episodes), ADDED)])
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        store = SqliteStore(Path(folder))
        runner.run(store.open())
        works: dict[str, Work] = {
            "one by one": lambda: runner.run(_one_by_one(store, next(parts))),
            "at once": lambda: runner.run(_at_once(store, next(parts))),
        }
        texts = [one.text for one in episodes[:ADDED]]
        with peer(around, "by_mem0", texts=texts) as theirs:
            if not isinstance(theirs, Absent):
                works["peer"] = theirs
            times = in_turn(works)
        runner.run(store.close())
    for way in ("one by one", "at once"):
        what = f"{ADDED} texts are added and committed, {way}"
        mine = f"{median(times[way]) / ADDED * 1000:.3f} CPU-ms each"
        if isinstance(theirs, Absent):
            yield not_run("12", what, wanted, theirs.why)._replace(ours=mine)
            continue
        faster = ratio(times["peer"], times[way])
        other = f"{median(times['peer']) / ADDED * 1000:.2f} CPU-ms, {theirs.version}"
        yield Row("12", what, mine, other, str(faster), wanted, faster.reaches(_ADD_GOAL))


async def _one_by_one(store: SqliteStore, episodes: list[Episode]) -> None:
    for one in episodes:
        await store.add([one])


async def _at_once(store: SqliteStore, episodes: list[Episode]) -> None:
    await asyncio.gather(*(store.add([one]) for one in episodes))


async def _each(call: Callable[[int], Awaitable[object]], count: int = ASKED) -> float:
    """The median in milliseconds."""
    times = []
    for number in range(count):
        begin = time.perf_counter()
        await call(number)
        times.append(time.perf_counter() - begin)
    return median(times) * 1000


def _cold() -> Row:
    """Rounded to 8 bits, without the second look at the rows that the store takes."""
    held, matrix = Vectors(hot=1), remembered.vectors(2 * ROWS, seed=3)
    held.add(np.arange(len(matrix)), matrix)
    same = 0
    for vector in remembered.vectors(50, seed=97):
        exact = np.argpartition(-(matrix @ vector), 10)[:10]
        same += len({*exact.tolist()} & {*held.nearest(vector, 10).numbers.tolist()})
    size = 4 * DIMENSIONS / (DIMENSIONS + 4)
    return Row(
        "12", "cold vectors: recall of 10, without re-ranking", f"{same / 500:.3f}",
        "float32", f"{size:.2f} times smaller", f"{_RECALL_GOAL}", same / 500 >= _RECALL_GOAL,
    )  # fmt: skip


def _embedding() -> Row:
    told = remembered.texts(200, seed=5)
    took = cpu_seconds(lambda: [embed(text) for text in told]) / len(told)
    return Row("12", "a text's vector", f"{took * 1e6:.0f} CPU-µs", "", "", "", None)


def _ms(times: list[float]) -> str:
    return f"{median(times) / ASKED * 1000:.3g}"
