"""Toplevels of the shipped hosts, built once by the real Nix."""

from pathlib import Path

import pytest

from emily_infra.lab.system import build, factory
from tests.hosts import ROOT, shipped


@pytest.fixture(scope="session")
def ember() -> Path:
    return Path(build(shipped("ember"), ROOT))


@pytest.fixture(scope="session")
def pebble() -> Path:
    return Path(build(shipped("pebble"), ROOT))


@pytest.fixture(scope="session")
def small_ember() -> Path:
    return Path(factory(shipped("ember"), ROOT))
