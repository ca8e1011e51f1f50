import os
import subprocess
import sys
from pathlib import Path

from emily_infra.lab import process


def _machine(pid_file: Path, seconds: int) -> "subprocess.Popen[bytes]":
    program = f"import time; print('up', flush=True); time.sleep({seconds})"
    child = subprocess.Popen([sys.executable, "-c", program, str(pid_file)], stdout=subprocess.PIPE)
    assert child.stdout
    child.stdout.readline()
    pid_file.write_text(f"{child.pid}\n")
    return child


def test_a_number_that_belongs_to_somebody_else_is_stale(tmp_path: Path) -> None:
    (tmp_path / "pid").write_text(f"{os.getpid()}\n")

    assert process.running(tmp_path / "pid") is None


def test_killing_leaves_whoever_has_a_stale_number_alone(tmp_path: Path) -> None:
    (tmp_path / "pid").write_text(f"{os.getpid()}\n")

    process.kill(tmp_path / "pid")

    assert not (tmp_path / "pid").exists()


def test_a_killed_machine_runs_no_more(tmp_path: Path) -> None:
    child = _machine(tmp_path / "pid", 60)
    assert process.running(tmp_path / "pid") == child.pid

    process.kill(tmp_path / "pid")

    assert child.wait(5) < 0
    assert process.running(tmp_path / "pid") is None


def test_a_machine_that_stays_on_is_waited_for_no_longer_than_told(tmp_path: Path) -> None:
    child = _machine(tmp_path / "pid", 60)

    assert not process.ends(tmp_path / "pid", 0.1)

    child.kill()
    child.wait()


def test_no_file_means_that_nothing_runs(tmp_path: Path) -> None:
    assert process.running(tmp_path / "pid") is None
    assert process.ends(tmp_path / "pid", 0.0)
