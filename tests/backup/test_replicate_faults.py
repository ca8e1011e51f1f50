"""What goes wrong between two hosts, and that nothing of it costs data or lays it open."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backup.pair import DB, INTO, Pair, paired, second_sender
from tests.backup.world.programs.state import changing
from tests.machine.sshd import make_key, public

THERE = f"{INTO}/{DB}"
ENCRYPTED = ("-o", "encryption=on", "-o", "keyformat=raw")


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with paired(tmp_path) as made:
        made.box.write(DB, "letter", b"dear all")
        made.take(DB)
        yield made


def asked(pair: Pair) -> list[list[str]]:
    """What was run over there on behalf of a sender."""
    return [call for call in pair.barn.calls("zfs") if call[0] not in ("create", "send")]


def encrypt(pair: Pair) -> None:
    """The sender's dataset, made anew with a key."""
    with changing(pair.box.folder) as state:
        del state.datasets[DB]
    pair.box.zfs("create", "-u", *ENCRYPTED, DB)
    pair.take(DB)


def into_a_safe(pair: Pair) -> None:
    """The far side takes everything into a dataset with a key of its own."""
    pair.barn.zfs("create", "-u", *ENCRYPTED, "vault/safe")
    raw = json.loads(pair.barn.config.read_text())
    raw["receives"]["box"]["into"] = "vault/safe"
    pair.barn.config.write_text(json.dumps(raw))
    pair.told(into="vault/safe")


def test_another_host_key_ends_it_before_anything_is_said(pair: Pair, tmp_path: Path) -> None:
    pair.told(host_key=public(make_key(tmp_path / "other")))

    done = pair.replicate()

    assert done.code == 1
    assert "shows another host key than host.yaml names; nothing was sent" in done.err
    assert asked(pair) == []


def test_a_key_that_is_not_taken_says_where_it_belongs(pair: Pair, tmp_path: Path) -> None:
    other = make_key(tmp_path / "other")
    pair.told(key={"credential": "none", "file": str(other)})

    done = pair.replicate()

    assert "does not take the key of this host" in done.err
    assert "backup.receives.box: ssh-keygen -y -f" in done.err


def test_keys_of_whoever_starts_it_are_of_no_use(pair: Pair, tmp_path: Path) -> None:
    ssh = pair.box.root / "home" / ".ssh"
    ssh.mkdir(parents=True)
    (ssh / "config").write_text(f"Host *\n  IdentityFile {pair.server.key}\n")
    pair.told(key={"credential": "none", "file": str(make_key(tmp_path / "other"))})

    assert pair.replicate().code == 1


def test_what_is_encrypted_is_not_sent_into_the_clear(pair: Pair) -> None:
    encrypt(pair)

    done = pair.replicate()

    assert done.code == 1
    assert "BKP082: tank/db is encrypted, and barn would keep it in the clear" in done.err
    assert pair.box.calls("zfs", "send") == pair.barn.calls("zfs", "receive") == []


def test_what_is_encrypted_lies_over_there_under_another_key(pair: Pair) -> None:
    encrypt(pair)
    into_a_safe(pair)

    done = pair.replicate()

    assert done.code == 0, done.err
    command = ("get", "-Hp", "-o", "value", "encryptionroot", "vault/safe/tank/db")
    assert pair.barn.zfs(*command).strip() == "vault/safe"
    assert not any("-w" in call or "--raw" in call for call in pair.box.calls("zfs", "send"))


@pytest.mark.parametrize("end", ["here", "there"])
def test_a_key_that_is_not_loaded_is_named_before_the_first_byte(pair: Pair, end: str) -> None:
    encrypt(pair)
    into_a_safe(pair)
    world, root = (pair.box, DB) if end == "here" else (pair.barn, "vault/safe")
    world.zfs("unload-key", root)

    done = pair.replicate()

    assert "is not loaded" in done.err
    assert f"zfs load-key {'-r ' if end == 'there' else ''}{root}" in done.err
    assert pair.barn.calls("zfs", "receive") == []


def test_both_ends_must_mean_the_same_place(pair: Pair) -> None:
    pair.told(into="vault/elsewhere")

    done = pair.replicate()

    assert "BKP086: barn takes what this host sends into vault/box" in done.err
    assert pair.barn.calls("zfs", "receive") == []


def test_a_missing_place_over_there_says_how_to_make_it(pair: Pair) -> None:
    pair.barn.zfs("destroy", INTO)

    done = pair.replicate()

    assert "barn says: BKP080: there is no dataset vault/box on barn" in done.err
    assert "zfs create vault/box" in done.err


def test_room_is_asked_for_before_anything_is_sent(pair: Pair) -> None:
    with changing(pair.barn.folder) as state:
        state.pools["vault"].available = 2000

    done = pair.replicate()

    assert "BKP083: tank/db@emily-" in done.err
    assert pair.barn.calls("zfs", "receive") == []


