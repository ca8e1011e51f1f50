"""The far side of a replica: what a sender's key can have done, and what it cannot."""

import contextlib
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emily_infra.backup.faults import BackupError
from emily_infra.backup.replication import asking
from emily_infra.backup.replication.asking import Receive, There, Took
from emily_infra.backup.replication.faults import NotSealed, NotTaken
from emily_infra.backup.replication.inlet import Inlet
from emily_infra.backup.replication.receive import answer
from emily_infra.machine import CommandFailed
from tests.backup.world import World

DB, THERE, INTO = "tank/db", "vault/box/tank/db", "vault/box"
READS = {"list", "get", "holds"}
TRICKS = (
    "", "state", "state ", " state tank/db", "state tank/db ", "state  tank/db", "STATE tank/db",
    "state tank/db; zfs destroy -r vault", "state tank/db\nabort tank/db 1-ab",
    "state tank/db && id", "state $(id)", "state `id`", "state -r", "state --", "state /tank",
    "state tank/", "state tank//db", "state ..", "state tank/../../vault", "state tank/./db",
    "state tank/db@x", "state tank/db#x", "state tank/db%x", "state tank/db\x00", "state t\u00e4nk",
    "state tank/\u202edb", "state " + "a" * 300, "state " + "a/" * 30 + "a", "state\ttank/db",
    "destroy tank/db", "rollback tank/db", "zfs destroy tank/db", "rename tank/db tank/x",
    "receive tank/db manual 1 0 plain", "receive tank/db emily-20260101T000000Z -1 0 plain",
    "receive tank/db emily-20260101T000000Z 1 0 raw", "receive tank/db emily-20260101T000000Z 0 0 "
    "plain", "receive -F emily-20260101T000000Z 1 0 plain", "done tank/db emily-2026 1",
    "done tank/db emily-\u0662\u0660260101T000000Z 1", "abort tank/db -A", "abort tank/db",
    "bash -i", "internal-sftp", "scp -t /", "rsync --server", "x" * 100_000,
)  # fmt: skip


