"""The frame around an answer: whole, or one kind of error."""

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emily_infra.observe import archive
from emily_infra.observe.answer import HUNG, BrokenAnswer, answer
from emily_infra.observe.observation import observation
from emily_infra.observe.values import rows
from tests.observe import made
from tests.observe.pebble import SECTIONS

WHOLE = made.printed(SECTIONS)


def plain(body: bytes) -> str:
    return f"emily-probe 1 cat\n{base64.encodebytes(body).decode()}emily-probe end\n"


def test_a_greeting_before_and_a_word_behind_do_no_harm() -> None:
    told = answer("pebble", f"Welcome to pebble!\n\n{WHOLE}logout\n")

    assert told.sections["clock"].text == "1795260000\n"


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.9, 0.999])
def test_an_answer_that_was_cut_is_an_error(share: float) -> None:
    with pytest.raises(BrokenAnswer, match="damaged"):
        answer("pebble", WHOLE[: int(len(WHOLE) * share)])


def test_a_line_in_the_middle_is_an_error() -> None:
    half = WHOLE.index("\n", len(WHOLE) // 2) + 1

    with pytest.raises(BrokenAnswer):
        answer("pebble", f"{WHOLE[:half]}Broadcast message from root!\n{WHOLE[half:]}")


def test_an_answer_about_nothing_is_an_error() -> None:
    with pytest.raises(BrokenAnswer, match="empty"):
        observation("pebble", answer("pebble", made.printed({})))


def test_a_bomb_is_not_unpacked() -> None:
    with pytest.raises(BrokenAnswer, match="over 64 MiB"):
        answer("pebble", made.printed({"basics": bytes(65 << 20)}))


def test_a_machine_without_gzip_is_understood() -> None:
    told = answer("pebble", plain(made.archive(SECTIONS)))

    assert told.sections["pool.1.name"].text == "tank"


def test_what_hung_is_a_gap_and_the_rest_is_read() -> None:
    told = made.seen(SECTIONS, units="hung")

    assert [(gap.section, gap.why) for gap in told.gaps] == [("units", HUNG)]
    assert not told.knows("units")
    assert told.knows("pools")


def test_a_program_that_failed_is_a_gap_with_its_own_words() -> None:
    told = made.seen(
        {**SECTIONS, "table": "", "table.error": "Operation not permitted\n"}, table="1"
    )

    assert [(gap.section, gap.why) for gap in told.gaps] == [("table", "Operation not permitted")]


def test_a_name_with_line_breaks_and_escapes_is_only_a_name() -> None:
    name = "evil\n\x1b[2J=== end\n"

    assert dict(archive.files(made.archive({name: "text"}))) == {name: b"text"}


@given(st.binary(max_size=3000))
def test_garbage_in_the_frame_is_a_broken_answer(body: bytes) -> None:
    with contextlib.suppress(BrokenAnswer):
        answer("pebble", plain(body))


@given(st.text(max_size=300))
def test_garbage_for_an_answer_is_a_broken_answer(text: str) -> None:
    with pytest.raises(BrokenAnswer):
        answer("pebble", text)


@given(st.data())
def test_an_archive_with_one_byte_changed_is_read_or_refused(data: st.DataObject) -> None:
    whole = bytearray(made.archive({"a": "1", "b/c": "x" * 700, "d": ""}))
    whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))

    with contextlib.suppress(archive.Damaged):
        list(archive.files(bytes(whole)))


@given(st.sampled_from(sorted(SECTIONS)), st.binary(max_size=400))
def test_garbage_in_a_section_never_stops_the_rest(section: str, body: bytes) -> None:
    told = made.seen({**SECTIONS, section: body})

    assert told.machine == "pebble"


@given(st.sampled_from(sorted(SECTIONS)), st.data())
def test_a_section_that_is_nearly_right_never_stops_the_rest(
    section: str, data: st.DataObject
) -> None:
    body = SECTIONS[section]
    text = bytearray(body.encode() if isinstance(body, str) else body) or bytearray(b"?")
    at = data.draw(st.integers(0, len(text) - 1))
    text[at : at + data.draw(st.integers(0, 5))] = data.draw(st.binary(max_size=5))

    told = made.seen({**SECTIONS, section: bytes(text)})

    assert told.machine == "pebble"


def test_json_without_an_end_of_brackets_is_a_gap() -> None:
    told = made.seen({**SECTIONS, "units": "[" * 200_000})

    assert [gap.section for gap in told.gaps] == ["units"]


def test_rows_that_are_not_whole_are_left_out() -> None:
    assert list(rows("a\0b\0c\0", 2)) == [("a", "b")]
