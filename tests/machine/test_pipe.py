"""Chains of programs."""

import os
import signal
import time
from pathlib import Path

import pytest

from emily_infra.machine import CommandFailed, Expired, Meter, Program, pipe


def shell(script: str) -> Program:
    return Program(("sh", "-c", script), patience=0.5)


def test_bytes_flow_through_and_the_last_one_answers() -> None:
    endings = pipe([shell("head -c 50000000 /dev/zero"), shell("cat"), shell("wc -c")])

    assert [ending.status for ending in endings] == [0, 0, 0]
    assert endings[-1].stdout == "50000000\n"


def test_each_ending_and_each_complaint_has_its_program() -> None:
    complaints: list[tuple[int, bytes]] = []

    endings = pipe(
        [shell("echo a >&2; exit 3"), shell("cat >/dev/null; echo b >&2; exit 4")],
        on_complaint=lambda place, line: complaints.append((place, line)),
    )

    assert [(ending.status, ending.stderr) for ending in endings] == [(3, "a\n"), (4, "b\n")]
    assert sorted(complaints) == [(0, b"a"), (1, b"b")]


def test_what_flows_is_counted() -> None:
    counts: list[int] = []

    pipe([shell("head -c 5000000 /dev/zero"), shell("cat >/dev/null")], meter=Meter(counts.append))

    assert sum(counts) == 5_000_000


def test_a_limit_slows_the_flow() -> None:
    begun = time.monotonic()

    pipe([shell("head -c 500000 /dev/zero"), shell("cat >/dev/null")], meter=Meter(limit=1_000_000))

    assert 0.4 < time.monotonic() - begun < 2


@pytest.mark.parametrize("meter", [None, Meter()])
def test_a_receiver_that_gives_up_ends_the_sender(meter: Meter | None) -> None:
    sender, receiver = pipe([shell("exec yes"), shell("exit 7")], meter=meter, deadline=10)

    assert (sender.status, receiver.status) == (-13, 7)


def test_the_first_one_may_read_what_we_are_given(tmp_path: Path) -> None:
    (tmp_path / "stream").write_text("given")

    with (tmp_path / "stream").open("rb") as file:
        (ending,) = pipe([shell("cat")], source=file.fileno())

    assert ending.stdout == "given"


def test_a_chain_with_a_missing_program_leaves_nothing_behind() -> None:
    before = len(os.listdir("/proc/self/fd"))

    with pytest.raises(CommandFailed, match="no such program"):
        pipe([shell("exec sleep 1000"), Program(("resstic",))])

    assert len(os.listdir("/proc/self/fd")) == before


def test_at_the_deadline_all_are_ended() -> None:
    begun = time.monotonic()

    with pytest.raises(Expired):
        pipe([shell("exec sleep 1000"), shell("exec sleep 1000")], deadline=0.3)

    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("closing", ["", "exec 2>&-; "])
def test_who_does_not_notice_that_nobody_reads_is_ended(closing: str) -> None:
    begun = time.monotonic()

    sender, receiver = pipe([shell(f"{closing}exec sleep 1000"), shell("echo lost >&2; exit 7")])

    assert (sender.status, receiver.status, receiver.stderr) == (-2, 7, "lost\n")
    assert time.monotonic() - begun < 5


def test_who_cannot_be_ended_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[int] = []
    monkeypatch.setattr("os.killpg", lambda group, _word: heard.append(group))

    with pytest.raises(Expired, match=r"(?s)ended with 7, and sh .* was left behind\n  lost"):
        pipe([shell("exec sleep 1000"), shell("echo lost >&2; exit 7")])

    monkeypatch.undo()
    os.killpg(heard[0], signal.SIGKILL)
