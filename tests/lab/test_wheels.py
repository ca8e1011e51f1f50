"""The wheels of the image, by the real pip from a folder instead of the index."""

import hashlib
from pathlib import Path
from zipfile import ZipFile

import pytest

from emily_infra.lab import wheels
from emily_infra.lab.faults import NoImage

NAME = "emily_example-1.0-py3-none-any.whl"


@pytest.fixture
def offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel that pip finds."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    with ZipFile(shelf / NAME, "w") as wheel:
        wheel.writestr("emily_example.py", "")
        wheel.writestr(
            "emily_example-1.0.dist-info/METADATA", "Name: emily-example\nVersion: 1.0\n"
        )
        wheel.writestr("emily_example-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    return shelf / NAME


def lock(folder: Path, digest: str) -> Path:
    """One that knows the wheel by this hash."""
    file = folder / "wheels.txt"
    file.write_text(f"emily-example==1.0 \\\n    --hash=sha256:{digest}\n")
    return file


def test_a_wheel_that_is_what_the_lock_says_is_taken(offered: Path, tmp_path: Path) -> None:
    digest = hashlib.sha256(offered.read_bytes()).hexdigest()

    wheels.fetch(tmp_path / "taken", lock(tmp_path, digest))

    assert (tmp_path / "taken" / NAME).read_bytes() == offered.read_bytes()


def test_a_wheel_that_somebody_changed_stops_the_build(offered: Path, tmp_path: Path) -> None:
    assert offered.exists()

    with pytest.raises(NoImage, match="DO NOT MATCH THE HASHES"):
        wheels.fetch(tmp_path / "taken", lock(tmp_path, "0" * 64))
