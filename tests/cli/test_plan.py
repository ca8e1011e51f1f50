"""plan as a process, over a real SSH connection; Nix builds what the test has laid there."""

import getpass
import json
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import emily, project, text_of
from tests.cli.served import SSHD, Served, served
from tests.observe import made
from tests.observe.pebble import NEW, SECTIONS

pytestmark = pytest.mark.skipif(SSHD is None, reason="needs sshd")
_NIX = """#!/bin/sh
cat "$0.toplevel"
"""
_STORE = """#!/bin/sh
case $2 in
  --requisites) echo "$3" ;;
  --size) echo 5000000 ;;
esac
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("sshd")) as running:
        with (running.folder / "ssh_config").open("a") as settings:
            settings.write(f"Host 192.168.1.10\n  HostName 127.0.0.1\n  Port {running.port}\n")
        yield running


@pytest.fixture
def folder(tmp_path: Path, machine: Served, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose pebble is behind the daemon, rendered, with a Nix that builds at once."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name, text in (("nix", _NIX), ("nix-store", _STORE)):
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{machine.path}")
    text, user = text_of("pebble"), getpass.getuser()
    if user != "root":  # a daemon of one's own lets nobody else in
        text = text.replace("colter", user).replace("deploy:", f"deploy:\n  user: {user}")
    root = project(tmp_path, pebble=text)
    render(root)
    return root


def render(root: Path) -> None:
    done = emily(root, "render")
    assert done.code == 0, done.err


def builds(root: Path, toplevel: str) -> None:
    (root / "tools/nix.toplevel").write_text(f"{toplevel}\n")


def source(root: Path) -> dict[str, str]:
    home = root / "hosts/pebble"
    files = [path for path in home.rglob("*") if path.is_file()]
    return {str(path.relative_to(home)): path.read_text() for path in files}


def changed(root: Path, machine: Served) -> None:
    """The host runs pebble as it was, and here it has more memory for ZFS."""
    machine.says(made.printed({**SECTIONS, "source": made.archive(source(root))}))
    spec = root / "hosts/pebble/host.yaml"
    spec.write_text(spec.read_text().replace("arc: 6GiB", "arc: 7GiB"))
    render(root)
    system = root / "built"
    shutil.copytree(root / "hosts/pebble", system / "etc/emily/source")
    (system / "init-interface-version").write_text("systemd 2")
    builds(root, str(system))


def test_a_host_as_described_is_exit_code_0(folder: Path, machine: Served) -> None:
    machine.says(made.printed(SECTIONS))
    builds(folder, NEW)

    done = emily(folder, "plan", "pebble")

    assert done.code == 0, done.err
    assert done.out.startswith("pebble: nothing to do")


def test_a_change_is_exit_code_2_and_led_by_its_field(folder: Path, machine: Served) -> None:
    changed(folder, machine)

    done = emily(folder, "plan", "pebble")

    assert done.code == 2, done.err
    assert "  ~ system.memory.arc: 6GiB -> 7GiB\n      generated/storage.nix" in done.out
    assert "~ boot.kernelParams" in done.out


def test_the_last_line_is_what_to_type_next(folder: Path, machine: Served) -> None:
    changed(folder, machine)

    done = emily(folder, "plan", "pebble", "--out", "p.plan")

    assert "emily-infra" in done.out.splitlines()[-1]
    assert done.out.splitlines()[-1].startswith("next: ")


@pytest.mark.parametrize("columns", [80, 160])
def test_no_line_that_is_read_is_wider_than_the_terminal(
    folder: Path, machine: Served, columns: int
) -> None:
    changed(folder, machine)

    done = emily(folder, "plan", "pebble", columns=columns)

    wide = [line for line in done.out.splitlines() if len(line) > columns]
    assert all(line.lstrip().startswith(("zfs ", "not run", "next:")) for line in wide), wide


def test_a_plan_is_written_for_its_owner_alone(folder: Path, machine: Served) -> None:
    changed(folder, machine)

    emily(folder, "plan", "pebble", "--out", "p.plan")

    assert stat.S_IMODE((folder / "p.plan").stat().st_mode) == 0o600
    assert json.loads((folder / "p.plan").read_text())["noop"] is False


def test_for_a_program_the_plan_is_what_would_be_saved(folder: Path, machine: Served) -> None:
    changed(folder, machine)

    done = emily(folder, "plan", "pebble", "--json", "--out", "p.plan")

    assert done.code == 2
    assert done.out == (folder / "p.plan").read_text()


@pytest.mark.parametrize("place", ["nowhere/p.plan", "tools"])
def test_a_place_where_no_plan_can_be_written_is_refused_before_the_build(
    folder: Path, machine: Served, place: str
) -> None:
    changed(folder, machine)
    (folder / "tools/nix").write_text("#!/bin/sh\ntouch built-after-all\nexit 1\n")

    done = emily(folder, "plan", "pebble", "--out", place)

    assert done.code == 1
    assert f"{place} cannot be written" in " ".join(done.err.split())
    assert not (folder / "built-after-all").exists()


def test_a_plan_that_cannot_be_written_is_shown_and_its_name_is_told(
    folder: Path, machine: Served
) -> None:
    changed(folder, machine)
    long = "p" * 250  # the name of the file beside it, from which it is renamed, is too long

    done = emily(folder, "plan", "pebble", "--out", long)

    assert done.code == 1
    assert "system.memory.arc" in done.out
    assert f"error {long}: File name too long" in done.err
    assert "next:" not in done.out


def test_a_clock_that_is_off_is_told_by_apply_as_well(folder: Path, machine: Served) -> None:
    changed(folder, machine)

    assert "its clock is " in emily(folder, "apply", "pebble").err


def test_detailed_shows_the_diff_of_the_files(folder: Path, machine: Served) -> None:
    changed(folder, machine)

    assert "+++ here/generated/storage.nix" in emily(folder, "plan", "pebble", "--detailed").out


def test_what_is_not_rendered_is_refused(folder: Path, machine: Served) -> None:
    changed(folder, machine)
    (folder / "hosts/pebble/generated/boot.nix").unlink()

    done = emily(folder, "plan", "pebble")

    assert done.code == 1
    assert "PLN004" in done.err
    assert "emily-infra render pebble" in done.err


def test_a_build_that_fails_is_an_error(folder: Path, machine: Served) -> None:
    changed(folder, machine)
    (folder / "tools/nix").write_text("#!/bin/sh\necho no such attribute >&2\nexit 1\n")

    done = emily(folder, "plan", "pebble")

    assert done.code == 1
    assert "no such attribute" in done.err
