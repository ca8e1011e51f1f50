"""A link that breaks, falls silent, or never came about."""

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from emily_infra.machine import CommandFailed, Expired, Target, Unreachable, connect
from emily_infra.machine.deadline import Deadline
from emily_infra.machine.opening import opened
from emily_infra.machine.ssh import Pulse
from tests.machine.sshd import Server, free_port, wire

QUICK = Pulse(every=0.2, unanswered=4)


def later(act: Callable[[], None], seconds: float = 0.3) -> None:
    threading.Timer(seconds, act).start()


def took(action: Callable[[], object]) -> float:
    """Seconds until ACTION failed for want of a connection."""
    started = time.monotonic()
    with pytest.raises(Unreachable):
        action()
    return time.monotonic() - started


def test_a_link_that_falls_silent_is_noticed(server: Server) -> None:
    with wire(server) as (link, target):
        machine = opened(target, Deadline.after(5), QUICK)
        later(link.freeze)

        with pytest.raises(Unreachable, match=r"no byte for 0\.8 s .* may still be running"):
            machine.run("sleep", "10")


def test_a_quiet_command_on_a_good_link_is_left_alone(server: Server) -> None:
    machine = opened(server.target(), Deadline.after(5), QUICK)

    assert machine.run("sh", "-c", "sleep 1.3; echo done") == "done\n"
    machine.close()


def test_a_link_that_died_while_idle_is_noticed_by_the_next_command(server: Server) -> None:
    with wire(server) as (link, target):
        machine = opened(target, Deadline.after(5), QUICK)
        link.freeze()

        assert took(lambda: machine.run("true")) < 5


def test_a_deadline_holds_on_a_dead_link_with_full_buffers(server: Server) -> None:
    with wire(server) as (link, target):
        machine = connect(target)
        later(link.freeze, 0.1)

        seconds = took(lambda: machine.run("cat", stdin="x" * 50_000_000, deadline=0.5))

        assert seconds < 3
        machine.close()


def test_a_link_cut_in_the_middle_is_not_a_failed_command(server: Server) -> None:
    with wire(server) as (link, target):
        machine = connect(target)
        later(link.cut)

        with pytest.raises(Unreachable, match="may or may not have run") as broken:
            machine.run("sh", "-c", "echo begun; sleep 10")

        assert not isinstance(broken.value, (Expired, CommandFailed))
        machine.close()


def test_half_an_output_is_never_taken_for_the_whole(server: Server) -> None:
    with wire(server) as (link, target):
        machine = connect(target)
        later(link.cut)

        with pytest.raises(Unreachable):
            machine.run("sh", "-c", "yes | head -c 1000000000")


def test_a_server_whose_session_is_killed_counts_as_a_broken_link(server: Server) -> None:
    machine = connect(server.target())

    # The parent of the shell is the session's own sshd, not the one that listens.
    with pytest.raises(Unreachable):
        machine.run("sh", "-c", "kill -9 $PPID; sleep 1")


def test_after_the_break_every_command_says_so_at_once(server: Server) -> None:
    with wire(server) as (link, target):
        machine = connect(target)
        link.cut()
        time.sleep(0.2)

        assert took(lambda: machine.run("true")) < 3
        with pytest.raises(Unreachable, match="true was not run"):
            machine.run("true")


def test_nobody_listens(server: Server) -> None:
    with pytest.raises(Unreachable, match="Connection refused"):
        connect(server.target(port=free_port()))


def test_an_address_that_answers_nothing_costs_no_more_than_the_deadline(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.settimeout(0)
            one.connect_ex(("127.0.0.1", port))

        seconds = took(lambda: connect(server.target(port=port), deadline=0.5))

        assert 0.3 < seconds < 3


def test_a_server_that_never_greets_costs_no_more_than_the_deadline(server: Server) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as mute,
        pytest.raises(Expired, match="did not greet"),
    ):
        connect(server.target(port=mute.getsockname()[1]), deadline=0.5)


def test_a_link_that_freezes_in_the_handshake_costs_no_more_than_the_deadline(
    server: Server,
) -> None:
    with wire(server) as (link, target):
        link.freeze()

        assert took(lambda: connect(target, deadline=0.5)) < 3


def test_something_else_than_sshd_listens(server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as web:
        threading.Thread(target=greet, args=(web, b"HTTP/1.1 400 No\r\n\r\n"), daemon=True).start()

        with pytest.raises(Unreachable, match="no SSH with"):
            connect(server.target(port=web.getsockname()[1]), deadline=5)


def greet(listener: socket.socket, words: bytes) -> None:
    peer, _ = listener.accept()
    peer.sendall(words)
    peer.close()


def test_a_name_without_an_address(server: Server) -> None:
    with pytest.raises(Unreachable, match=r"no address for nowhere\.invalid"):
        connect(server.target(address="nowhere.invalid"))


def test_an_address_is_never_taken_for_an_option(server: Server) -> None:
    with pytest.raises(Unreachable):
        connect(server.target(address="-oProxyCommand=touch /tmp/emily-was-here"))

    assert not Path("/tmp/emily-was-here").exists()


def test_a_configuration_with_a_mistake_is_shown_as_ssh_shows_it(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("NoSuchWord yes\n")

    with pytest.raises(Unreachable, match="Bad configuration option: nosuchword"):
        connect(Target("ember", "ember", configuration=tmp_path / "config"))
