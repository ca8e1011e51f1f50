"""Commands on this very machine."""

import getpass
import os
import sys
import threading
import time
from pathlib import Path

import pytest

from emily_infra.machine import (
    AsRoot,
    CommandFailed,
    Expired,
    Local,
    NotPermitted,
    Target,
    connect,
)

HERE = Local()


def test_output_stdin_and_status() -> None:
    assert HERE.run("cat", stdin="Grüße") == "Grüße"
    with pytest.raises(CommandFailed) as failed:
        HERE.run("sh", "-c", "echo out; echo err >&2; exit 4")
    assert (failed.value.status, failed.value.stdout, failed.value.stderr) == (4, "out\n", "err\n")


def test_fifty_megabytes_flow_in_and_out_and_into_stderr_at_once() -> None:
    sent = "0123456789abcde\n" * (50 * 1024 * 1024 // 16)

    assert HERE.run("tee", "/dev/stderr", stdin=sent) == sent


def test_of_a_long_stderr_the_end_is_kept() -> None:
    with pytest.raises(CommandFailed) as failed:
        HERE.run("sh", "-c", "yes | head -c 9000000 >&2; echo at last >&2; exit 3")

    assert len(failed.value.stderr) == 64 * 1024
    assert failed.value.stderr.endswith("at last\n")


def test_bytes_that_are_no_text_do_no_harm() -> None:
    assert HERE.run("printf", r"a\377b") == "a\ufffdb"


def test_a_command_need_not_read_its_stdin() -> None:
    assert HERE.run("true", stdin="x" * 10_000_000) == ""


def test_a_signal_has_a_negative_status() -> None:
    with pytest.raises(CommandFailed, match="signal 9 ended it") as failed:
        HERE.run("sh", "-c", "kill -9 $$")

    assert failed.value.status == -9


def test_a_program_that_is_missing() -> None:
    with pytest.raises(CommandFailed, match="no-such-program: No such file") as failed:
        HERE.run("no-such-program")

    assert failed.value.status == 127
    assert "install no-such-program" in failed.value.hint


def test_at_the_deadline_the_children_end_too(tmp_path: Path) -> None:
    mark = tmp_path / "pid"

    with pytest.raises(Expired, match="and was killed\n  begun"):
        HERE.run("sh", "-c", f"echo begun >&2; sleep 30 & echo $! >{mark}; wait", deadline=0.3)

    assert ended(int(mark.read_text()))


def test_a_child_that_ignores_the_request_is_killed_by_force(tmp_path: Path) -> None:
    mark = tmp_path / "pid"

    with pytest.raises(Expired):
        HERE.run("sh", "-c", f"trap '' TERM; echo $$ >{mark}; sleep 30; sleep 30", deadline=0.2)

    assert ended(int(mark.read_text()))


def ended(process: int) -> bool:
    """Whether it is gone (or waits for its parent to look), given a moment."""
    status = Path(f"/proc/{process}/stat")
    for _ in range(40):
        if not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


def test_the_deadline_counts_where_a_child_holds_the_output_open() -> None:
    started = time.monotonic()

    with pytest.raises(Expired):
        HERE.run("sh", "-c", "sleep 30 &", deadline=0.3)

    assert time.monotonic() - started < 6


def test_no_deadline_at_all() -> None:
    assert HERE.run("echo", "x", deadline=float("inf")) == "x\n"


def test_the_environment_is_added_to_and_the_folder_is_gone_to(tmp_path: Path) -> None:
    local = Local(environment={"COLOUR": "green"}, folder=tmp_path)

    assert local.run("sh", "-c", 'echo "$COLOUR $PATH"; pwd') == (
        f"green {os.environ['PATH']}\n{tmp_path}\n"
    )


def test_the_hint_repeats_folder_and_environment(tmp_path: Path) -> None:
    local = Local(environment={"A": "b c"}, folder=tmp_path)

    with pytest.raises(CommandFailed) as failed:
        local.run("false")

    assert failed.value.hint == f"try it by hand: cd {tmp_path} && A='b c' false"


def test_lines_of_progress_are_heard_as_they_come() -> None:
    heard: list[tuple[str, float]] = []
    local = Local(on_line=lambda line: heard.append((line, time.monotonic())))

    answer = local.run("sh", "-c", "echo one >&2; sleep 0.4; printf 'two\\r\\nrest' >&2; echo out")

    assert [line for line, _ in heard] == ["one", "two", "rest"]
    assert heard[1][1] - heard[0][1] > 0.2
    assert answer == "out\n"


def test_an_error_of_the_listener_ends_the_command(tmp_path: Path) -> None:
    def refuse(line: str) -> None:
        raise KeyboardInterrupt(line)

    with pytest.raises(KeyboardInterrupt):
        Local(on_line=refuse).run("sh", "-c", f"echo $$ >{tmp_path}/pid; echo x >&2; sleep 30")

    assert ended(int((tmp_path / "pid").read_text()))


def test_no_thread_and_no_open_file_stays() -> None:
    threads, files = threading.active_count(), len(os.listdir("/proc/self/fd"))

    HERE.run("true")

    assert (threading.active_count(), len(os.listdir("/proc/self/fd"))) == (threads, files)


def test_the_operators_own_machine_takes_no_ssh() -> None:
    machine = connect(Target("ember", "localhost", user=getpass.getuser()))

    assert machine.run("echo", "$HOME") == "$HOME\n"
    assert machine.name == "ember"


def test_whoever_never_leaves_this_machine_does_not_wait_for_paramiko() -> None:
    program = "import sys, emily_infra.machine; print('paramiko' in sys.modules)"

    assert HERE.run(sys.executable, "-c", program) == "False\n"


SUDO = """#!/bin/sh
{answer}
[ "$1 $2" = "-n --" ] && shift 2 && exec "$@"
"""


def with_sudo(folder: Path, answer: str = "") -> Local:
    """This machine, seen by a user who is not root, with a sudo that says ANSWER."""
    (folder / "sudo").write_text(SUDO.format(answer=answer))
    (folder / "sudo").chmod(0o755)
    return Local(environment={"PATH": f"{folder}:/usr/bin:/bin"}, elevation=AsRoot("deploy"))


def test_who_is_not_root_becomes_it_with_a_sudo_that_never_asks(tmp_path: Path) -> None:
    assert with_sudo(tmp_path).run("echo", "a  b", "--", "-c") == "a  b -- -c\n"


@pytest.mark.parametrize(
    "complaint",
    [
        "sudo: a password is required",
        "sudo: a terminal is required to read the password; either use the -S option",
        "deploy is not in the sudoers file.",
        "Sorry, user deploy is not allowed to execute '/bin/sh' as root on ember.",
    ],
)
def test_a_sudo_that_forbids_is_answered_with_the_missing_line(
    tmp_path: Path, complaint: str
) -> None:
    with pytest.raises(NotPermitted) as failed:
        with_sudo(tmp_path, f'echo "{complaint}" >&2; exit 1').run("sh", "-c", "true")

    assert "deploy ALL=(root) NOPASSWD: ALL" in failed.value.hint
    assert complaint in str(failed.value)


@pytest.mark.parametrize(
    "warning", ["sudo: unable to resolve host ember", "sudo: zpool: command not found", "no pool"]
)
def test_a_command_that_fails_under_sudo_fails_by_itself(tmp_path: Path, warning: str) -> None:
    with pytest.raises(CommandFailed) as failed:
        with_sudo(tmp_path, f'echo "{warning}" >&2').run("sh", "-c", "exit 1")

    assert not isinstance(failed.value, NotPermitted)
