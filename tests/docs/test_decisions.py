"""Every decision has a number of its own, a legal status and the same sections."""

import re
from pathlib import Path

import pytest

from tests.docs import DOCS

RECORDS = sorted((DOCS / "adr").glob("[0-9]*.md"))
STATUS = r"(?:proposed|accepted|deprecated|superseded by \d{4})"
each_record = pytest.mark.parametrize("record", RECORDS, ids=lambda path: path.stem)


def test_numbers_are_given_once_and_in_order() -> None:
    numbers = [int(record.name[:4]) for record in RECORDS]

    assert numbers == list(range(1, len(RECORDS) + 1))


def test_the_index_lists_every_record_with_its_title_and_status() -> None:
    listed = re.findall(r"^\| \[(\d{4})\]\((.+?)\) \| (.+?) \| (.+?) \|$", _index(), re.MULTILINE)

    assert listed == [(record.name[:4], record.name, *_head(record)) for record in RECORDS]


@each_record
def test_a_record_is_short_and_says_why_what_and_what_follows(record: Path) -> None:
    text = record.read_text()

    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
    assert len(text.splitlines()) <= 40


def _index() -> str:
    return (DOCS / "adr/index.md").read_text()


def _head(record: Path) -> tuple[str, str]:
    number = record.name[:4]
    pattern = rf"# {number}\. (.+)\n\nStatus: ({STATUS}), \d{{4}}-\d\d-\d\d\n"
    found = re.match(pattern, record.read_text())
    assert found, f"{record.name} does not begin with its number, title, status and date"
    return found[1], found[2]
