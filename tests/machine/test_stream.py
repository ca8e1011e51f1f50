"""Programs that are heard while they work."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from emily_infra.machine import CommandFailed, Expired, Program, stream
from emily_infra.machine.stream import Lines


def shell(script: str, **environment: str) -> Program:
    return Program(("sh", "-c", script), environment)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(gone: int, seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while is_alive(gone) and time.monotonic() < end:
        time.sleep(0.02)
    return not is_alive(gone)


def test_lines_are_heard_while_the_program_still_runs(tmp_path: Path) -> None:
    heard: list[bytes] = []

    def hear(line: bytes) -> None:
        heard.append(line)
        (tmp_path / "go").touch()

    waits = "echo one; until [ -e go ]; do :; done; printf two"
    ending = stream(Program(("sh", "-c", waits), {}, tmp_path), hear, deadline=10)

    assert (heard, ending.status) == ([b"one", b"two"], 0)


def test_stderr_is_heard_by_itself_and_its_end_is_kept() -> None:
    complaints: list[bytes] = []

    ending = stream(
        shell("echo a >&2; echo out; echo b >&2; exit 3"), print, on_complaint=complaints.append
    )

    assert complaints == [b"a", b"b"]
    assert (ending.status, ending.stderr) == (3, "a\nb\n")


def test_a_line_of_thirty_megabytes_is_one_line() -> None:
    heard: list[int] = []

    stream(shell("head -c 30000000 /dev/zero; echo; echo x"), lambda line: heard.append(len(line)))

    assert heard == [30_000_000, 1]


def test_a_line_without_an_end_does_not_fill_the_memory() -> None:
    heard: list[bytes] = []
    lines = Lines(heard.append, longest=10)

    for data in (b"0123456789abc", b"def\nnext\nla", b"st", b""):
        lines.hear(data)

    assert heard == [b"0123456789", b"next", b"last"]


def test_stdin_is_read_or_left() -> None:
    heard: list[bytes] = []

    stream(shell("cat"), heard.append, stdin=b"Gr\xfc\xdfe\n" * 100_000)

    assert heard == [b"Gr\xfc\xdfe"] * 100_000
    assert stream(shell("exit 0"), print, stdin=b"x" * 10_000_000).status == 0


def test_of_our_environment_only_what_is_harmless_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESTIC_HOST", "elsewhere")
    heard: list[bytes] = []

    stream(shell("echo ${RESTIC_HOST-none} $GIVEN ${PATH:+path}", GIVEN="given"), heard.append)

    assert heard == [b"none given path"]


def test_at_the_deadline_it_is_asked_to_end_and_may_clean_up(tmp_path: Path) -> None:
    cleans = (
        f"trap 'echo cleaned > {tmp_path}/said; exit 130' INT; echo on >&2; while :; do :; done"
    )

    with pytest.raises(Expired, match=r"did not end within 0.5 s and was stopped\n  on"):
        stream(shell(cleans), print, deadline=0.5)

    assert (tmp_path / "said").read_text() == "cleaned\n"


def test_who_writes_much_while_it_ends_is_not_held_up(tmp_path: Path) -> None:
    cleans = f"trap 'yes | head -c 3000000; touch {tmp_path}/done; exit' INT; while :; do :; done"

    with pytest.raises(Expired):
        stream(shell(cleans), print, deadline=0.3)

    assert (tmp_path / "done").exists()


def test_who_does_not_listen_is_killed_with_its_children() -> None:
    deaf = "trap '' INT TERM; sleep 1000 & echo $!; while :; do :; done"
    heard: list[bytes] = []
    program = Program(("sh", "-c", deaf), patience=0.1)

    with pytest.raises(Expired):
        stream(program, heard.append, deadline=0.5)

    assert until(gone=int(heard[0]))


def test_an_error_of_the_listener_ends_the_program() -> None:
    def hear(line: bytes) -> None:
        raise ValueError(int(line))

    with pytest.raises(ValueError, match=r"[0-9]") as caught:
        stream(shell("echo $$; exec sleep 1000"), hear)

    assert until(gone=caught.value.args[0])


def test_a_grandchild_that_stays_does_not_hold_us_up() -> None:
    begun = time.monotonic()
    heard: list[bytes] = []

    ending = stream(shell("sleep 30 & echo $!"), heard.append)
    os.kill(int(heard[0]), signal.SIGKILL)

    assert ending.status == 0
    assert time.monotonic() - begun < 5


def test_a_program_that_is_missing_is_named() -> None:
    with pytest.raises(CommandFailed, match="no such program") as caught:
        stream(Program(("resstic", "version")), print)

    assert "install resstic" in caught.value.hint


@pytest.mark.parametrize("word", [signal.SIGINT, signal.SIGKILL])
def test_whatever_ends_us_the_program_hears_of_it(tmp_path: Path, word: signal.Signals) -> None:
    trap = f"trap 'touch {tmp_path}/cleaned; exit' INT TERM; echo $$; while :; do sleep 0.01; done"
    code = f"""
        from emily_infra.machine import Program, stream
        stream(Program(("sh", "-c", {trap!r})), lambda line: print(int(line), flush=True))
    """
    ours = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert ours.stdout
    theirs = int(ours.stdout.readline())

    ours.send_signal(word)
    ours.communicate(timeout=10)

    assert until(gone=theirs)
    assert (tmp_path / "cleaned").exists()
