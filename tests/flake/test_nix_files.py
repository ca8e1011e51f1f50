"""Every Nix file, written or rendered, is Nix."""

import subprocess
from pathlib import Path

import pytest

from tests.hosts import ROOT, shipped
from tests.render.evaluated import rendered

FILES = sorted(
    path
    for path in ROOT.rglob("*.nix")
    if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
)


def parse(text: str) -> None:
    """Raise with what Nix says unless the text is a Nix expression."""
    command = ("nix-instantiate", "--parse", "-")
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_of_the_tree_parses(path: Path) -> None:
    parse(path.read_text())


@pytest.mark.parametrize("host", ["ember", "pebble"])
def test_what_is_rendered_parses(host: str) -> None:
    for text in rendered(shipped(host)).files.values():
        parse(text)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_ends_in_one_line_break_and_holds_no_tab(path: Path) -> None:
    text = path.read_text()

    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert "\t" not in text
