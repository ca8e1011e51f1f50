"""What every Store does, whichever it is."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest

from emily_runtime.memory.embedding import embed
from emily_runtime.memory.episode import Episode, Tally
from emily_runtime.memory.store import Found, Store
from emily_runtime.messages import Refused
from tests.runtime.memory.episodes import HOSTILE, Make, episode, fields, run, series, texts


def test_what_was_added_comes_back_field_by_field_after_a_restart(make: Make) -> None:
    added = series(5)

    async def get(store: Store) -> list[tuple[object, ...]]:
        return [fields(await store.get(one.identity)) for one in added]

    assert run(make, lambda store: store.add(added)) == 5
    assert run(make, get) == [fields(one) for one in added]


def test_an_episode_that_is_sent_twice_is_stored_once(make: Make) -> None:
    async def story(store: Store) -> tuple[int, int, int]:
        first = await store.add(series(3))
        return first, await store.add(series(5)), await store.count()

    assert run(make, story) == (3, 2, 5)


def test_many_that_add_and_search_at_once_are_all_served(make: Make) -> None:
    async def story(store: Store) -> int:
        adding = (store.add([one]) for one in series(40))
        searching = (store.search("disk failed", embed("disk failed"), 3) for _ in range(40))
        await asyncio.gather(*adding, *searching)
        return await store.count()

    assert run(make, story) == 40


def test_an_unknown_episode_is_none(make: Make) -> None:
    assert run(make, lambda store: store.get("0" * 26)) is None


def test_who_is_missing_is_named(make: Make) -> None:
    async def story(store: Store) -> set[str]:
        await store.add(series(3))
        return await store.missing([one.identity for one in series(5)])

    assert run(make, story) == {one.identity for one in series(2, begin=3)}


def test_a_memory_is_walked_through_in_order_of_identity(make: Make) -> None:
    async def story(store: Store) -> list[list[str]]:
        await store.add(random.Random(1).sample(series(5), 5))
        first = await store.scan("", 3)
        rest = await store.scan(first[-1].identity, 3)
        return [[one.identity for one in part] for part in (first, rest)]

    first, rest = run(make, story)

    assert first + rest == [one.identity for one in series(5)]
    assert len(first) == 3


def test_the_checksum_is_that_of_the_episodes_in_any_order(make: Make) -> None:
    async def story(store: Store) -> str:
        await store.add(random.Random(2).sample(series(30), 30))
        return await store.checksum()

    assert run(make, story) == Tally().plus(series(30)).checksum


def test_who_has_all_the_words_comes_before_who_has_some(make: Make) -> None:
    told = ["the mirror is whole", "a mirror failed at night", "the night was calm", "nothing"]

    async def story(store: Store) -> list[str]:
        await store.add([episode(number, text) for number, text in enumerate(told)])
        return texts(await store.by_text("Mirror, FAILED: night?", 10))

    found = run(make, story)

    assert found[0] == "a mirror failed at night"
    assert sorted(found[1:]) == ["the mirror is whole", "the night was calm"]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("서버", "서버가 멈췄습니다"),
        ("cafe", "Café au lait"),
        ("Ünïcode", "UNICODE"),
        ("42", "No. 42"),
    ],
)
def test_words_are_found_across_accents_case_and_korean_endings(
    make: Make, query: str, text: str
) -> None:
    async def story(store: Store) -> list[str]:
        await store.add([episode(0, text), episode(1, "something else")])
        return texts(await store.by_text(query, 5))

    assert run(make, story) == [text]


def test_hostile_texts_are_kept_and_found_as_they_are(make: Make) -> None:
    added = [episode(number, text) for number, text in enumerate(HOSTILE) if text]

    async def story(store: Store) -> list[list[str]]:
        await store.add(added)
        return [texts(await store.search(one.text, one.vector, 3)) for one in added]

    found = run(make, story)

    assert [best[0] for best in found] == [one.text for one in added]


def test_hostile_questions_are_only_words(make: Make) -> None:
    async def story(store: Store) -> int:
        await store.add(series(3))
        for question in (*HOSTILE, "\0", "\ud800", "'", '"', "\\", "a\0b"):
            await store.by_text(question, 3)
        return await store.count()

    assert run(make, story) == 3


def test_the_nearest_are_those_of_plain_arithmetic(make: Make) -> None:
    added = series(200)
    asked = embed("the uplink is slower than usual")
    cosines = np.stack([one.vector for one in added]).astype(np.float64) @ asked

    found = run(make, lambda store: _after(store, added, lambda: store.by_vector(asked, 10)))

    wanted = np.sort(cosines)[::-1][:10]
    assert [one.score for one in found] == pytest.approx(wanted.tolist(), abs=1e-6)


def test_both_ways_of_searching_are_fused_by_rank(make: Make) -> None:
    words, letters = "alpha beta", "alphabetical"
    added = [episode(0, "alpha beta"), episode(1, "alphabetic"), episode(2, "beta of something")]

    found = run(make, lambda s: _after(s, added, lambda: s.search(words, embed(letters), 3)))

    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert found[0].score == pytest.approx(1 / 61 + 1 / 62)
    assert texts(found)[0] == "alpha beta"


def test_no_more_are_found_than_asked_for(make: Make) -> None:
    async def story(store: Store) -> list[int]:
        await store.add(series(60))
        asked = embed("disk")
        by_text, by_vector = await store.by_text("disk", 7), await store.by_vector(asked, 7)
        return [len(by_text), len(by_vector), len(await store.search("disk", asked, 7))]

    assert run(make, story) == [7, 7, 7]


def test_an_empty_memory_finds_nothing(make: Make) -> None:
    async def story(store: Store) -> list[object]:
        found = await store.search("disk", embed("disk"), 5)
        return [found, await store.count(), await store.checksum(), await store.scan("", 5)]

    assert run(make, story) == [[], 0, "0" * 32, []]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("identity", "short"),
        ("identity", "I" * 26),
        ("text", "a\0b"),
        ("text", "\ud800"),
        ("text", "x" * 70_000),
        ("trace", "t" * 300),
        ("at", float("nan")),
        ("affect", (0.0, 0.0)),
        ("affect", (0.0, 0.0, 0.0, 0.0, float("inf"))),
        ("vector", np.zeros(256, dtype=np.float32)),
        ("vector", np.ones(3, dtype=np.float32)),
    ],
)
def test_what_cannot_be_kept_exactly_is_refused_by_its_field(
    make: Make, field: str, value: Any
) -> None:
    bad = episode(1)._replace(**{field: value})

    async def story(store: Store) -> int:
        with pytest.raises(Refused, match="EMY-4010") as refused:
            await store.add([episode(0), bad])
        assert field in str(refused.value.values["field"])
        return await store.count()

    assert run(make, story) == 0


def test_a_closed_memory_says_so(make: Make) -> None:
    with pytest.raises(Refused, match="EMY-4008"):
        asyncio.run(make().count())


def test_after_shrinking_everything_is_still_there_and_found(make: Make) -> None:
    added = series(600)

    async def story(store: Store) -> tuple[str, list[str]]:
        await store.add(added)
        await store.shrink(50)
        found = await store.search(added[3].text, added[3].vector, 1)
        return await store.checksum(), texts(found)

    assert run(make, story) == (Tally().plus(added).checksum, [added[3].text])


def test_its_health_says_how_many_there_are_and_how_they_are_searched(make: Make) -> None:
    async def story(store: Store) -> tuple[bool, int, str]:
        await store.add(series(3))
        health = await store.health()
        return health.well, health.rows, health.search

    well, rows, search = run(make, story)

    assert (well, rows) == (True, 3)
    assert search.startswith(("exact", "HNSW"))


async def _after(
    store: Store, added: list[Episode], ask: Callable[[], Awaitable[list[Found]]]
) -> list[Found]:
    await store.add(added)
    return await ask()
