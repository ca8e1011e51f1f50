"""An identity sorts by time; a digest sees every field; a cleaned text can be kept."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emily_runtime.memory.episode import Tally, checked, cleaned, digest, identity
from tests.runtime.memory.episodes import episode, series


@settings(max_examples=40)
@given(st.floats(0, 1e11), st.floats(0, 1e11), st.binary(min_size=10, max_size=10))
def test_identities_sort_by_time(one: float, other: float, entropy: bytes) -> None:
    early, late = sorted((one, other))

    assert identity(early, entropy) <= identity(late, entropy)
    assert len(identity(one, entropy)) == 26


@settings(max_examples=40)
@given(st.text(st.characters(exclude_categories=()), max_size=300))
def test_any_text_can_be_kept_once_it_is_cleaned(text: str) -> None:
    kept = cleaned(text)

    assert checked(episode(0)._replace(text=kept)).text == kept == cleaned(kept)
    assert kept == text or "\0" in text or any("\ud800" <= char <= "\udfff" for char in text)


def test_a_long_text_is_cut_between_letters() -> None:
    kept = cleaned("가" * 40_000)

    assert set(kept) == {"가"}
    assert 65_533 <= len(kept.encode()) <= 65_536


@pytest.mark.parametrize(
    "change",
    [
        {"identity": "0" * 26},
        {"at": 1.0},
        {"text": "other"},
        {"affect": (0.0,) * 5},
        {"trace": "other"},
        {"source": "other"},
        {"vector": episode(1).vector},
        {"trace": "t0s", "source": "eed 0"},
    ],
)
def test_a_digest_sees_every_field(change: dict[str, Any]) -> None:
    assert digest(episode(0)._replace(**change)) != digest(episode(0))


def test_a_tally_is_the_same_in_any_order_and_in_any_parts() -> None:
    episodes = series(20)
    mixed = random.Random(3).sample(episodes, 20)

    assert Tally().plus(mixed[:7]).plus(mixed[7:]) == Tally().plus(episodes)
    assert Tally().plus(episodes[1:]) != Tally().plus(episodes)
    assert Tally().plus([*episodes, episodes[0]]).checksum != Tally().plus(episodes).checksum
