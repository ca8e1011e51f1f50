"""Snapshots that go to a second host, and what both ends know of each other afterwards."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.backup.pair import DB, HOME, INTO, PHOTOS, Pair, paired
from tests.backup.world.programs.state import changing
from tests.machine.sshd import free_port

THERE = f"{INTO}/{DB}"


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with paired(tmp_path) as made:
        yield made


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Pair]:
    """A pair with three datasets, one of them below another."""
    with paired(tmp_path, datasets=[HOME, PHOTOS, DB]) as made:
        yield made


@pytest.fixture
def sent(pair: Pair) -> Pair:
    """A pair whose dataset has got there once."""
    pair.box.write(DB, "letter", b"dear all")
    pair.take(DB)
    done = pair.replicate()
    assert done.code == 0, done.err
    return pair


def marks(pair: Pair, dataset: str = DB) -> list[str]:
    return pair.box.zfs("list", "-H", "-t", "bookmark", "-o", "name", dataset).split()


def sends(pair: Pair) -> list[list[str]]:
    """The calls of zfs send that sent something."""
    return [call for call in pair.box.calls("zfs", "send") if "-nvP" not in call]


def test_a_first_run_brings_every_dataset(family: Pair) -> None:
    family.box.write(HOME, "letter", b"dear all")
    family.box.write(PHOTOS, "summer.jpg", b"\xff\xd8" * 50_000)
    name = family.take(HOME, PHOTOS, DB)

    done = family.replicate()

    assert done.code == 0, done.err
    assert family.same(HOME, PHOTOS, DB)
    assert family.box.holds(f"{HOME}@{name}") == {"emily:replica-barn"}
    assert family.barn.holds(f"{INTO}/{HOME}@{name}") == {"emily:received-box"}


def test_the_next_run_sends_what_changed_and_moves_the_holds(sent: Pair) -> None:
    old = sent.box.snapshots(DB)[-1]
    sent.box.write(DB, "letter", b"dear all, once more")
    new = sent.take(DB)

    done = sent.replicate()

    assert done.code == 0, done.err
    assert sent.same(DB)
    assert [call[3:5] for call in sends(sent)[1:]] == [["-i", f"{DB}@{old}"]]
    assert sent.box.holds(f"{DB}@{old}") == sent.barn.holds(f"{THERE}@{old}") == set()
    assert sent.box.holds(f"{DB}@{new}") == {"emily:replica-barn"}
    assert len(marks(sent)) == 1


def test_a_run_without_news_sends_nothing_and_is_a_success(sent: Pair) -> None:
    before = len(sends(sent))

    done = sent.replicate("--json")

    assert done.code == 0, done.err
    assert len(sends(sent)) == before
    assert {each["snapshots"] for each in json.loads(done.out)} == {0}


def test_nothing_received_is_mounted_or_can_be_written(sent: Pair) -> None:
    told = sent.barn.zfs(
        "get", "-Hp", "-o", "value", "canmount,mountpoint,readonly,mounted", THERE
    ).split()
    above = sent.barn.zfs("get", "-Hp", "-o", "value", "canmount,mountpoint", f"{INTO}/tank")

    assert told == ["noauto", "none", "on", "no"]
    assert above.split() == ["off", "none"]


def test_what_was_received_is_marked_for_the_far_sides_own_retention(sent: Pair) -> None:
    name = sent.box.snapshots(DB)[-1]

    mark = sent.barn.zfs("get", "-H", "-o", "value", "org.emily-infra:policy", f"{THERE}@{name}")

    assert mark.strip() == "received"


def test_only_what_the_far_side_would_keep_is_sent(pair: Pair) -> None:
    for _ in range(12):
        pair.later(minutes=20)
        pair.take(DB)

    done = pair.replicate()

    # KEEP: four quarter hours, and of the rest the first of the series.
    assert len(pair.barn.snapshots(THERE)) == 5, done.err
    assert pair.barn.snapshots(THERE)[0] == pair.box.snapshots(DB)[0]
    assert pair.same(DB)


def test_snapshots_of_others_stay_at_home(pair: Pair) -> None:
    pair.take(DB)
    pair.box.zfs("snapshot", f"{DB}@before-the-upgrade")
    name = pair.take(DB)

    pair.replicate()

    assert "before-the-upgrade" not in pair.barn.snapshots(THERE)
    assert pair.barn.snapshots(THERE)[-1] == name


def test_a_bookmark_serves_where_the_common_snapshot_is_gone(sent: Pair) -> None:
    old = sent.box.snapshots(DB)[-1]
    sent.box.zfs("release", "emily:replica-barn", f"{DB}@{old}")
    sent.box.zfs("destroy", f"{DB}@{old}")
    sent.box.write(DB, "more", b"of it")
    sent.take(DB)

    done = sent.replicate()

    assert done.code == 0, done.err
    assert sends(sent)[-1][4].startswith(f"{DB}#emily-barn-")
    assert sent.same(DB)


def test_a_dataset_that_fails_keeps_no_other_one_back(family: Pair) -> None:
    with changing(family.box.folder) as state:
        del state.datasets[DB]
    family.take(HOME, PHOTOS)

    done = family.replicate()

    assert done.code == 1
    assert "BKP089: tank/db is not on this host any more" in done.err
    assert "BKP088: 1 of 3 datasets did not get to barn" in done.err
    assert family.same(HOME, PHOTOS)


def test_a_copy_that_went_its_own_way_is_left_alone(sent: Pair) -> None:
    sent.barn.zfs("snapshot", f"{THERE}@by-hand")
    sent.take(DB)

    done = sent.replicate()

    assert done.code == 1
    assert "BKP081: vault/box/tank/db has gone its own way since emily-" in done.err
    assert "by-hand came to it there" in done.err
    assert sent.barn.snapshots(THERE)[-1] == "by-hand"


def test_a_dataset_that_was_made_anew_does_not_replace_its_copy(sent: Pair) -> None:
    with changing(sent.box.folder) as state:
        state.datasets[DB].snapshots.clear()
        state.datasets[DB].bookmarks.clear()
    sent.take(DB)

    done = sent.replicate()

    assert done.code == 1
    assert "has neither that nor any other of its snapshots" in done.err
    assert len(sent.barn.snapshots(THERE)) == 1
    assert "zfs rename vault/box/tank/db vault/box/tank/db-before" in done.err


def test_a_copy_that_is_gone_is_not_sent_again_unasked(sent: Pair) -> None:
    with changing(sent.barn.folder) as state:
        del state.datasets[f"{INTO}/{DB}"]

    refused = sent.replicate()
    asked = sent.replicate("--anew", DB)

    assert (refused.code, asked.code) == (1, 0), asked.err
    assert "BKP087: tank/db was sent before" in refused.err
    assert sent.same(DB)


def test_after_a_rename_on_both_sides_it_goes_on(sent: Pair) -> None:
    for world, path in ((sent.box, DB), (sent.barn, f"{INTO}/{DB}")):
        with changing(world.folder) as state:
            state.datasets[f"{path}-new"] = state.datasets.pop(path)
    config = sent.box.config
    config.write_text(config.read_text().replace('"tank/db"', '"tank/db-new"'))
    before = len(sends(sent))
    sent.take(f"{DB}-new")

    done = sent.replicate()

    assert done.code == 0, done.err
    assert sent.same(f"{DB}-new")
    assert all("-i" in call for call in sends(sent)[before:])


def test_a_dataset_added_later_is_sent_whole(sent: Pair) -> None:
    raw = json.loads(sent.box.config.read_text())
    raw["datasets"]["tank/new"] = raw["datasets"][DB]
    sent.box.config.write_text(json.dumps(raw))
    sent.box.zfs("create", "-u", "tank/new")
    sent.take(DB, "tank/new")

    done = sent.replicate()

    assert done.code == 0, done.err
    assert sent.same("tank/new")


def test_what_stands_below_waits_for_what_it_stands_below(family: Pair) -> None:
    family.take(PHOTOS)

    first = family.replicate()
    family.take(HOME, PHOTOS, DB)
    second = family.replicate()

    assert "BKP086: tank/home/photos waits for tank/home" in first.err
    assert second.code == 0, second.err
    assert family.same(HOME, PHOTOS)


def test_two_runs_at_once_are_one(sent: Pair) -> None:
    sent.box.faults.slow("zfs", "get", "encryption,keystatus", seconds=5, number=1)
    first = sent.box.begin("replicate", "barn")
    while not sent.box.calls("zfs", "encryption,keystatus")[1:]:
        pass

    second = sent.replicate()
    out, err = first.communicate(timeout=60)

    assert second.code == 7, second.err
    assert "replicate barn (process" in second.err
    assert first.returncode == 0, (out, err)


def test_a_target_that_stays_away_pins_nothing_for_ever(sent: Pair) -> None:
    old = sent.box.snapshots(DB)[-1]
    sent.told(port=free_port())
    soon = sent.replicate()
    held_soon = sent.box.holds(f"{DB}@{old}")
    sent.later(days=15)
    late = sent.replicate()

    assert soon.code == late.code == 1
    assert "BKP085: barn (127.0.0.1, port" in late.err
    assert held_soon == {"emily:replica-barn"}
    assert sent.box.holds(f"{DB}@{old}") == set()
    assert f"{DB}@{old} is not held for barn any more" in late.err


def test_alerts_see_the_age_of_what_is_over_there(sent: Pair) -> None:
    taken = sent.box.now()
    sent.later(hours=5)
    sent.replicate()

    text = (sent.box.root / "metrics" / "emily-replica-barn.prom").read_text()
    figures = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
    labels = '{dataset="tank/db",target="barn"}'
    newest = float(figures[f"emily_replica_newest_snapshot_timestamp_seconds{labels}"])
    success = float(figures[f"emily_replica_last_success_timestamp_seconds{labels}"])
    assert newest == pytest.approx(taken.timestamp(), abs=2)
    assert success == pytest.approx((taken + timedelta(hours=5)).timestamp(), abs=2)


def test_a_dataset_without_a_snapshot_is_no_success(pair: Pair) -> None:
    done = pair.replicate()

    assert done.code == 1
    assert "BKP089: tank/db has no snapshot of ours yet" in done.err


def test_what_stands_in_the_way_is_not_taken_away(pair: Pair) -> None:
    pair.barn.zfs("create", "-u", f"{INTO}/tank")
    pair.barn.zfs("create", "-u", THERE)
    pair.take(DB)

    done = pair.replicate()

    assert "BKP081: vault/box/tank/db stands over there without a snapshot" in done.err
    assert pair.barn.calls("zfs", "receive") == []


def test_the_line_is_left_to_others_as_far_as_was_said(pair: Pair) -> None:
    pair.told(upload_kib=100)
    pair.box.write(DB, "large", bytes(range(256)) * 1200)
    pair.take(DB)
    began = time.monotonic()

    done = pair.replicate()

    assert done.code == 0, done.err
    assert time.monotonic() - began > 3
