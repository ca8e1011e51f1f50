"""`emily-infra install` as a process, over a real SSH connection, with a Nix that stands in."""

import re
import shlex
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from emily_infra.render import render
from emily_infra.render.templates import Templates
from tests.cli.command import Done
from tests.cli.hands import Hands, hands
from tests.cli.served import SSHD
from tests.hosts import ROOT
from tests.install.world import BOX, INITRD, KERNEL, Box, box

pytestmark = pytest.mark.skipif(SSHD is None, reason="needs sshd")
ERROR, OUT_OF_REACH, BY_HAND = 1, 8, 130
NIX = """\
#!/bin/sh
echo "$@" >>{folder}/nix.log
case "$*" in
  *" build "*) echo {top} ;;
  *" copy "*)
    cd {root} && exec {python} -c '
import sys
from pathlib import Path
from tests.storage.behind import keep, kept
world = kept(Path("{folder}/world"))
world.copy(sys.argv[1], print)
keep(world, Path("{folder}/world"))
' {top} ;;
  *--requisites*) echo {top} ;;
  *--size*) echo 1 ;;
esac
"""
GOLDEN = Path(__file__).parent / "install.txt"


@pytest.fixture
def ready(tmp_path: Path) -> Iterator[Hands]:
    with hands(tmp_path, BOX, box) as made:
        folder = tmp_path / "hosts/pebble"
        (folder / "generated").mkdir()
        for name, text in render(made.host, Templates()).files.items():
            (folder / "generated" / name).write_text(text)
        top = tmp_path / "system"
        (top / "etc/emily/source").mkdir(parents=True)
        (top / "etc/emily/source/host.yaml").write_text((folder / "host.yaml").read_text())
        (top / "kernel").write_bytes(KERNEL)
        (top / "initrd").write_bytes(INITRD)
        for name in ("nix", "nix-store"):
            program = tmp_path / "sshd/bin" / name
            program.write_text(
                NIX.format(folder=tmp_path, top=top, root=ROOT, python=sys.executable)
            )
            program.chmod(0o755)
        yield made


def install(ready: Hands, *words: str, typed: str | None = None) -> Done:
    return ready.emily("install", "pebble", "--target", where(ready), *words, typed=typed)


def where(ready: Hands) -> str:
    return f"{ready.host.spec.deploy.user}@127.0.0.1:{ready.port}"


def world_of(ready: Hands) -> Box:
    world = ready.world
    assert isinstance(world, Box)
    return world


def told(ready: Hands, text: str) -> str:
    """What was said, without what is another at each run."""
    text = text.replace(str(ready.folder), "/tmp").replace(f" port {ready.port}", "")
    text = text.replace(f"{ready.host.spec.deploy.user}@127.0.0.1", "root@box")
    text = re.sub("NIX_SSHOPTS='[^']*'", "NIX_SSHOPTS=...", text)
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def test_a_dry_run_shows_every_command_and_changes_nothing(ready: Hands) -> None:
    done = install(ready, "--dry-run")

    assert done.code == 0, done.err
    assert told(ready, done.out) == GOLDEN.read_text()
    assert not world_of(ready).ran


def test_the_host_is_installed_by_the_commands_that_were_shown(ready: Hands) -> None:
    done = install(ready, typed="pebble")

    said = done.out + done.err
    assert done.code == 0, said
    for word in ("smb-colter: /run/secrets/smb-colter", "emily-infra status pebble", "reboot"):
        assert word in said
    world = world_of(ready)
    assert sorted(world.asleep) == ["rpool", "tank"]
    assert world.profile == f"{ready.folder}/system"
    assert "remote-store=local%3Froot%3D%2Fmnt" in (ready.folder / "nix.log").read_text()
    shown = {line.strip().rpartition(" | ")[2] for line in done.out.splitlines()}
    looks = ("sh", "unshare", "xargs")
    for argv in world.ran:
        only_looks = argv[0] in looks or "-n" in argv or argv[:2] == ("zpool", "import")
        assert only_looks or shlex.join(argv) in shown, argv


@pytest.mark.parametrize("typed", ["yes", "peble"])
def test_anything_but_its_name_is_a_no(ready: Hands, typed: str) -> None:
    done = install(ready, typed=typed)

    assert done.code == ERROR
    assert not world_of(ready).ran


def test_without_a_terminal_nobody_is_asked(ready: Hands) -> None:
    done = install(ready)

    assert done.code == ERROR
    assert "--confirm pebble" in done.err
    assert not world_of(ready).ran


def test_a_disk_with_something_on_it_is_a_finding_at_its_line(ready: Hands) -> None:
    world = world_of(ready)
    world.disks[2].signatures[""] = ["ext4"]
    ready.becomes(world)

    done = install(ready, "--confirm", "pebble")

    assert done.code == ERROR
    assert "hosts/pebble/host.yaml:" in done.err
    assert "DSK004" in done.err
    assert "nothing was changed" in done.err
    assert not world_of(ready).ran


def test_a_machine_that_lacks_something_is_told_what(ready: Hands) -> None:
    world = world_of(ready)
    world.efi = False
    ready.becomes(world)

    done = install(ready, "--dry-run")

    assert done.code == ERROR
    assert "INS003" in done.err
    assert "UEFI" in done.err


def test_a_host_without_a_boot_disk_is_said_before_anything(ready: Hands) -> None:
    file = ready.folder / "hosts/pebble/host.yaml"
    file.write_text((ROOT / "hosts/pebble/host.yaml").read_text())
    ready.emily("render", "pebble")

    done = install(ready, "--dry-run")

    assert done.code == ERROR
    assert "INS001" in done.err
    assert "no dataset with `mountpoint: /`" in done.err or "mountpoint: /" in done.err


def test_a_system_of_another_description_is_refused(ready: Hands) -> None:
    (ready.folder / "system/etc/emily/source/host.yaml").write_text("emily: 1\n")

    done = install(ready, "--confirm", "pebble", "--system", str(ready.folder / "system"))

    assert done.code == ERROR
    assert "INS005" in done.err
    assert not world_of(ready).ran


def test_a_system_that_was_built_elsewhere_is_taken_instead(ready: Hands) -> None:
    done = install(ready, "--dry-run", "--system", str(ready.folder / "system"))

    assert done.code == 0, done.err
    assert " build " not in (ready.folder / "nix.log").read_text()


def test_an_installer_whose_key_is_unknown_is_made_known_by_a_command(ready: Hands) -> None:
    (ready.folder / "sshd/known_hosts").write_text("")

    done = install(ready, "--dry-run")

    assert done.code == OUT_OF_REACH
    assert ">> " in done.err
    assert f"[127.0.0.1]:{ready.port} ssh-ed25519" in done.err


def test_a_stop_at_the_question_has_changed_nothing(ready: Hands) -> None:
    words = ("install", "pebble", "--target", where(ready))

    with ready.begin(*words, until="type pebble to go on: ") as running:
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=30)

    assert running.returncode == BY_HAND
    assert "no host was changed" in err
    assert not world_of(ready).ran


def test_killed_in_the_middle_the_next_run_goes_on(ready: Hands) -> None:
    words = ("install", "pebble", "--target", where(ready), "--confirm", "pebble")
    with ready.begin(*words, until="creating tank\n") as running:
        running.kill()

    done = install(ready, "--confirm", "pebble")

    assert done.code == 0, done.err
    assert sorted(world_of(ready).asleep) == ["rpool", "tank"]
