"""`emily-infra storage create` as a process, over a real SSH connection."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.hands import Hands, hands
from tests.cli.served import SSHD
from tests.hosts import pebble, shipped
from tests.storage.test_create import UNLIKE

pytestmark = pytest.mark.skipif(SSHD is None, reason="needs sshd")
ERROR, ABORTED, LOCKED, OUT_OF_REACH, BY_HAND = 1, 1, 7, 8, 130


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Hands]:
    with hands(tmp_path, pebble()) as made:
        yield made


def create(box: Hands, *words: str, typed: str | None = None) -> tuple[int, str]:
    done = box.emily("storage", "create", "pebble", "tank", *words, typed=typed)
    return done.code, done.out + done.err


def test_the_pool_is_created_once_its_name_was_typed(box: Hands) -> None:
    code, said = create(box, typed="tank")

    assert code == 0, said
    for word in ("WDC_WD40EFRX_1", "4.0 TB", "sda", "nothing", "zpool create -o ashift=12"):
        assert word in said
    assert box.world.pools["tank"].datasets == ["tank/home"]


@pytest.mark.parametrize("typed", ["yes", "tnak"])
def test_anything_else_is_a_no(box: Hands, typed: str) -> None:
    code, said = create(box, typed=typed)

    assert code == ABORTED, said
    assert not box.world.pools


def test_without_a_terminal_nobody_is_asked(box: Hands) -> None:
    code, said = create(box)

    assert code == ERROR
    assert "--confirm tank" in said
    assert not box.world.pools


def test_a_name_on_the_command_line_must_be_the_name(box: Hands) -> None:
    code, said = create(box, "--confirm", "other")

    assert code == ERROR
    assert "it says other, not tank" in said
    assert not box.world.pools


def test_there_as_described_is_nothing_to_do(box: Hands) -> None:
    assert create(box, "--confirm", "tank")[0] == 0

    code, said = create(box)

    assert code == 0
    assert "there is nothing to do" in said


def test_a_disk_with_something_on_it_is_a_finding_at_its_line(box: Hands) -> None:
    world = box.world
    world.disks[1].signatures[""] = ["ext4"]
    box.becomes(world)

    code, said = create(box, "--confirm", "tank")

    assert code == ERROR
    assert "hosts/pebble/host.yaml:" in said
    assert "DSK004" in said
    assert "ext4 at byte 0" in said
    assert "LAST RESORT" in said
    assert [
        line for line in said.splitlines() if line.startswith("  wipefs --all /dev/disk/by-id/")
    ]
    assert not box.world.did("zpool")


def test_force_that_may_come_is_told_before_the_yes(tmp_path: Path) -> None:
    with hands(tmp_path, shipped("ember")) as box:
        world = box.world
        world.minds = UNLIKE
        for disk in world.disks:
            disk.serial = ""
        box.becomes(world)

        done = box.emily("storage", "create", "ember", "ember", typed="ember")

        before, _, after = done.err.partition("type ember to go on")
        assert done.code == 0, done.err
        assert "it gets -f if" in before
        assert "with -f for this one reason" in after
        assert "-f" in box.world.did("zpool", "create")[-1]


def test_for_a_program_it_only_looks(box: Hands) -> None:
    data = json.loads(box.emily("storage", "create", "pebble", "tank", "--json").out)

    assert [disk["blank"] for disk in data["disks"]] == [True, True]
    assert data["commands"][0][:2] == ["zpool", "create"]
    assert not box.world.pools


def test_a_program_that_says_the_name_gets_data_alone(box: Hands) -> None:
    done = box.emily("storage", "create", "pebble", "tank", "--json", "--confirm", "tank")

    assert json.loads(done.out)["created"] is True
    assert box.world.pools["tank"].datasets == ["tank/home"]


def test_a_pool_that_host_yaml_does_not_have_is_an_error(box: Hands) -> None:
    done = box.emily("storage", "create", "pebble", "tnak")

    assert done.code == ERROR
    assert "DSK012" in done.err
    assert "tank" in done.err


def test_while_somebody_deploys_nothing_is_created(box: Hands) -> None:
    world = box.world
    world.locked = True
    box.becomes(world)

    assert create(box, "--confirm", "tank")[0] == LOCKED


def test_a_host_out_of_reach_has_a_code_of_its_own(box: Hands) -> None:
    assert create(box, "--via", "127.0.0.1:1")[0] == OUT_OF_REACH


def test_a_stop_at_the_question_has_changed_nothing(box: Hands) -> None:
    words = ("storage", "create", "pebble", "tank")

    with box.begin(*words, until="type tank to go on: ") as running:
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=30)

    assert running.returncode == BY_HAND
    assert "stopped by hand: no host was changed" in err
    assert not box.world.pools


def test_a_reader_that_goes_away_does_not_end_the_creation(box: Hands) -> None:
    words = ("storage", "create", "pebble", "tank", "--confirm", "tank")

    with box.begin(*words, until="creating tank\n") as running:
        assert running.stderr
        assert running.stdout
        running.stderr.close()
        running.stdout.close()
        code = running.wait(60)

    assert code == 0
    assert box.world.pools["tank"].datasets == ["tank/home"]
