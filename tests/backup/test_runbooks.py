"""What a runbook tells a tired person to type works, in both languages and in its order."""

import json
import re
import shlex
from pathlib import Path

import pytest

from tests.backup.test_recover import DB, HOME, PASSWORD, lost
from tests.backup.test_way_back import REPLICA
from tests.backup.world import World
from tests.hosts import ROOT

RUNBOOKS = ROOT / "docs" / "runbooks"
__all__ = ["lost"]


def commands(page: Path) -> list[str]:
    """The indented lines of a page."""
    return re.findall(r"^    (\S.*)$", page.read_text(), re.MULTILINE)


def pages() -> list[str]:
    return sorted(path.name for path in (RUNBOOKS / "en").glob("*.md"))


@pytest.mark.parametrize("page", pages())
def test_both_languages_have_the_same_commands_in_the_same_order(page: str) -> None:
    assert commands(RUNBOOKS / "en" / page) == commands(RUNBOOKS / "ko" / page)


@pytest.mark.parametrize("page", pages())
def test_a_runbook_fits_a_few_screens(page: str) -> None:
    for language in ("en", "ko"):
        assert len((RUNBOOKS / language / page).read_text().splitlines()) <= 100


def test_the_recovery_works_as_it_is_written(lost: World) -> None:
    raw = json.loads(lost.config.read_text())
    raw["datasets"][HOME]["replicas"] = ["barn"]
    lost.config.write_text(json.dumps({**raw, "replicas": {"barn": REPLICA}}))
    typed = [line for line in commands(RUNBOOKS / "en" / "recovery.md") if "backup" in line]
    told = {line: lost.run(*words(line)) for line in typed}

    wrong = {line: done.err for line, done in told.items() if done.code not in (0, 3)}
    assert wrong == {}
    assert (lost.mountpoint(HOME) / "letter").read_bytes() == b"dear\n"
    assert (lost.mountpoint(DB) / "ledger.dump").read_bytes() == b"select"


def words(line: str) -> list[str]:
    """A command of the page, about the host of the world."""
    at = line.replace("2026-11-20T02:00", "2026-11-21T02:00")
    typed = shlex.split(at.replace("ember", "box"))
    return typed[2:]


def test_restic_alone_gives_the_data_back_as_well(lost: World) -> None:
    typed = [line for line in commands(RUNBOOKS / "en" / "recovery.md") if "restic" in line]
    places = {"URL": lost.root / "repositories" / "shed", "FILE": lost.root / PASSWORD,
              "ID": "latest", "ember": "box", "/tmp/back": lost.root / "back"}  # fmt: skip

    for line in typed:
        for name, place in places.items():
            line = re.sub(rf"(?<!\S){name}(?!\S)", str(place), line)
        assert lost.program("sh", "-c", line).code == 0

    found = list((lost.root / "back").rglob("letter"))
    assert [each.read_bytes() for each in found] == [b"dear\n"]
