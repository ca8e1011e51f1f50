from collections.abc import Iterator

import pytest

from tests.runtime_deploy.world import Host, host


@pytest.fixture
def ember() -> Iterator[Host]:
    """A host whose blue runtime runs version one."""
    with host() as made:
        yield made
