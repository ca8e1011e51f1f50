"""Commands over a real sshd: what goes in, what comes out, and how they end."""

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from emily_infra.machine import CommandFailed, Expired, Machine, connect
from tests.machine.sshd import Server

MEGABYTE = 1024 * 1024


def test_the_output_of_a_command_comes_back(machine: Machine) -> None:
    assert machine.run("echo", "well met") == "well met\n"


def test_arguments_arrive_as_they_were(machine: Machine) -> None:
    words = ["", " a  b ", "'", '"$HOME"', "*", "a\nb", "`id`", "\\", "ü", "-n", "!x", "#"]

    assert machine.run("printf", "%s\\0", *words).split("\0")[:-1] == words


def test_stdin_arrives_whole_and_ends(machine: Machine) -> None:
    assert machine.run("cat", stdin="Grüße\n" * 3) == "Grüße\n" * 3


def test_without_stdin_a_reader_sees_its_end_at_once(machine: Machine) -> None:
    assert machine.run("cat", deadline=5) == ""


def test_fifty_megabytes_flow_in_and_out_and_into_stderr_at_once(machine: Machine) -> None:
    sent = "0123456789abcde\n" * (50 * MEGABYTE // 16)

    assert machine.run("tee", "/dev/stderr", stdin=sent) == sent


def test_of_a_long_stderr_the_end_is_kept(machine: Machine) -> None:
    with pytest.raises(CommandFailed) as failed:
        machine.run("sh", "-c", "yes | head -c 3000000 >&2; echo at last >&2; exit 3")

    assert len(failed.value.stderr) == 64 * 1024
    assert "at last" in str(failed.value)


def test_a_failure_carries_its_status_and_both_streams(machine: Machine) -> None:
    with pytest.raises(CommandFailed) as failed:
        machine.run("sh", "-c", "echo out; echo err >&2; exit 4")

    assert (failed.value.status, failed.value.stdout, failed.value.stderr) == (4, "out\n", "err\n")
    assert failed.value.argv[0] == "sh"
    assert "exit status 4\n  err" in str(failed.value)


def test_the_hint_of_a_failure_can_be_pasted(machine: Machine, server: Server) -> None:
    with pytest.raises(CommandFailed) as failed:
        machine.run("ls", "/no such folder")

    assert f"ssh -l root -F /dev/null -p {server.port}" in failed.value.hint


def test_a_command_that_a_signal_ended_has_no_status(machine: Machine) -> None:
    with pytest.raises(CommandFailed, match="without a status") as failed:
        machine.run("sh", "-c", "kill -9 $$")

    assert failed.value.status is None


def test_bytes_that_are_no_text_do_no_harm(machine: Machine) -> None:
    assert machine.run("printf", r"a\377b") == "a\ufffdb"


def test_a_command_need_not_read_its_stdin(machine: Machine) -> None:
    assert machine.run("true", stdin="x" * 8 * MEGABYTE, deadline=5) == ""


def test_at_the_deadline_the_caller_is_free_and_the_connection_still_good(
    machine: Machine,
) -> None:
    started = time.monotonic()

    with pytest.raises(Expired, match=r"within 0\.3 s"):
        machine.run("sleep", "5", deadline=0.3)

    assert time.monotonic() - started < 3
    assert machine.run("echo", "on") == "on\n"


def test_the_deadline_counts_while_the_command_reads_nothing(machine: Machine) -> None:
    started = time.monotonic()

    with pytest.raises(Expired):
        machine.run("sleep", "5", stdin="x" * 20 * MEGABYTE, deadline=0.3)

    assert time.monotonic() - started < 3


def test_the_deadline_counts_while_output_flows(machine: Machine) -> None:
    with pytest.raises(Expired):
        machine.run("sh", "-c", "timeout 2 yes >&2; true", deadline=0.3)


def test_commands_share_a_connection(machine: Machine) -> None:
    with ThreadPoolExecutor(5) as pool:
        answers = pool.map(lambda number: machine.run("echo", str(number)), range(20))

    assert [int(answer) for answer in answers] == list(range(20))


def test_commands_that_end_before_their_input_does_harm_no_other(machine: Machine) -> None:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # threads overtake one another wherever they can
    try:
        with ThreadPoolExecutor(5) as pool:
            answers = list(pool.map(lambda _: machine.run("true", stdin="x" * 99_999), range(60)))
    finally:
        sys.setswitchinterval(interval)

    assert answers == [""] * 60


def test_each_connection_is_a_new_one(server: Server) -> None:
    machines = [connect(server.target()) for _ in range(2)]

    peers = {machine.run("printenv", "SSH_CONNECTION") for machine in machines}

    assert len(peers) == 2
    for machine in machines:
        machine.close()


def test_twenty_machines_at_once(server: Server) -> None:
    def visited(number: int) -> int:
        machine = connect(server.target(name=f"host{number}"))
        try:
            return int(machine.run("echo", str(number)))
        finally:
            machine.close()

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(visited, range(20))) == list(range(20))


def test_nothing_is_left_running_after_close(server: Server) -> None:
    before = threading.active_count()
    machine = connect(server.target())
    machine.run("true")

    machine.close()

    assert settled(before)


def settled(threads: int) -> bool:
    """Whether the threads come down to so many, given a moment."""
    for _ in range(40):
        if threading.active_count() <= threads:
            return True
        time.sleep(0.05)
    return False
