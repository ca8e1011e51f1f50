"""One lab for all tests that need a machine; it stays up between runs of them."""

from collections.abc import Iterator

import pytest

from emily_infra.lab import Lab, Plan
from emily_infra.machine import Machine, connect
from tests.hosts import ROOT, shipped

HOST = "ember"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep them in one worker, because they share one machine."""
    for item in items:
        if item.get_closest_marker("lab"):
            item.add_marker(pytest.mark.xdist_group("lab"))


@pytest.fixture(scope="session")
def lab() -> Lab:
    """The lab of ember, running."""
    found = Lab(HOST)
    found.up(Plan(shipped(HOST), ROOT), tell=print)
    return found


@pytest.fixture
def machine(lab: Lab) -> Iterator[Machine]:
    """The lab by its console."""
    if not lab.running:
        lab.start()
    opened = connect(lab.console(), deadline=60)
    yield opened
    opened.close()
