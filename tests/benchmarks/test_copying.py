"""What is said of memory is said of the whole command, and of a copy that arrived."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from benchmarks.copying import copied
from benchmarks.memory import peaks

OURS = str(Path(sys.executable).parent / "emily-infra")
MIB = 1 << 20
_WORLD = os.getuid() == 0 and all(map(shutil.which, ("sshd", "nix", "unshare", "nsenter")))


def test_the_most_that_a_process_took_is_seen_though_it_let_go_of_it(tmp_path: Path) -> None:
    program = f"import time; kept = b'x' * {64 * MIB}; del kept; time.sleep(0.3)"

    found = peaks((sys.executable, "-c", program), tmp_path, os.environ)

    assert 64 * MIB < found.own < 128 * MIB


def test_children_are_told_apart_from_the_process_itself(tmp_path: Path) -> None:
    program = f"kept = b'x' * {64 * MIB}; import time; time.sleep(0.3)"
    shell = f'"{sys.executable}" -c "{program}"; true'

    found = peaks(("/bin/sh", "-c", shell), tmp_path, os.environ)

    assert found.own < 16 * MIB
    assert max(found.others.values()) > 64 * MIB


@pytest.mark.skipif(not _WORLD, reason="needs root, sshd and Nix")
def test_a_system_is_copied_and_committed_while_it_is_measured() -> None:
    found = copied(OURS, 4 * MIB)

    assert found.code == 0, found.output
    assert "committed" in found.output
    assert 0 < found.own < 200e6
    assert {"nix", "ssh"} <= found.others.keys()
