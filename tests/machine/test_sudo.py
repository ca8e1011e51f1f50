"""A deploy user who is not root, on an sshd whose /etc/passwd has one."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from emily_infra.machine import CommandFailed, Machine, NotPermitted, connect
from tests.machine.sshd import serving

# It stays who it is, but tells whom it would be: root rights would need a real setuid program.
SUDO = """#!/bin/sh
[ -e {folder}/forbidden ] && echo "sudo: a password is required" >&2 && exit 1
[ "$1 $2" = "-n --" ] && shift 2 && BY_SUDO_OF=$(id -un) exec "$@"
"""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that everybody may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def deploy(folder: Path) -> Iterator[Machine]:
    passwd = folder / "passwd"
    others = Path("/etc/passwd").read_text()
    passwd.write_text(f"{others}deploy:x:4711:4711::{folder}:/bin/sh\n")
    (folder / "sudo").write_text(SUDO.format(folder=folder))
    (folder / "sudo").chmod(0o755)
    bind = f'mount --bind {passwd} /etc/passwd && exec "$@"'
    before = ("unshare", "--mount", "sh", "-c", bind, "sh")
    with serving(folder, f"SetEnv PATH={folder}:/usr/bin:/bin", before) as server:
        machine = connect(server.target(user="deploy"))
        yield machine
        machine.close()


def test_every_command_goes_through_sudo(deploy: Machine) -> None:
    assert deploy.run("printenv", "BY_SUDO_OF") == "deploy\n"


def test_stdin_goes_through_sudo_too(deploy: Machine) -> None:
    assert deploy.run("sh", stdin='echo "$BY_SUDO_OF"\n') == "deploy\n"


def test_a_sudo_that_forbids_is_answered_with_the_missing_line(
    deploy: Machine, folder: Path
) -> None:
    (folder / "forbidden").touch()

    with pytest.raises(NotPermitted) as failed:
        deploy.run("id")

    (folder / "forbidden").unlink()
    assert "deploy ALL=(root) NOPASSWD: ALL" in failed.value.hint


def test_the_hint_of_a_failure_goes_through_sudo_too(deploy: Machine) -> None:
    with pytest.raises(CommandFailed, match="false failed on ember: exit status 1") as failed:
        deploy.run("false")

    assert failed.value.hint.endswith("127.0.0.1 'sudo -n -- false'")
