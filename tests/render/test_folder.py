"""The folder generated/ is replaced as a whole or not at all."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emily_infra.render import Rendered
from emily_infra.render.folder import CannotWrite, diff, read, write

HOST = "ember"
ONE = Rendered(HOST, {f"{name}.nix": f"# one {name}\n" * 200 for name in "abcdefgh"})
OTHER = Rendered(HOST, {f"{name}.nix": f"# other {name}\n" * 300 for name in "abcxy"})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "hosts" / HOST).mkdir(parents=True)
    return tmp_path


@pytest.fixture
def small_disk(root: Path) -> Iterator[Path]:
    """A root whose host lives on a disk of 128 KiB."""
    host = root / "hosts" / HOST
    with_mount("-t", "tmpfs", "-o", "size=128k", "none", str(host))
    yield root
    subprocess.run(["umount", "--lazy", str(host)], check=True)


@pytest.fixture
def read_only(root: Path) -> Iterator[Path]:
    """A root that nobody can write to, root included."""
    write(root, ONE)
    with_mount("--bind", str(root), str(root))
    with_mount("-o", "remount,ro,bind", str(root))
    yield root
    subprocess.run(["umount", "--lazy", str(root)], check=True)


def with_mount(*arguments: str) -> None:
    if subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode:
        pytest.skip("mounting takes root")


def leftovers(root: Path) -> list[str]:
    return [path.name for path in (root / "hosts" / HOST).iterdir() if path.name != "generated"]


def test_what_is_written_is_what_was_rendered(root: Path) -> None:
    assert write(root, ONE)

    assert read(root, HOST) == ONE.files
    assert leftovers(root) == []


def test_a_module_that_is_no_longer_rendered_goes_away(root: Path) -> None:
    write(root, ONE)

    write(root, OTHER)

    assert read(root, HOST) == OTHER.files


def test_a_file_that_somebody_put_there_goes_away(root: Path) -> None:
    write(root, ONE)
    (root / "hosts" / HOST / "generated" / "own.nix").write_text("{ }")

    assert write(root, ONE)
    assert read(root, HOST) == ONE.files


def test_nothing_is_touched_when_nothing_changed(root: Path) -> None:
    write(root, ONE)
    folder = root / "hosts" / HOST / "generated"
    before = {path: path.stat() for path in (folder, folder.parent, *folder.iterdir())}

    assert not write(root, ONE)

    assert {path: path.stat() for path in before} == before


def test_other_line_ends_count_as_a_change(root: Path) -> None:
    write(root, ONE)
    file = root / "hosts" / HOST / "generated" / "a.nix"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))

    assert list(diff(root, ONE))
    assert write(root, ONE)
    assert b"\r" not in file.read_bytes()


def test_a_missing_last_newline_shows_in_the_diff(root: Path) -> None:
    write(root, Rendered(HOST, {"a.nix": "{ }"}))

    assert list(diff(root, Rendered(HOST, {"a.nix": "{ }\n"})))[3:] == ["-{ }", "+{ }"]


def test_a_diff_names_every_file_that_comes_goes_or_changes(root: Path) -> None:
    write(root, ONE)

    lines = list(diff(root, OTHER))

    assert "+++ b/hosts/ember/generated/x.nix" in lines
    assert "--- a/hosts/ember/generated/h.nix" in lines
    assert list(diff(root, ONE)) == []


def test_a_killed_run_leaves_the_old_folder_or_the_new_one(root: Path) -> None:
    chance = random.Random(8425)
    write(root, ONE)
    seen = set()

    for _ in range(100):
        kill_a_writer(root, after=chance.uniform(0.001, 0.015))
        now = read(root, HOST)
        assert now in (ONE.files, OTHER.files)
        seen.add(len(now))

    assert seen == {len(ONE.files), len(OTHER.files)}


def kill_a_writer(root: Path, *, after: float) -> None:
    writer = in_a_child(lambda: [write(root, each) for each in (OTHER, ONE) * 100_000])
    time.sleep(after)
    os.kill(writer, signal.SIGKILL)
    _, status = os.waitpid(writer, 0)
    assert os.WIFSIGNALED(status), "the writer ended by itself"


def in_a_child(work: Callable[[], object]) -> int:
    """The process that does the work; its exit code is 0 if that went well."""
    child = os.fork()
    if child:
        return child
    try:
        work()
        os._exit(0)
    finally:
        os._exit(1)


def test_the_next_run_clears_away_what_a_killed_one_left(root: Path) -> None:
    stale = root / "hosts" / HOST / ".generated.k1ll3d"
    stale.mkdir()
    (stale / "a.nix").write_text("half")
    (root / "hosts" / HOST / ".generated.link").symlink_to(root)
    (root / "hosts" / HOST / "host.yaml").write_text("emily: 1\n")

    write(root, ONE)

    assert leftovers(root) == ["host.yaml"]
    assert root.is_dir()


def test_two_runs_at_once_wait_for_each_other(root: Path) -> None:
    child = in_a_child(lambda: [write(root, OTHER) for _ in range(100)])

    for _ in range(100):
        write(root, ONE)

    assert os.waitpid(child, 0)[1] == 0
    assert read(root, HOST) in (ONE.files, OTHER.files)
    assert leftovers(root) == []


def test_a_full_disk_leaves_the_old_folder_as_it_was(small_disk: Path) -> None:
    small = Rendered(HOST, {"a.nix": "{ }\n", "b.nix": "{ }\n"})
    write(small_disk, small)

    with pytest.raises(CannotWrite, match="No space left on device"):
        write(small_disk, Rendered(HOST, {"a.nix": "{ }\n", "b.nix": "#" * 1_000_000}))

    assert read(small_disk, HOST) == small.files
    assert leftovers(small_disk) == []


def test_a_read_only_disk_is_an_error_with_a_way_out(read_only: Path) -> None:
    with pytest.raises(CannotWrite, match="Read-only file system") as refused:
        write(read_only, OTHER)

    assert "unchanged" in str(refused.value)
    assert refused.value.hint.startswith("look at it with: ls -ld /")
    assert read(read_only, HOST) == ONE.files


def test_a_read_only_disk_is_no_error_when_nothing_changed(read_only: Path) -> None:
    assert not write(read_only, ONE)


@pytest.mark.parametrize("target", ["elsewhere", "nowhere", "file"])
def test_a_link_or_file_in_place_of_the_folder_is_refused(root: Path, target: str) -> None:
    (root / "elsewhere").mkdir()
    (root / "elsewhere" / "precious").write_text("data")
    generated = root / "hosts" / HOST / "generated"
    if target == "file":
        generated.write_text("notes")
    else:
        generated.symlink_to(root / target)

    with pytest.raises(CannotWrite, match="no folder of its own"):
        write(root, ONE)

    assert (root / "elsewhere" / "precious").read_text() == "data"
    assert generated.is_symlink() or generated.read_text() == "notes"
    assert leftovers(root) == []


def test_a_host_that_vanished_is_an_error(root: Path) -> None:
    with pytest.raises(CannotWrite, match="No such file"):
        write(root, Rendered("vanished", {"a.nix": ""}))


def test_bytes_that_are_no_text_count_as_a_change(root: Path) -> None:
    write(root, ONE)
    (root / "hosts" / HOST / "generated" / "a.nix").write_bytes(b"\xff\xfe\0")

    assert write(root, ONE)
