"""The program on the host, with the operator's side played by hand."""

import subprocess

import pytest

from emily_infra.apply.host import program
from emily_infra.machine import CommandFailed
from tests.apply.drill import ByHand, Drill, wait_for


def activated(box: Drill) -> ByHand:
    hand = box.lease()
    hand.say("go")
    hand.until("activated")
    return hand


def fill_boot(box: Drill) -> None:
    box.world.run("mount", "-t", "tmpfs", "-o", "size=24k", "full", "/mnt")
    box.world.run("cp", "-a", "/boot/loader", "/boot/kernel-1", "/mnt")
    box.world.run("mount", "--bind", "/mnt", "/boot")


def why(box: Drill) -> str:
    return next(event["why"] for event in reversed(box.world.events()) if "why" in event)


@pytest.mark.parametrize("shell", [("dash",), ("bash", "--posix")])
def test_both_shells_can_read_it(shell: tuple[str, ...]) -> None:
    subprocess.run([*shell, "-n"], input=program(), text=True, check=True)


def test_it_runs_in_bash_as_it_does_in_dash(box: Drill) -> None:
    box.world.run("mount", "--bind", "/usr/bin/bash", "/usr/bin/dash")
    hand = activated(box)

    hand.say("confirm")

    assert box.settled() == "committed"
    assert box.is_wholly("new")


@pytest.mark.parametrize("status", [1, 2, 3, 137])
def test_an_activation_that_fails_is_undone_at_once(box: Drill, status: int) -> None:
    box.world.hook("new.test", f"exit {status}")
    hand = box.lease()

    hand.say("go")

    assert box.settled() == "rolled-back"
    assert f"status {status}" in why(box)
    assert box.is_wholly("old")


@pytest.mark.parametrize(("status", "reason"), [(11, "another switch"), (100, "needs-reboot")])
def test_a_switch_that_never_began_is_no_rollback(box: Drill, status: int, reason: str) -> None:
    box.world.hook("new.test", f"exit {status}")
    hand = box.lease()

    hand.say("go")

    assert box.settled() == "abandoned"
    assert why(box).startswith(reason)
    assert box.world.switched == ["new test"]


def test_an_activation_that_never_ends_is_ended(box: Drill) -> None:
    box.world.hook("new.test", "sleep 1000")
    hand = box.lease()

    hand.say("go")

    assert box.settled() == "rolled-back"
    assert "did not end in time" in why(box)
    assert box.is_wholly("old")


def test_nobody_confirms_and_it_goes_back(box: Drill) -> None:
    activated(box)

    assert box.settled() == "rolled-back"
    assert "nobody confirmed within 4 s" in why(box)
    assert box.is_wholly("old")


def test_an_operator_who_falls_silent_before_the_start_changes_nothing(box: Drill) -> None:
    box.lease()

    assert box.settled() == "abandoned"
    assert "has not been heard of for 3 s" in why(box)
    assert box.world.switched == []


def test_only_who_knows_the_secret_can_confirm(box: Drill) -> None:
    hand = activated(box)

    with pytest.raises(CommandFailed) as refused:
        hand.say("confirm", stdin="the secret of another deploy\n")

    assert refused.value.status == 77
    assert box.settled() == "rolled-back"


def test_a_word_that_comes_too_late_is_refused(box: Drill) -> None:
    hand = activated(box)
    hand.say("cancel")
    box.settled()

    with pytest.raises(CommandFailed) as refused:
        hand.say("confirm")

    assert refused.value.status == 78
    assert box.is_wholly("old")


def test_what_moved_after_the_plan_stops_it_right_before_the_switch(box: Drill) -> None:
    hand = box.lease()
    box.world.run("nix-env", "-p", "/nix/var/nix/profiles/system", "--set", box.tops["other"])

    hand.say("go")

    assert box.settled() == "abandoned"
    assert "stale: the profile is at generation 2, not 1" in why(box)