def test_a_pool_that_runs_full_over_there_keeps_what_it_has(pair: Pair) -> None:
    pair.barn.faults.full("vault")
    with changing(pair.barn.folder) as state:
        state.pools["vault"].available = 1 << 40
    full = pair.replicate()
    pair.barn.faults.clear()
    free = pair.replicate()

    assert full.code == 1
    assert "out of space" in full.err or "room for" in full.err
    assert free.code == 0, free.err
    assert pair.same(DB)


def test_a_pool_that_stands_still_over_there_ends_it_at_once(pair: Pair) -> None:
    pair.barn.faults.health("vault", "SUSPENDED")

    done = pair.replicate(deadline=30)

    assert "barn says: BKP010: pool vault is SUSPENDED" in done.err
    assert pair.barn.calls("zfs", "list") == []


def test_no_bookmark_on_a_full_pool_leaves_the_hold(pair: Pair) -> None:
    pair.box.faults.full("tank")

    done = pair.replicate()

    assert done.code == 0, done.err
    assert "could not be made, so the hold stays: " in done.err
    assert pair.box.holds(f"{DB}@{pair.box.snapshots(DB)[-1]}") == {"emily:replica-barn"}


def test_a_snapshot_that_goes_while_it_is_to_be_sent_fails_alone(pair: Pair) -> None:
    pair.box.faults.vanish(DB, "zfs", "-nvP")

    done = pair.replicate()

    assert "BKP089: tank/db@emily-" in done.err
    assert "went away while it was to be sent" in done.err


def test_a_stolen_key_can_neither_destroy_nor_read(pair: Pair) -> None:
    pair.replicate()
    before = pair.barn.snapshots(THERE)
    secret = pair.barn.root / "secrets" / "restic"

    tries = [
        pair.ask(line)
        for line in ("", f"zfs destroy -r {INTO}", f"cat {secret}", "state tank/db; id", "sh",
                     f"send {DB}", "state ../tank", f"abort {DB} 1-ab")
    ]  # fmt: skip

    assert [done.code for done in tries[:-1]] == [1] * 7
    assert not any("correct horse" in done.out + done.err for done in tries)
    assert pair.barn.snapshots(THERE) == before


def test_a_stolen_key_opens_no_way_into_the_network(pair: Pair) -> None:
    way = ("-W", f"127.0.0.1:{pair.server.port}")
    done = pair.box.program(
        "ssh", "-F", "/dev/null", "-i", str(pair.server.key), "-p", str(pair.server.port),
        "-o", f"UserKnownHostsFile={pair.server.folder}/known_hosts", "-o", "BatchMode=yes",
        *way, "root@127.0.0.1",
    )  # fmt: skip

    assert done.code != 0
    assert "administratively prohibited" in done.err


def test_one_sender_sees_nothing_of_another(pair: Pair) -> None:
    pair.replicate()
    raw = json.loads(pair.barn.config.read_text())
    raw["receives"]["ember"] = {**raw["receives"]["box"], "into": "vault/ember"}
    pair.barn.config.write_text(json.dumps(raw))
    pair.barn.zfs("create", "-u", "vault/ember")

    done = pair.ask(f"state {DB}", key=second_sender(pair, "ember"))

    told = json.loads(done.out)
    assert (told["into"], told["exists"], told["snapshots"]) == ("vault/ember", False, [])


def test_a_far_side_cannot_ask_for_another_dataset_by_its_token(pair: Pair) -> None:
    pair.box.zfs("create", "-u", "tank/secret")
    name = f"tank/secret@{pair.box.take('tank/secret')}"
    pair.box.write(DB, "large", os.urandom(200_000))
    pair.take(DB)
    pair.box.faults.break_streams(100_000)
    pair.replicate()
    pair.box.faults.clear()
    with changing(pair.barn.folder) as state:
        wanted = {"toname": name, "toguid": int(pair.guid(pair.box, name)), "fromguid": 0}
        state.datasets[THERE].partial["header"].update(wanted)

    done = pair.replicate()

    assert f"BKP086: barn asks for the rest of {name} as tank/db" in done.err
    assert [call for call in pair.box.calls("zfs", "send", "-t") if "-nvP" not in call] == []


def test_the_far_sides_retention_leaves_what_the_next_run_adds_to(pair: Pair) -> None:
    raw = json.loads(pair.barn.config.read_text())
    raw["receives"]["box"]["keep"] = {"daily": 1}
    pair.barn.config.write_text(json.dumps(raw))
    for _ in range(2):
        pair.later(days=1)
        pair.take(DB)
        assert pair.replicate().code == 0
        expired = pair.barn.run("expire")
        assert expired.code == 0, expired.err

    assert len(pair.barn.snapshots(THERE)) == 1
    assert pair.same(DB)


def test_a_pool_that_stands_still_is_left_alone(pair: Pair) -> None:
    pair.box.faults.stuck("tank")
    before = len(pair.box.calls("zfs"))

    done = pair.replicate()

    assert done.code == 1
    assert "is stuck, whatever its health says" in done.err
    assert len(pair.box.calls("zfs")) == before
