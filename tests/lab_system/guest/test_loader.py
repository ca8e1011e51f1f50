"""What is written to /boot, and what the machine makes of it when it starts."""

from pathlib import Path

import pytest

from emily_infra.lab.system.guest import bootctl, loader
from emily_infra.lab.system.guest.boot import NotBootable, chosen, taken
from tests.lab_system.guest.machine import FakeMachine


def _boot(machine: FakeMachine) -> str:
    """The entry that a start of the machine would pick."""
    boot = machine.place.at("/boot")
    return chosen(boot, once=taken(boot)).entry


def _install(machine: FakeMachine, toplevel: Path, limit: int = 3) -> None:
    loader.install(toplevel, machine.place, limit, editor=False)


def _entries(machine: FakeMachine) -> set[str]:
    return {path.name for path in machine.place.at("/boot/loader/entries").iterdir()}


def _bootable(machine: FakeMachine, name: str) -> Path:
    toplevel = machine.toplevel(name)
    (toplevel / "init").write_text("#!/bin/sh\n")
    (toplevel / "init").chmod(0o755)
    machine.set_profile(toplevel)
    return toplevel


def test_every_generation_has_an_entry_and_the_newest_is_the_default(machine: FakeMachine) -> None:
    _bootable(machine, "one")
    two = _bootable(machine, "two")

    _install(machine, two)

    assert _entries(machine) == {"nixos-generation-1.conf", "nixos-generation-2.conf"}
    assert chosen(machine.place.at("/boot")).program == f"{two}/init"


def test_an_entry_says_which_generation_it_starts(machine: FakeMachine) -> None:
    one = _bootable(machine, "one")

    _install(machine, one)

    entry = machine.place.at("/boot/loader/entries/nixos-generation-1.conf").read_text()
    assert f"options init={one}/init quiet\n" in entry
    assert "linux /EFI/nixos/linux-1-bzImage.efi\n" in entry
    assert "version Generation 1 NixOS 26.05, built on " in entry


def test_a_toplevel_that_is_no_generation_does_not_become_the_default(machine: FakeMachine) -> None:
    one = _bootable(machine, "one")
    _install(machine, one)

    _install(machine, machine.toplevel("stray"))

    assert machine.default() == "nixos-generation-1.conf"


def test_old_entries_and_kernels_go_beyond_the_limit(machine: FakeMachine) -> None:
    for name in ("one", "two", "three"):
        last = _bootable(machine, name)
    stray = machine.place.at("/boot/EFI/nixos/gone-bzImage.efi")
    stray.parent.mkdir(parents=True)
    stray.write_text("old kernel")

    _install(machine, last, limit=2)

    assert _entries(machine) == {"nixos-generation-2.conf", "nixos-generation-3.conf"}
    assert not stray.exists()


def test_a_default_without_its_kernel_is_not_booted(machine: FakeMachine) -> None:
    _install(machine, _bootable(machine, "one"))
    machine.place.at("/boot/EFI/nixos/linux-1-bzImage.efi").unlink()

    with pytest.raises(NotBootable, match="its linux is not on /boot"):
        chosen(machine.place.at("/boot"))


def test_a_default_that_names_nothing_leaves_the_newest(machine: FakeMachine) -> None:
    _bootable(machine, "one")
    two = _bootable(machine, "two")
    _install(machine, two)
    machine.place.at("/boot/loader/loader.conf").write_text("default windows.conf\n")

    assert chosen(machine.place.at("/boot")).entry == "nixos-generation-2.conf"


def test_a_boot_disk_with_nothing_on_it_is_not_bootable(tmp_path: Path) -> None:
    with pytest.raises(NotBootable, match="no boot entry"):
        chosen(tmp_path)


def test_what_is_offered_once_is_booted_once(machine: FakeMachine) -> None:
    _bootable(machine, "one")
    two = _bootable(machine, "two")
    _install(machine, two)

    status = bootctl.run(["set-oneshot", "nixos-generation-1.conf"], machine.place)

    assert status == 0
    assert [_boot(machine), _boot(machine)] == [
        "nixos-generation-1.conf",
        "nixos-generation-2.conf",
    ]


def test_an_entry_that_does_not_start_is_forgotten_all_the_same(machine: FakeMachine) -> None:
    _bootable(machine, "one")
    two = _bootable(machine, "two")
    _install(machine, two)
    bootctl.run(["set-oneshot", "nixos-generation-1.conf"], machine.place)
    machine.place.at("/boot/EFI/nixos/linux-1-bzImage.efi").rename(machine.place.at("/boot/away"))

    with pytest.raises(NotBootable):
        _boot(machine)

    machine.place.at("/boot/away").rename(machine.place.at("/boot/EFI/nixos/linux-1-bzImage.efi"))
    assert _boot(machine) == "nixos-generation-2.conf"


def test_an_offer_can_be_taken_back(machine: FakeMachine) -> None:
    _bootable(machine, "one")
    _install(machine, _bootable(machine, "two"))
    bootctl.run(["set-oneshot", "nixos-generation-1.conf"], machine.place)

    bootctl.run(["set-oneshot", ""], machine.place)

    assert _boot(machine) == "nixos-generation-2.conf"


def test_an_offer_that_names_nothing_leaves_the_default(machine: FakeMachine) -> None:
    _install(machine, _bootable(machine, "one"))
    bootctl.run(["set-oneshot", "nixos-generation-7.conf"], machine.place)

    assert _boot(machine) == "nixos-generation-1.conf"


def test_the_rest_of_bootctl_is_refused(machine: FakeMachine) -> None:
    assert bootctl.run(["status"], machine.place) == 1
