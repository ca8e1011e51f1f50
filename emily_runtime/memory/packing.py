"""Texts in blocks: deflate with a dictionary of what the texts of this memory have in common."""

import struct
import zlib
from collections import Counter
from collections.abc import Sequence

TEXTS = 256
"""Texts of a block."""
WINDOW = 32_768
"""As far back as deflate can refer (RFC 1951), so the most that a dictionary can hold."""
_LEVEL = 6
_LONGEST = 8
"""Words of a phrase."""
_LEAST = 4
"""Letters of a phrase; deflate refers to three bytes at least."""


def pack(texts: Sequence[str], dictionary: bytes) -> bytes:
    """A block of TEXTS."""
    encoded = [text.encode() for text in texts]
    head = struct.pack(f"<I{len(encoded)}I", len(encoded), *map(len, encoded))
    deflate = zlib.compressobj(_LEVEL, zdict=dictionary)
    return deflate.compress(head + b"".join(encoded)) + deflate.flush()


def unpack(block: bytes, dictionary: bytes) -> list[str]:
    """The texts of a block; zlib.error, struct.error or ValueError where it is damaged."""
    inflate = zlib.decompressobj(zdict=dictionary)
    whole = inflate.decompress(block) + inflate.flush()
    (count,) = struct.unpack_from("<I", whole)
    lengths = struct.unpack_from(f"<{count}I", whole, 4)
    texts, begin = [], 4 * (count + 1)
    for length in lengths:
        texts.append(whole[begin : begin + length].decode())
        begin += length
    if begin != len(whole):
        raise ValueError("the block is longer than its texts")
    return texts


def trained(texts: Sequence[str]) -> bytes:
    """A dictionary for texts like TEXTS: phrases that repeat, the most useful ones last."""
    phrases: Counter[str] = Counter()
    for text in texts:
        parts = text.split(" ")
        for length in range(1, _LONGEST + 1):
            for begin in range(len(parts) - length + 1):
                phrases[" ".join(parts[begin : begin + length])] += 1
    useful = sorted(
        (phrase for phrase, count in phrases.items() if count > 1 and len(phrase) >= _LEAST),
        key=lambda phrase: (-(phrases[phrase] - 1) * len(phrase), phrase),
    )
    return _within(useful)


def _within(phrases: Sequence[str]) -> bytes:
    """As many as fit, none that another one holds already."""
    chosen: list[bytes] = []
    whole, size = "", 0
    for phrase in phrases:
        if WINDOW - size < _LEAST:
            break
        encoded = f"{phrase} ".encode()
        if phrase in whole or size + len(encoded) > WINDOW:
            continue
        chosen.append(encoded)
        whole, size = f"{whole}\n{phrase}", size + len(encoded)
    # deflate refers to what is near more cheaply
    return b"".join(reversed(chosen))
