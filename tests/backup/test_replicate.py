"""Snapshots that go to a second host, and what both ends know of each other afterwards."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backup.pair import DB, HOME, INTO, PHOTOS, Pair, paired


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with paired(tmp_path) as made:
        yield made


def test_a_first_run_brings_every_dataset(pair: Pair) -> None:
    pair.box.write(HOME, "letter", b"dear all")
    pair.box.write(PHOTOS, "summer.jpg", b"\xff\xd8" * 50_000)
    name = pair.take(HOME, PHOTOS, DB)

    done = pair.replicate()

    assert done.code == 0, done.err
    assert pair.same(HOME, PHOTOS, DB)
    assert pair.box.holds(f"{HOME}@{name}") == {"emily:replica-barn"}
    assert pair.barn.holds(f"{INTO}/{HOME}@{name}") == {"emily:received-box"}
