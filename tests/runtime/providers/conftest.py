"""Places that are gone after a test."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runtime.providers.world import MEMORY


@pytest.fixture
def in_memory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        yield Path(folder)
