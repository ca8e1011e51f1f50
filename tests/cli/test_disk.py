"""`emily-infra disk` as a process, over a real SSH connection."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from emily_infra.storage.create import Creation
from tests.cli.hands import Hands, hands
from tests.cli.served import SSHD
from tests.storage.hardware import FakeDisk
from tests.storage.test_offline import RAIDZ2

pytestmark = pytest.mark.skipif(SSHD is None, reason="needs sshd")
NEW = "ata-HDD_NEW9"


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Hands]:
    with hands(tmp_path, RAIDZ2) as made:
        world = made.world
        Creation(world, made.host, "tank").make()
        made.becomes(world)
        yield made


def plug(box: Hands) -> None:
    world = box.world
    world.disks.append(FakeDisk(NEW, "sdx", 4_000_787_030_016, serial="HDD_NEW9"))
    box.becomes(world)


def test_disks_are_listed_with_what_may_fail_yet(box: Hands) -> None:
    plug(box)

    done = box.emily("disk", "list", "pebble")

    assert done.code == 0, done.err
    rows = {line.split()[1]: line for line in done.out.splitlines()}
    assert "tank raidz2-0" in rows["ata-HDD_3"]
    assert rows["ata-HDD_3"].rstrip().endswith("2")
    assert "not in host.yaml" in rows[NEW]


def test_a_disk_that_is_gone_is_missing(box: Hands) -> None:
    world = box.world
    world.pull("ata-HDD_2")
    box.becomes(world)

    done = box.emily("disk", "list", "pebble", "--json")

    assert done.code == 1
    data = json.loads(done.out)
    rows = {row["disk"]: row for row in data}
    assert rows["ata-HDD_2"]["state"] == "MISSING"
    assert rows["ata-HDD_3"]["pools"][0]["may_fail"] == 1
    status = box.emily("status", "pebble")
    assert status.code == 1
    assert "ata-HDD_2 (bay 2) in pool tank is gone from the machine" in status.out


def test_the_third_disk_of_raidz2_does_not_leave(box: Hands) -> None:
    for disk in ("ata-HDD_1", "ata-HDD_2"):
        done = box.emily("disk", "offline", "pebble", disk, typed=disk)
        assert done.code == 0, done.err

    third = box.emily("disk", "offline", "pebble", "ata-HDD_3", "--confirm", "ata-HDD_3")

    assert third.code == 1
    assert "DSK015" in third.err
    assert len(box.world.did("zpool", "offline")) == 2


def test_a_disk_that_is_not_typed_stays(box: Hands) -> None:
    done = box.emily("disk", "offline", "pebble", "ata-HDD_1", typed="ata-HDD_2")

    assert done.code == 1
    assert not box.world.did("zpool", "offline")


def test_a_replacement_from_the_advice_to_host_yaml(box: Hands) -> None:
    plug(box)
    advice = box.emily("disk", "replace", "pebble", "ata-HDD_3")
    assert f"emily-infra disk replace pebble ata-HDD_3 {NEW}" in advice.out
    begun = box.emily("disk", "replace", "pebble", "ata-HDD_3", NEW, "--no-wait", typed=NEW)
    assert begun.code == 0, begun.err
    world = box.world
    world.finish("tank")
    box.becomes(world)

    done = box.emily("disk", "replace", "pebble", "ata-HDD_3", NEW)

    assert done.code == 0, done.err
    assert "git diff hosts/pebble/host.yaml" in done.out
    assert (box.folder / "hosts/pebble/host.yaml").read_text().count(NEW) == 2


def test_a_disk_that_nobody_knows(box: Hands) -> None:
    for words in (("offline", "pebble", "ata-x"), ("locate", "pebble", "ata-x"),
                  ("replace", "pebble", "ata-x"), ("replace", "pebble", "ata-x", NEW)):  # fmt: skip
        done = box.emily("disk", *words)

        assert done.code == 1, words
        assert "DSK016" in done.err


def test_a_disk_that_is_gone_cannot_be_lit_but_has_a_bay(box: Hands) -> None:
    world = box.world
    world.pull("ata-HDD_2")
    box.becomes(world)

    done = box.emily("disk", "locate", "pebble", "ata-HDD_2")

    assert done.code == 1
    assert "bay 2" in done.out


def test_a_replacement_that_is_left_goes_on_and_is_taken_up_again(box: Hands) -> None:
    plug(box)
    words = ("disk", "replace", "pebble", "ata-HDD_3", NEW)
    via = ("--via", f"127.0.0.1:{box.port}")

    with box.begin(*words, *via, "--confirm", NEW, until=" filled, ") as running:
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=30)
    world = box.world
    world.finish("tank")
    box.becomes(world)
    again = box.emily(*words)

    assert running.returncode == 130
    assert f"stopped by hand: {NEW} goes on being filled" in err
    assert f"emily-infra disk replace pebble {' '.join(via)} ata-HDD_3 {NEW}" in out
    assert again.code == 0, again.err
    assert len(world.did("zpool", "replace")) == 1


def test_a_hint_leads_where_the_command_was_sent(box: Hands) -> None:
    via = ("--via", f"127.0.0.1:{box.port}")

    done = box.emily("disk", "locate", "pebble", "ata-x", *via)

    assert f"emily-infra disk list pebble {' '.join(via)}" in done.err
