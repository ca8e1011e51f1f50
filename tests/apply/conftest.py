import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.apply.drill import Drill, drill
from tests.apply.world.system import store

# In memory where there is one: a deploy waits for the disk at every step that it records.
_MEMORY = Path("/dev/shm")


@pytest.fixture(scope="session")
def template() -> Iterator[tuple[Path, dict[str, str]]]:
    with in_memory() as root:
        tops = store(root, {"old": True, "new": True, "other": True, "unguarded": False})
        (root / "lib").mkdir()
        yield root, tops


@pytest.fixture
def box(template: tuple[Path, dict[str, str]]) -> Iterator[Drill]:
    with in_memory() as folder, drill(*template, folder) as here:
        yield here


@contextmanager
def in_memory() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(dir=_MEMORY if _MEMORY.is_dir() else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
