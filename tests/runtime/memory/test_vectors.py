"""Exact in full, nearly so in a quarter of the space."""

import tracemalloc

import numpy as np
import pytest

from emily_runtime.memory.episode import Vector
from emily_runtime.memory.vectors import ROWS, Vectors


def unit(count: int, seed: int = 5) -> Vector:
    """Random vectors of length 1."""
    drawn = np.random.default_rng(seed).standard_normal((count, 256)).astype(np.float32)
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))


def filled(count: int, hot: int, step: int = 1000) -> tuple[Vectors, Vector]:
    """COUNT vectors with the numbers 1, 2, 3 ..., added by STEP."""
    held, vectors = Vectors(hot), unit(count)
    for begin in range(0, count, step):
        part = vectors[begin : begin + step]
        held.add(np.arange(begin + 1, begin + 1 + len(part)), part)
    return held, vectors


def exact(vectors: Vector, asked: Vector, most: int) -> list[int]:
    """The numbers of the nearest, by plain arithmetic."""
    order = np.argsort(-(vectors.astype(np.float64) @ asked), kind="stable")
    return [int(number) + 1 for number in order[:most]]


def test_in_full_the_nearest_are_exact_across_shelves() -> None:
    held, vectors = filled(2 * ROWS + 100, hot=10 * ROWS)

    for asked in unit(5, seed=6):
        assert held.nearest(asked, 10).numbers.tolist() == exact(vectors, asked, 10)
    assert (held.count, held.cold, held.last) == (2 * ROWS + 100, 0, 2 * ROWS + 100)


def test_beyond_its_limit_the_oldest_become_cold_and_the_newest_stay_in_full() -> None:
    held, _ = filled(3 * ROWS + 1, hot=ROWS)

    assert held.cold == 3 * ROWS
    assert held.count == 3 * ROWS + 1


def test_rounded_to_8_bits_98_of_100_neighbours_are_the_same() -> None:
    held, vectors = filled(2 * ROWS, hot=ROWS)
    same = [
        len({*held.nearest(asked, 10).numbers.tolist()} & {*exact(vectors, asked, 10)})
        for asked in unit(20, seed=7)
    ]

    assert held.cold == ROWS
    assert sum(same) / 200 >= 0.98


def test_of_many_equal_vectors_the_oldest_are_found() -> None:
    held = Vectors()
    held.add(np.arange(1, 5001), np.repeat(unit(1), 5000, axis=0))

    assert held.nearest(unit(1)[0], 10).numbers.tolist() == list(range(1, 11))


def test_equal_vectors_come_by_age() -> None:
    held = Vectors()
    held.add(np.arange(1, 6), np.repeat(unit(1), 5, axis=0))

    assert held.nearest(unit(1)[0], 5).numbers.tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("kinds", [2, 3, 40])
def test_among_few_kinds_the_nearest_are_exact_and_the_older_first(kinds: int) -> None:
    drawn = np.random.default_rng(kinds).integers(0, kinds, ROWS + 99)
    held, vectors = Vectors(), np.eye(256, dtype=np.float32)[drawn]  # products without rounding
    held.add(np.arange(1, ROWS + 100), vectors)
    asked = np.linspace(1, 0, 256, dtype=np.float32)

    assert held.nearest(asked, 50).numbers.tolist() == exact(vectors, asked, 50)


def peak(held: Vectors, asked: Vector) -> int:
    """Bytes that a search takes for a moment."""
    tracemalloc.start()
    held.nearest(asked, 10)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def test_a_text_that_came_ever_again_is_searched_for_in_no_more_memory_than_another() -> None:
    numbers, other = np.arange(1, 2 * ROWS + 1), Vectors()
    alike, one = Vectors(), unit(1)
    other.add(numbers, unit(2 * ROWS))
    alike.add(numbers, np.repeat(one, 2 * ROWS, axis=0))

    assert peak(alike, one[0]) < 4 * peak(other, one[0])  # 26 times as much with an object each


@pytest.mark.parametrize("most", [1, 3, 99])
def test_fewer_than_asked_for_are_all_there_are(most: int) -> None:
    held, _ = filled(3, hot=ROWS)

    assert len(held.nearest(unit(1)[0], most).numbers) == min(most, 3)
