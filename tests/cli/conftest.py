from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.apply.conftest import in_memory
from tests.apply.world.system import store


@pytest.fixture(scope="session")
def template() -> Iterator[tuple[Path, dict[str, str]]]:
    """A disk with two systems on it, of which one runs."""
    with in_memory() as root:
        tops = store(root, {"old": True, "other": True})
        (root / "lib").mkdir()
        yield root, tops
