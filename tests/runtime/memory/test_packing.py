"""A block gives back its texts, in much less space."""

import random
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emily_runtime.memory.packing import TEXTS, pack, trained, unpack
from tests.runtime.memory.episodes import told


@settings(max_examples=25)
@given(st.lists(st.text(max_size=20), max_size=9), st.binary(max_size=100))
def test_a_block_gives_back_its_texts(texts: list[str], dictionary: bytes) -> None:
    assert unpack(pack(texts, dictionary), dictionary) == texts


def test_what_a_host_tells_takes_a_quarter_of_the_space() -> None:
    draw = random.Random(8)
    dictionary = trained([told(draw) for _ in range(1000)])
    texts = [told(draw) for _ in range(TEXTS)]

    assert sum(map(len, texts)) / len(pack(texts, dictionary)) >= 4


def test_a_dictionary_is_what_texts_have_in_common() -> None:
    dictionary = trained(["the pool is full", "the pool is whole", "xyzzy"])

    assert b"the pool is" in dictionary
    assert b"xyzzy" not in dictionary
    assert trained([]) == b""


@pytest.mark.parametrize("damage", [slice(0, 4), slice(9, 12), slice(-6, -2)])
def test_a_damaged_block_is_noticed(damage: slice) -> None:
    block = bytearray(pack(["one text", "another text"], b""))
    block[damage] = bytes(byte ^ 0x55 for byte in block[damage])

    with pytest.raises((zlib.error, struct.error, ValueError)):
        unpack(bytes(block), b"")
