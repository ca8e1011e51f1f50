"""A wheel carries every package and every file that is rendered from."""

import tomllib
from fnmatch import fnmatch
from typing import Any

from tests.hosts import ROOT

SETUPTOOLS: Any = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]


def test_every_package_is_named() -> None:
    folders = {path.parent.relative_to(ROOT) for path in (ROOT / "emily_infra").rglob("*.py")}
    packages = {".".join(folder.parts) for folder in folders}

    assert set(SETUPTOOLS["packages"]) == packages | {"emily_infra.modules"}


def test_every_file_of_modules_is_carried_along() -> None:
    patterns = SETUPTOOLS["package-data"]["emily_infra.modules"]

    for path in (ROOT / "modules").iterdir():
        assert any(fnmatch(path.name, pattern) for pattern in patterns), path
