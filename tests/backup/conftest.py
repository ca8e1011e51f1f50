"""What the tests of backups stand on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backup.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A host with pools, datasets and a repository; nothing forbidden may be asked in it."""
    made = World(tmp_path).start()
    yield made
    made.close()
    assert made.violations() == []
