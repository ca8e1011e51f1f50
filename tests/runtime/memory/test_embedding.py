"""The vector of a text follows from its letters alone."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emily_runtime.memory.embedding import embed


@settings(max_examples=40)
@given(st.text(st.characters(exclude_categories=()), max_size=200))
def test_every_text_has_a_vector_of_length_1(text: str) -> None:
    vector = embed(text)

    assert vector.shape == (256,)
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)


def test_the_bits_are_those_of_every_other_machine() -> None:
    whole = b"".join(embed(text).tobytes() for text in ("", "disk sda failed", "서버가 멈췄다"))

    assert hashlib.blake2b(whole, digest_size=8).hexdigest() == "198bea65d11835d1"


@pytest.mark.parametrize("other", ["DISK sda: failed!", " disk  sda\nfailed ", "dísk sda failed"])
def test_case_gaps_marks_and_accents_do_not_matter(other: str) -> None:
    assert np.array_equal(embed(other), embed("disk sda failed"))


@pytest.mark.parametrize(
    ("near", "far"),
    [
        ("disk sda has failed", "the night was calm"),
        ("disks sda and sdb failing", "login from a new address"),
        ("failed: sda disk", "uplink is slower than usual"),
    ],
)
def test_texts_that_share_letters_are_nearer(near: str, far: str) -> None:
    asked = embed("disk sda failed")

    assert asked @ embed(near) > asked @ embed(far) + 0.2


def test_korean_words_with_other_endings_are_near() -> None:
    asked = embed("서버가 멈췄습니다")

    assert asked @ embed("서버는 멈췄다") > 0.4 > asked @ embed("백업이 끝났습니다")


def test_unrelated_texts_are_nearly_at_right_angles() -> None:
    texts = [hashlib.sha256(bytes([number])).hexdigest() for number in range(60)]
    vectors = np.stack([embed(text) for text in texts])
    cosines = (vectors @ vectors.T)[np.triu_indices(60, 1)]

    assert abs(cosines.mean()) < 0.02
    assert cosines.std() == pytest.approx(1 / 16, rel=0.25)
