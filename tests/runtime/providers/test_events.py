"""Server-sent events are the same however they are cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emily_runtime.providers.events import LINE_MOST, Events, TooLong

STREAM = (
    b": a comment\r\n\r\ndata: one\n\nevent: x\rdata:two\rdata:  three\r\r\n"
    b"data\n\nid: 1\n\ndata: \xea\xb0\x80\n\ndata: cut"
)


def heard(*chunks: bytes) -> list[str]:
    events = Events()
    return [data for chunk in chunks for data in events.fed(chunk)]


@given(st.lists(st.integers(0, len(STREAM)), max_size=9).map(sorted))
def test_wherever_a_stream_is_cut_its_events_are_the_same(cuts: list[int]) -> None:
    ends = [0, *cuts, len(STREAM)]

    chunks = [STREAM[begin:end] for begin, end in pairwise(ends)]

    assert heard(*chunks) == ["one", "two\n three", "", "가"]


@pytest.mark.parametrize("chunk", [b"x" * 65_536, b"data: " + b"x" * 65_536 + b"\n"])
def test_what_never_ends_is_refused(chunk: bytes) -> None:
    with pytest.raises(TooLong):
        heard(*[chunk] * (LINE_MOST // 65_536 + 1))
