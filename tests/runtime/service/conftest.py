"""One service for all tests of a file that leave it as it was."""

from collections.abc import Iterator

import pytest

from tests.runtime.service.served import Served, served


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("served")) as started:
        yield started
