"""What every backup command stands on: its settings, its state, its locks."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from emily_infra.backup import state
from emily_infra.backup.faults import BadSettings, Busy
from emily_infra.backup.here import Here, lives, this_run
from emily_infra.backup.locks import locked
from emily_infra.backup.metrics import Sample, publish
from emily_infra.backup.settings import Paths, Settings, load


@pytest.fixture
def here(tmp_path: Path) -> Here:
    paths = Paths(locks=tmp_path / "locks", metrics=tmp_path / "metrics", state=tmp_path / "state")
    return Here(Settings(version=2, host="nas", host_id="4e4a5001", paths=paths, datasets={}))


def test_a_missing_host_json_says_where_backups_run(tmp_path: Path) -> None:
    with pytest.raises(BadSettings) as caught:
        load(tmp_path / "host.json")

    assert "host.json: No such file" in str(caught.value)
    assert "emily-infra apply" in caught.value.hint


def test_a_host_json_of_another_version_is_refused_with_the_place(tmp_path: Path) -> None:
    file = tmp_path / "host.json"
    file.write_text(json.dumps({"version": 1, "host": "nas", "host_id": "1", "datasets": {}}))

    with pytest.raises(BadSettings, match="version"):
        load(file)


def test_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    state.write(tmp_path / "new" / "state.json", {"name": "\udcff"})

    assert state.read(tmp_path / "new" / "state.json") == {"name": "\udcff"}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe"])
def test_damaged_state_is_put_aside_and_counts_as_none(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "state.json"
    file.write_bytes(content)

    assert state.read(file) is None
    assert (tmp_path / "state.json.damaged").read_bytes() == content


def test_a_writer_that_was_killed_leaves_nothing_for_long(tmp_path: Path) -> None:
    left = tmp_path / ".state.json.999999999"
    left.write_text("half")

    state.write(tmp_path / "state.json", {})

    assert [file.name for file in tmp_path.iterdir()] == ["state.json"]


def test_a_second_run_is_told_who_holds_the_lock(here: Here) -> None:
    with (
        locked(here, "pool-tank", verb="snapshot"),
        pytest.raises(Busy) as caught,
        locked(here, "pool-tank", verb="expire"),
    ):
        pass

    assert f"snapshot (process {os.getpid()}" in str(caught.value)
    assert caught.value.exit_code == 7


def test_the_lock_of_a_killed_process_is_free(here: Here) -> None:
    path = here.settings.paths.locks / "pool-tank"
    path.parent.mkdir()
    code = f"import fcntl, os, signal; f = open({str(path)!r}, 'w'); fcntl.flock(f, fcntl.LOCK_EX)"
    subprocess.run([sys.executable, "-c", f"{code}; os.kill(os.getpid(), signal.SIGKILL)"])

    with locked(here, "pool-tank", verb="snapshot"):
        pass


def test_a_run_lives_as_long_as_its_process() -> None:
    child = subprocess.Popen(["sleep", "60"])
    gone = this_run().replace(str(os.getpid()), str(child.pid))
    child.kill()
    child.wait()

    assert lives(this_run())
    assert not lives(gone)
    assert not lives("")
    assert not lives("0bad-1-1")


def test_figures_are_readable_by_the_exporter(here: Here) -> None:
    labels = {"dataset": 'tank/"odd"'}
    publish(here, "snapshot", [Sample("emily_snapshot_count", 3, labels), Sample("emily_x", 1)])

    file = here.settings.paths.metrics / "emily-snapshot.prom"
    assert 'emily_snapshot_count{dataset="tank/\\"odd\\""} 3.0' in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o644


def test_a_metrics_folder_that_cannot_be_written_stops_nothing(here: Here) -> None:
    here.settings.paths.metrics.write_text("a file in its place")
    heard: list[str] = []

    publish(Here(here.settings, tell=heard.append), "snapshot", [])

    assert "alerts see older figures" in heard[0]
