"""One lab for all tests of a worker that need a machine, at the end of everything else."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from emily_infra.lab import Lab
from emily_infra.machine import Machine, connect
from tests.lab.ground import Ground, made
from tests.lab.rehearsal import Rehearsal, rehearsal

_LONGEST = [
    "test_backups",
    "test_deploy",
    "test_machine",  # on the machine of test_deploy, if its worker is the first to be free; and so
    "test_runtime",
    "test_storage",
    "test_life_of_a_disk",
    "test_faults",
    "test_install",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Last, so that each worker then has a machine; and the longest first, so that none waits."""
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    if item.get_closest_marker("lab") is None:
        return -1
    return _LONGEST.index(item.path.stem) if item.path.stem in _LONGEST else len(_LONGEST)


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """The lab with its host, begun anew."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
    made = rehearsal(f"rehearsal-{worker}", Path(tmp_path_factory.mktemp("stage")))
    yield made
    made.lab.down()


@pytest.fixture(scope="session")
def lab(stage: Rehearsal) -> Lab:
    """The lab alone."""
    return stage.lab


@pytest.fixture
def machine(lab: Lab) -> Iterator[Machine]:
    """The lab by its console."""
    if not lab.running:
        lab.start()
    opened = connect(lab.console(), deadline=60)
    yield opened
    opened.close()


@pytest.fixture
def host(stage: Rehearsal) -> Iterator[Rehearsal]:
    """The host, well and on a generation that was applied."""
    stage.settle()
    yield stage
    if stage.lab.running:
        stage.mend()


@pytest.fixture(scope="session")
def disks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A lab with disks that host.yaml makes a pool of, for whoever does that."""
    ground = made(Path(tmp_path_factory.mktemp("ground")))
    yield ground
    ground.stage.lab.down()