def test_a_full_boot_partition_ends_on_the_old_system(box: Drill) -> None:
    hand = activated(box)
    fill_boot(box)

    hand.say("confirm")

    assert box.settled() == "rolled-back"
    assert "is /boot full?" in why(box)
    assert box.is_wholly("old")
    assert len(list((box.world.root / "nix/var/nix/profiles").glob("system-*-link"))) == 1


def test_a_boot_entry_that_was_not_written_is_noticed(box: Drill) -> None:
    box.world.hook("new.boot", "exit 0")
    hand = activated(box)

    hand.say("confirm")

    assert box.settled() == "rolled-back"
    assert f"would boot {box.tops['old']}" in why(box)
    assert box.is_wholly("old")


def test_a_killed_supervisor_is_followed_by_the_way_back(box: Drill) -> None:
    activated(box)

    box.world.run("systemctl", "kill", "-s", "KILL", "emily-deploy.service")

    assert box.settled() == "rolled-back"
    assert "its supervisor was killed" in why(box)
    assert box.is_wholly("old")


def test_the_dead_mans_timer_acts_where_nothing_else_does(box: Drill) -> None:
    activated(box)
    box.world.run("systemctl", "world-no-stop-post")
    box.world.run("systemctl", "kill", "-s", "KILL", "emily-deploy.service")

    box.world.run("systemctl", "world-fire")

    assert box.settled() == "rolled-back"
    assert "the dead man's timer ran out" in why(box)
    assert box.is_wholly("old")


def test_a_supervisor_that_hangs_keeps_nobody_out(box: Drill) -> None:
    activated(box)
    box.world.run("pkill", "-STOP", "-f", "host.sh supervise")

    box.world.run("systemctl", "world-fire")

    assert box.settled() == "rolled-back"
    assert box.deploy().exit_code == 0


def test_a_clock_that_jumps_by_days_moves_no_deadline(box: Drill) -> None:
    """As if at each look it were another day."""
    jumping = '#!/bin/sh\nexec /run/date --date="+$$ days" "$@"\n'
    box.world.run("cp", "/usr/bin/date", "/run/date")
    box.world.run("sh", "-c", "cat >/run/jumping && chmod 755 /run/jumping", stdin=jumping)
    box.world.run("mount", "--bind", "/run/jumping", "/usr/bin/date")
    hand = activated(box)

    hand.say("confirm")

    assert box.settled() == "committed"
    assert len({event["at"][:10] for event in box.world.events()}) > 1


def test_what_a_power_cut_left_open_is_settled_by_the_next_deploy(box: Drill) -> None:
    box.world.hook("no-guard", "an old system that was not made by us")
    activated(box)
    box.world.power_cut()
    assert (box.world.root / "lib/emily/deploys/pending").is_symlink()

    outcome = box.deploy()

    assert outcome.exit_code == 0
    assert box.is_wholly("new")
    assert '"rolled-back"' in box.world.records[0]


def test_an_old_system_that_cannot_be_restored_is_lost_and_tried_again_at_boot(box: Drill) -> None:
    box.world.hook("old.test", "exit 1")
    hand = activated(box)
    hand.say("cancel")
    assert box.settled() == "lost"
    assert "the old system could not be activated" in why(box)

    box.world.power_cut()

    wait_for(lambda: box.world.words[-1] == "rolled-back")
    assert box.settled() == "rolled-back"
    assert box.is_wholly("old")


def test_a_deploy_after_a_lost_one_needs_no_hand_and_leaves_nothing_pinned(box: Drill) -> None:
    box.world.hook("old.test", "exit 1")
    hand = activated(box)
    hand.say("cancel")
    assert box.settled() == "lost"
    (box.world.root / "lib/world/old.test").unlink()

    outcome = box.deploy(box.order("other"))

    assert outcome.exit_code == 0, outcome
    assert box.settled() == "committed"
    assert box.is_wholly("other")
