"""switch-to-configuration on a machine in a folder: exit codes, lock, what is printed."""

import fcntl
import json
from pathlib import Path

import pytest

from emily_infra.lab.system.guest.switch import main, run
from tests.lab_system.guest.machine import FakeMachine

_OLD = "[Service]\nExecStart=/old\n"
_NEW = "[Service]\nExecStart=/new\n"


def _two(machine: FakeMachine, old: str = _OLD, new: str = _NEW) -> Path:
    """A running generation with a.service, and the one to switch to."""
    before = machine.toplevel("old", units={"a.service": old})
    machine.set_profile(before)
    machine.boot_into(before, "a.service")
    return machine.toplevel("new", units={"a.service": new})


def test_a_switch_stops_activates_and_starts(machine: FakeMachine) -> None:
    new = _two(machine)

    assert run("test", new, machine.place) == 0

    assert machine.place.current.resolve() == new
    assert ["a.service"] in machine.calls("stop")
    assert ["a.service"] in machine.calls("start")


def test_a_test_leaves_the_boot_default_alone(machine: FakeMachine) -> None:
    new = _two(machine)

    run("test", new, machine.place)

    assert not machine.place.at("/boot/loader").exists()


def test_boot_changes_only_what_starts_next_time(machine: FakeMachine) -> None:
    new = _two(machine)
    machine.set_profile(new)

    assert run("boot", new, machine.place) == 0

    assert machine.default() == "nixos-generation-2.conf"
    assert machine.place.current.resolve() != new
    assert not machine.calls("stop")


def test_dry_activate_tells_and_does_nothing(
    machine: FakeMachine, capsys: pytest.CaptureFixture[str]
) -> None:
    new = _two(machine)

    assert run("dry-activate", new, machine.place) == 0

    told = capsys.readouterr().err.splitlines()
    assert "would stop the following units: a.service" in told
    assert "would start the following units: a.service" in told
    assert not machine.calls("stop")
    assert machine.place.current.resolve() != new


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("X-RestartIfChanged=false", "would NOT stop the following changed units: a.service"),
        ("X-ReloadIfChanged=true", "would reload the following units: a.service"),
        ("X-StopIfChanged=false", "would restart the following units: a.service"),
    ],
)
def test_dry_activate_uses_the_words_that_tools_read(
    machine: FakeMachine, capsys: pytest.CaptureFixture[str], line: str, told: str
) -> None:
    new = _two(machine, new=f"{_NEW}{line}\n")

    run("dry-activate", new, machine.place)

    assert told in capsys.readouterr().err.splitlines()


def test_only_one_may_switch_at_a_time(
    machine: FakeMachine, capsys: pytest.CaptureFixture[str]
) -> None:
    new = _two(machine)
    machine.place.lists.mkdir(parents=True)

    with (machine.place.lists / "switch-to-configuration.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        status = run("test", new, machine.place)

    assert status == 11
    assert "Could not acquire lock" in capsys.readouterr().err


def test_a_machine_that_is_no_nixos_is_refused(machine: FakeMachine) -> None:
    new = _two(machine)
    machine.place.at("/etc/NIXOS").unlink()

    assert run("test", new, machine.place) == 1


def test_another_init_waits_for_a_reboot(machine: FakeMachine) -> None:
    new = _two(machine)
    (new / "init-interface-version").write_text("3")
    machine.set_profile(new)

    assert run("switch", new, machine.place) == 100

    assert machine.default() == "nixos-generation-2.conf"
    assert not machine.calls("stop")


@pytest.mark.parametrize(
    ("action", "status"),
    [("test", 1), ("switch", 1), ("check", 1), ("boot", 0), ("dry-activate", 0)],
)
def test_an_inhibitor_stops_what_would_activate(
    machine: FakeMachine, action: str, status: int
) -> None:
    new = _two(machine)
    (machine.place.current / "switch-inhibitors").write_text('{"dbus": "dbus"}')
    (new / "switch-inhibitors").write_text('{"dbus": "broker"}')

    assert run(action, new, machine.place) == status


def test_an_inhibitor_that_is_new_stops_nothing(machine: FakeMachine) -> None:
    new = _two(machine)
    (new / "switch-inhibitors").write_text('{"dbus": "broker"}')

    assert run("check", new, machine.place) == 0


def test_checks_can_be_passed_over(machine: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    new = _two(machine)
    (machine.place.current / "switch-inhibitors").write_text('{"dbus": "dbus"}')
    (new / "switch-inhibitors").write_text('{"dbus": "broker"}')
    monkeypatch.setenv("NIXOS_NO_CHECK", "1")

    assert run("test", new, machine.place) == 0


def test_a_firewall_that_nft_refuses_stops_the_switch_before_anything_moves(
    machine: FakeMachine, tmp_path: Path
) -> None:
    new = _two(machine)
    (tmp_path / "rules").write_text("nonsense")
    record = {"limit": 3, "editor": False, "ruleset": str(tmp_path / "rules")}
    (new / "emily/lab.json").write_text(json.dumps(record))

    assert run("switch", new, machine.place) == 1

    assert not machine.place.at("/boot/loader").exists()


def test_an_activation_that_fails_is_told_and_the_rest_goes_on(machine: FakeMachine) -> None:
    new = _two(machine)
    (new / "activate").write_text("#!/bin/sh\nexit 1\n")

    assert run("test", new, machine.place) == 2

    assert ["a.service"] in machine.calls("start")


def test_a_unit_that_does_not_start_is_named(
    machine: FakeMachine, capsys: pytest.CaptureFixture[str]
) -> None:
    new = _two(machine)
    machine.break_unit("a.service")

    assert run("test", new, machine.place) == 4

    told = capsys.readouterr().err
    assert "Failed to start a.service" in told
    assert "warning: the following units failed: a.service" in told


def test_failed_units_hide_a_failed_activation(machine: FakeMachine) -> None:
    new = _two(machine)
    (new / "activate").write_text("#!/bin/sh\nexit 1\n")
    machine.break_unit("a.service")

    assert run("test", new, machine.place) == 4


def test_intentions_outlive_an_interrupted_switch(machine: FakeMachine) -> None:
    new = _two(machine, new=_OLD)
    machine.place.lists.mkdir(parents=True)
    (machine.place.lists / "restart-list").write_text("a.service\n")

    run("test", new, machine.place)

    assert ["a.service"] in machine.calls("restart")
    assert not (machine.place.lists / "restart-list").exists()


def test_a_unit_that_no_longer_runs_is_started_and_not_reloaded(machine: FakeMachine) -> None:
    new = _two(machine, new=_OLD)
    machine.place.lists.mkdir(parents=True)
    (machine.place.lists / "reload-list").write_text("b.service\n")

    run("test", new, machine.place)

    assert ["b.service"] in machine.calls("start")
    assert ["b.service"] not in machine.calls("reload")


def test_a_boot_disk_that_takes_nothing_ends_the_switch_before_any_unit(
    machine: FakeMachine,
) -> None:
    new = _two(machine)
    machine.set_profile(new)
    machine.place.at("/boot").rmdir()
    machine.place.at("/boot").write_text("a disk that takes nothing")

    assert run("switch", new, machine.place) == 1

    assert not machine.calls("stop")


@pytest.mark.parametrize("arguments", [[], ["reboot"], ["switch", "boot"]])
def test_anything_else_is_answered_with_the_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert main(arguments, tmp_path) == 1
    assert capsys.readouterr().err.startswith("Usage: switch-to-configuration [check|switch|")
