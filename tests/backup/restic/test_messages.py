"""What restic says."""

import json
from datetime import UTC, datetime

import pytest

from emily_infra.backup.restic.messages import copies, groups, moment, parse


def test_a_message_is_known_by_its_type() -> None:
    message = parse(b'{"message_type":"status","percent_done":0.5,"total_files":3}')

    assert (message.kind, message.number("percent_done")) == ("status", 0.5)


@pytest.mark.parametrize(
    "line",
    [
        b"", b"\xff\xfe", b"[0:00] 100.00%  3 / 3 snapshots", b'{"message_type":"status","perc',
        b"{" * 100_000, b"[]", b"null", b'{"a":' * 5000, b'{"message_type":["x"]}', b"{}",
    ],
)  # fmt: skip
def test_what_is_not_understood_is_harmless(line: bytes) -> None:
    message = parse(line)

    assert message.kind in ("text", "")
    assert message.number("percent_done") == 0


def test_fields_of_another_type_are_nothing() -> None:
    message = parse(b'{"message_type":"error","error":"text","item":7,"broken_packs":null}')

    assert (message.words, message.item, message.texts("broken_packs")) == ("", "", [])


def test_an_error_names_its_file_and_its_reason() -> None:
    line = (
        b'{"message_type":"error","error":{"message":"permission denied"},'
        b'"during":"archival","item":"/srv/a"}'
    )

    assert (parse(line).item, parse(line).words) == ("/srv/a", "permission denied")


def test_a_line_of_ten_megabytes_is_read() -> None:
    body = {"message_type": "summary", "broken_packs": ["ab" * 32] * 150_000}

    message = parse(json.dumps(body).encode())

    assert len(message.texts("broken_packs")) == 150_000


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-22T09:49:16.540780445Z", datetime(2026, 11, 22, 9, 49, 16, 540780, UTC)),
        ("2026-10-25T02:30:00+02:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-10-25T02:30:00.5+01:00", datetime(2026, 10, 25, 1, 30, 0, 500_000, UTC)),
        ("2026-11-22 09:49:16", datetime(2026, 11, 22, 9, 49, 16, tzinfo=UTC)),
    ],
)
def test_times_have_nanoseconds_and_zones(text: str, utc: datetime) -> None:
    assert moment(text) == utc


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no time"):
        moment("yesterday")


def test_copies_come_in_the_order_of_their_times() -> None:
    raw = [
        {"id": "b", "time": "2026-01-02T00:00:00+01:00", "hostname": "box", "tags": ["x"],
         "paths": ["/srv"], "summary": {"total_files_processed": 3}},
        {"id": "a", "time": "2026-01-01T22:59:59.999Z", "hostname": "box", "paths": None},
    ]  # fmt: skip

    first, second = copies(json.dumps(raw).encode())

    assert (first.id, first.tags, first.paths) == ("a", (), ())
    assert second.summary.number("total_files_processed") == 3


@pytest.mark.parametrize("text", [b"", b"null", b"[]\n", b" \n"])
def test_no_groups_are_no_groups(text: bytes) -> None:
    assert groups(text) == []


def test_no_copies_are_no_copies() -> None:
    assert copies(b"null") == copies(b"[]") == []
