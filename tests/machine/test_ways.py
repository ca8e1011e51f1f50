"""Ways that lead through other hosts and programs."""

import os
import time
from contextlib import suppress
from pathlib import Path

import pytest

from emily_infra.machine import Refused, Target, Unreachable, connect
from tests.machine.sshd import Server


def configured(folder: Path, server: Server, jump: Server, *lines: str) -> Target:
    """A target that ssh's configuration leads to, and a host `bastion` on the way."""
    file = folder / "config"
    common = f"  User root\n  IdentityFile {{key}}\n  UserKnownHostsFile {folder}/known_hosts\n"
    (folder / "known_hosts").write_text(
        f"{server.known_as} {server.host_key()}\n{jump.known_as} {jump.host_key()}\n"
    )
    file.write_text(
        f"Host bastion\n  HostName 127.0.0.1\n  Port {jump.port}\n{common.format(key=jump.key)}"
        f"Host box\n  HostName 127.0.0.1\n  Port {server.port}\n{common.format(key=server.key)}"
        + "".join(f"  {line}\n" for line in lines)
    )
    return Target("ember", "box", configuration=file)


def children() -> set[str]:
    found = set[str]()
    for thread in Path(f"/proc/{os.getpid()}/task").iterdir():
        with suppress(OSError):  # it has ended since
            found.update((thread / "children").read_text().split())
    return found


def test_a_jump_host(server: Server, jump: Server, tmp_path: Path) -> None:
    machine = connect(configured(tmp_path, server, jump, "ProxyJump bastion"))

    assert machine.run("printenv", "SSH_CONNECTION").split()[3] == str(server.port)
    machine.close()


def test_two_jump_hosts(server: Server, jump: Server, tmp_path: Path) -> None:
    user_and_port = f"root@bastion:{jump.port}"
    machine = connect(configured(tmp_path, server, jump, f"ProxyJump bastion,{user_and_port}"))

    assert machine.run("echo", "through") == "through\n"
    machine.close()


def test_a_proxy_command(server: Server, jump: Server, tmp_path: Path) -> None:
    command = "ProxyCommand ssh -F %d/none -F {file} -W %h:%p bastion".format(
        file=tmp_path / "config"
    )
    machine = connect(configured(tmp_path, server, jump, command))

    assert machine.run("cat", stdin="x" * 5_000_000) == "x" * 5_000_000
    machine.close()


def test_the_proxy_ends_with_the_connection(server: Server, jump: Server, tmp_path: Path) -> None:
    before = children()
    machine = connect(configured(tmp_path, server, jump, "ProxyJump bastion"))
    during = children()

    machine.close()

    assert during - before
    assert children() == before


def test_the_proxy_ends_where_the_login_fails(server: Server, jump: Server, tmp_path: Path) -> None:
    before = children()
    target = configured(tmp_path, server, jump, "ProxyJump bastion", f"HostKeyAlias {'x' * 9}")

    with pytest.raises(Unreachable, match="unknown"):
        connect(target)

    assert children() == before


def test_a_jump_host_that_refuses_explains_itself(
    server: Server, jump: Server, tmp_path: Path
) -> None:
    target = configured(tmp_path, server, jump, "ProxyJump nobody@bastion")

    with pytest.raises(Unreachable, match=r"proxy: nobody@127\.0\.0\.1: Permission denied"):
        connect(target)


def test_a_proxy_that_does_nothing_costs_no_more_than_the_deadline(
    server: Server, jump: Server, tmp_path: Path
) -> None:
    started = time.monotonic()

    with pytest.raises(Unreachable, match="did not greet"):
        connect(configured(tmp_path, server, jump, "ProxyCommand sleep 30"), deadline=0.5)

    assert time.monotonic() - started < 3


def test_a_proxy_that_does_not_exist(server: Server, jump: Server, tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=r"proxy: .*no-such-program.*not found"):
        connect(configured(tmp_path, server, jump, "ProxyCommand no-such-program"))


def test_a_proxy_that_is_killed_breaks_the_connection(
    server: Server, jump: Server, tmp_path: Path
) -> None:
    before = children()
    machine = connect(configured(tmp_path, server, jump, "ProxyJump bastion"))
    for child in children() - before:
        os.kill(int(child), 9)

    with pytest.raises(Unreachable):
        machine.run("sleep", "5")
    machine.close()


def test_host_user_port_and_key_come_from_the_configuration(
    server: Server, jump: Server, tmp_path: Path
) -> None:
    connect(configured(tmp_path, server, jump)).close()


def test_what_the_target_says_goes_before_the_configuration(
    server: Server, jump: Server, tmp_path: Path
) -> None:
    target = configured(tmp_path, server, jump)

    with pytest.raises(Refused, match="nobody@"):
        connect(Target("ember", "box", user="nobody", configuration=target.configuration))
