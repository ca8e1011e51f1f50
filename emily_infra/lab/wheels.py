"""What the cognitive runtime needs and Debian 13 has not, or in older versions only."""

from pathlib import Path

from emily_infra.lab.faults import NoImage
from emily_infra.lab.recipe import FOLDER
from emily_infra.machine import CommandFailed, Expired, Local

LOCK = FOLDER / "wheels.txt"
"""Their part of requirements.lock."""
_PYTHON = "3.13"
_PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux_2_5_x86_64")
_DEADLINE = 300.0


def fetch(folder: Path, lock: Path = LOCK) -> None:
    """Download wheels for the image's Python; pip compares each with its hash in the lock."""
    wanted = (
        "--no-deps", "--only-binary=:all:", "--implementation=cp", f"--python-version={_PYTHON}",
        *(f"--platform={platform}" for platform in _PLATFORMS),
    )  # fmt: skip
    quiet = ("--quiet", "--disable-pip-version-check", "--no-input")
    what = ("--require-hashes", "--requirement", str(lock), "--dest", str(folder))
    try:
        Local().run("pip3", "download", *quiet, *wanted, *what, deadline=_DEADLINE)
    except (CommandFailed, Expired) as error:
        raise NoImage(
            f"pip cannot fetch the libraries of the cognitive runtime for the lab's image\n{error}",
            hint="is the package index within reach? pip3 config list shows which one it asks",
        ) from error