@pytest.fixture
def barn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A host that takes in what `box` sends, which has a pool of the same world."""
    keep = {"daily": 30}
    made = World(tmp_path).start(
        datasets={DB: {}},
        repositories={},
        receives={"box": {"into": INTO, "keep": keep}, "ember": {"into": "vault/e", "keep": keep}},
    )
    made.zfs("create", "-o", "mountpoint=none", "-o", "canmount=off", INTO)
    made.at(made.now())
    monkeypatch.setenv("PATH", made.environment["PATH"])
    yield made
    made.close()
    assert made.violations() == []


def ask(barn: World, line: str, stream: bytes = b"") -> There | Took:
    """What `box` is answered."""
    file = barn.root / "stream"
    file.write_bytes(stream)
    descriptor = os.open(file, os.O_RDONLY)
    try:
        reply = answer(barn.here(), "box", line, Inlet(descriptor, silence=1))
    finally:
        os.close(descriptor)
    assert isinstance(reply, There | Took)
    return reply


def snapshot(barn: World) -> Receive:
    """A new one to send, and how it is announced."""
    barn.later(seconds=1)
    name = barn.take(DB)
    return Receive(DB, name, guid(barn, name), 0, sealed=False)


def guid(barn: World, name: str) -> int:
    return int(barn.zfs("get", "-Hp", "-o", "value", "guid", f"{DB}@{name}"))


def stream(barn: World, *words: str) -> bytes:
    return barn.begin_program("zfs", "send", *words).communicate(timeout=30)[0]


def changes(barn: World) -> list[list[str]]:
    """The calls that may have changed anything over there."""
    return [call for call in barn.calls("zfs") if call[0] not in {*READS, "send", "snapshot"}]


@pytest.mark.parametrize("line", TRICKS)
def test_nothing_else_can_be_asked(line: str) -> None:
    with pytest.raises(NotTaken):
        asking.parse(line)


@given(
    st.one_of(st.text(), st.sampled_from(TRICKS).flatmap(lambda one: st.text().map(one.__add__)))
)
def test_what_is_understood_is_just_what_was_asked(line: str) -> None:
    try:
        request = asking.parse(line)
    except NotTaken:
        return

    assert request.line == line
    assert line.isascii()
    assert not set(line) & set("@#%$;&|`'\"\\<>(){}*?!~\n\r\t\0")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["state", "done", "abort", "receive", DB, "vault", "1", "0",
                                 "plain", "sealed", "emily-20260101T000000Z", "1-ab", "-r"]),
                max_size=7))  # fmt: skip
def test_words_in_any_order_change_nothing(barn: World, words: list[str]) -> None:
    before = len(changes(barn))

    with contextlib.suppress(BackupError, CommandFailed):
        ask(barn, " ".join(words))

    assert changes(barn)[before:] == []


def test_a_sender_that_nobody_knows_is_refused(barn: World) -> None:
    with pytest.raises(BackupError, match="no sender stranger"):
        answer(barn.here(), "stranger", f"state {DB}", Inlet(0))


def test_every_name_stands_below_the_senders_own_place(barn: World) -> None:
    barn.zfs("create", "-u", "vault/e")

    there = ask(barn, "state vault/e")

    assert isinstance(there, There)
    assert not there.exists
    looks = [call for call in barn.calls("zfs", "get") if "encryption" in call[-2]]
    assert looks[0][-1] == f"{INTO}/vault/e"


def test_a_snapshot_is_taken_in_held_and_marked(barn: World) -> None:
    request = snapshot(barn)

    took = ask(barn, request.line, stream(barn, f"{DB}@{request.name}"))

    assert isinstance(took, Took)
    assert took.newest
    assert took.newest.guid == request.guid
    assert barn.holds(f"{THERE}@{request.name}") == {"emily:received-box"}


def test_a_snapshot_that_came_but_was_not_finished_is_finished_when_asked(barn: World) -> None:
    request = snapshot(barn)
    whole = stream(barn, f"{DB}@{request.name}")
    barn.zfs("create", "-u", f"{INTO}/tank")
    barn.program("zfs", "receive", "-s", "-u", f"{THERE}@{request.name}", stdin=whole)
    before = ask(barn, f"state {DB}")

    ask(barn, f"done {DB} {request.name} {request.guid}")

    after = ask(barn, f"state {DB}")
    assert isinstance(before, There)
    assert isinstance(after, There)
    assert (before.settled, after.settled) == (False, True)


@pytest.mark.parametrize(
    ("offset", "form", "value", "why"),
    [
        (8, "<Q", 1, "it is no ZFS stream"),
        (16, "<Q", 2, "a package of snapshots or of properties"),
        (16, "<Q", (1 << 24) << 2 | 1, "it is RAW"),
        (16, "<Q", (1 << 21) << 2 | 1, "it is REDACTED"),
        (24, "<Q", 1 << 60, "out of this world"),
        (24, "<Q", 4_000_000_000, "still to come"),
        (32, "<I", 1, "only plain streams"),
        (36, "<I", 1, "it is a clone"),
        (40, "<Q", 42, "another snapshot came"),
        (48, "<Q", 42, "another snapshot came"),
    ],
)
def test_a_stream_that_is_not_what_was_announced_is_not_given_to_zfs(
    barn: World, offset: int, form: str, value: int, why: str
) -> None:
    request = snapshot(barn)
    changed = bytearray(stream(barn, f"{DB}@{request.name}"))
    struct.pack_into(form, changed, offset, value)

    with pytest.raises(NotTaken, match=why):
        ask(barn, request.line, bytes(changed))

    assert changes(barn)[1:] == []


def test_a_stream_with_properties_is_not_given_to_zfs(barn: World) -> None:
    request = snapshot(barn)
    barn.zfs("set", "mountpoint=/etc", DB)

    with pytest.raises(NotTaken, match="properties"):
        ask(barn, request.line, stream(barn, "-p", f"{DB}@{request.name}"))


@pytest.mark.parametrize("data", [b"", b"x" * 311, b"\0" * 312, os.urandom(5000)])
def test_what_is_no_stream_is_not_given_to_zfs(barn: World, data: bytes) -> None:
    with pytest.raises(NotTaken):
        ask(barn, Receive(DB, "emily-20260101T000000Z", 7, 0, sealed=False).line, data)

    assert barn.calls("zfs", "receive") == []


def test_times_that_go_backwards_are_refused(barn: World) -> None:
    first = snapshot(barn)
    ask(barn, first.line, stream(barn, f"{DB}@{first.name}"))
    barn.later(hours=-2)
    second = snapshot(barn)
    more = stream(barn, "-i", f"@{first.name}", f"{DB}@{second.name}")
    line = Receive(DB, second.name, second.guid, first.guid, sealed=False).line

    with pytest.raises(NotTaken, match="says that it is older than"):
        ask(barn, line, more)


def test_what_was_encrypted_is_refused_where_it_would_lie_open(barn: World) -> None:
    request = snapshot(barn)
    line = request.line.replace("plain", "sealed")

    with pytest.raises(NotSealed, match="vault/box/tank/db is not"):
        ask(barn, line, stream(barn, f"{DB}@{request.name}"))


def test_only_the_half_that_is_meant_can_be_given_up(barn: World) -> None:
    request = snapshot(barn)
    whole = stream(barn, f"{DB}@{request.name}")
    with pytest.raises(CommandFailed, match="incomplete"):
        ask(barn, request.line, whole[:-100])
    there = ask(barn, f"state {DB}")
    assert isinstance(there, There)
    assert there.token

    ask(barn, f"abort {DB} 1-abcdef")
    kept = ask(barn, f"state {DB}")
    ask(barn, f"abort {DB} {there.token}")
    gone = ask(barn, f"state {DB}")

    assert isinstance(kept, There)
    assert isinstance(gone, There)
    assert (kept.token, gone.token, gone.exists) == (there.token, None, False)


def test_a_sender_that_falls_silent_leaves_a_half_to_go_on_with(barn: World) -> None:
    request = snapshot(barn)
    barn.write(DB, "large", os.urandom(300_000))
    request = snapshot(barn)
    whole = stream(barn, f"{DB}@{request.name}")
    reading, writing = os.pipe()
    os.write(writing, whole[:50_000])

    with pytest.raises(CommandFailed, match="Partially received"):
        answer(barn.here(), "box", request.line, Inlet(reading, silence=0.5))

    os.close(reading)
    os.close(writing)
    there = ask(barn, f"state {DB}")
    assert isinstance(there, There)
    assert there.token


def test_a_pool_that_takes_nothing_more_keeps_nobody_waiting(barn: World) -> None:
    barn.write(DB, "large", os.urandom(3_000_000))
    request = snapshot(barn)
    whole = stream(barn, f"{DB}@{request.name}")
    barn.faults.slow("zfs", "receive", "-s", seconds=60)

    with pytest.raises(NotTaken, match="took nothing for 1 s"):
        ask(barn, request.line, whole)
