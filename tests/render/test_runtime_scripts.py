"""What the runtime's small units run, by a real shell on files of our own."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.hosts import shipped
from tests.render.evaluated import module

FOLDERS = ("/var/lib/emily-runtime", "/var/lib/emily-colours", "/nix/var/nix/gcroots", "/etc/emily")


def run(unit: str, root: Path, *arguments: str) -> str:
    """What a unit's script prints; systemctl only says what it was asked for."""
    text = module(shipped("ember"), "runtime")["systemd"]["services"][unit]["script"]
    for folder in FOLDERS:
        text = text.replace(folder, f"{root}{folder}")
    (root / "systemctl").write_text('#!/bin/sh\necho "$@"\n')
    (root / "systemctl").chmod(0o755)
    done = subprocess.run(
        ["bash", "-e", "-c", text, "script", *arguments],
        env={"PATH": f"{root}:{os.environ['PATH']}"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A host to which version one was applied."""
    for folder in FOLDERS:
        tmp_path.joinpath(folder[1:]).mkdir(parents=True)
    applies(tmp_path, "one")
    return tmp_path


def applies(root: Path, version: str) -> None:
    (root / version).mkdir()
    link = root / "etc/emily/runtime"
    link.unlink(missing_ok=True)
    link.symlink_to(root / version)
    (root / "etc/emily/runtime.toml").write_text(f"# {version}\n")


@pytest.mark.parametrize(
    ("active", "colour"),
    [("green\n", "green"), ("blue", "blue"), (None, "blue"), ("../../etc\n", "blue")],
    ids=["green", "no line's end", "never", "nonsense"],
)
def test_the_colour_that_took_last_is_started(root: Path, active: str | None, colour: str) -> None:
    if active is not None:
        (root / "var/lib/emily-runtime/active").write_text(active)

    assert run("emily-runtime", root) == f"start emily-runtime@{colour}.service"


def test_a_colour_is_pinned_once_whatever_is_applied_later(root: Path) -> None:
    run("emily-runtime-pin@", root, "green")
    applies(root, "two")

    run("emily-runtime-pin@", root, "green")
    run("emily-runtime-pin@", root, "blue")

    roots, colours = root / "nix/var/nix/gcroots/emily", root / "var/lib/emily-colours"
    assert (roots / "runtime-green").readlink() == root / "one"
    assert (colours / "green.toml").read_text() == "# one\n"
    assert (roots / "runtime-blue").readlink() == root / "two"
    assert (colours / "blue.toml").read_text() == "# two\n"


def test_a_folder_that_a_deploy_made_for_root_alone_lets_the_runtime_through(root: Path) -> None:
    roots = root / "nix/var/nix/gcroots/emily"
    run("emily-runtime-pin@", root, "green")
    roots.chmod(0o700)

    run("emily-runtime-pin@", root, "green")

    assert roots.stat().st_mode & 0o777 == 0o755


def test_a_pin_that_was_cut_off_is_made_whole(root: Path) -> None:
    (root / "var/lib/emily-colours/green.toml").write_text("# half of an older one")

    run("emily-runtime-pin@", root, "green")

    assert (root / "nix/var/nix/gcroots/emily/runtime-green").readlink() == root / "one"
    assert (root / "var/lib/emily-colours/green.toml").read_text() == "# one\n"
