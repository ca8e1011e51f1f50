"""The README tells the truth: its host is complete, and its commands print what it says."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs import blocks
from tests.hosts import ROOT, as_host, findings

README = ROOT / "README.md"
HOST = blocks(README, "yaml")[0]
SESSIONS = blocks(README, "console")


def test_the_readmes_host_has_no_finding_that_blocks() -> None:
    found = findings(as_host("nas", HOST))

    assert [finding for finding in found if finding.blocks] == []


def test_the_readme_shows_a_host_by_line_20() -> None:
    lines = README.read_text().splitlines()

    assert lines.index("```yaml") < 20
    assert len(lines) <= 90


@pytest.mark.parametrize("session", SESSIONS, ids=lambda text: text.splitlines()[0])
def test_a_command_prints_what_the_readme_says(session: str, tmp_path: Path) -> None:
    (tmp_path / "hosts/nas").mkdir(parents=True)
    (tmp_path / "hosts/nas/host.yaml").write_text(HOST)
    prompt, _, expected = session.partition("\n")
    argv = shlex.split(prompt.removeprefix("$ emily-infra "))

    done = subprocess.run(
        [sys.executable, "-m", "emily_infra", *argv],
        cwd=tmp_path,
        env=os.environ | {"COLUMNS": "100", "NO_COLOR": "1", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )

    assert done.stdout.strip() == expected.strip()
