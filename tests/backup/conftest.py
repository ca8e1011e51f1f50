"""What the tests of backups stand on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backup import shed as sheds
from tests.backup.light import lighten
from tests.backup.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A host with pools, datasets and a repository; nothing forbidden may be asked in it."""
    made = World(tmp_path).start()
    yield made
    made.close()
    assert made.violations() == []


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty repository, made once."""
    made = World(tmp_path_factory.mktemp("empty")).start()
    sheds.restic(made, "init")
    lighten(made.root / "repositories/shed")
    made.close()
    return made.root / "repositories/shed"


@pytest.fixture
def shed(world: World, empty: Path) -> World:
    """A host with files, a snapshot of them, and a repository."""
    return sheds.fill(world, empty)
