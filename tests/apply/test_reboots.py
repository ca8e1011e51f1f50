"""A deploy that takes a reboot, with the operator's side played by hand."""

from emily_infra.apply.order import Back, Kind, Order
from tests.apply.drill import ByHand, Drill
from tests.apply.test_host_program import fill_boot, why

# Entries get other names, and the default with them.
RENAME = """
cd /boot/loader/entries
for entry in nixos-generation-*.conf; do
  sum=$(sha256sum <"$entry") && sum=${sum%% *}
  sed -i "s/^default $entry/default nixos-$sum.conf/" ../loader.conf
  mv "$entry" "nixos-$sum.conf"
done
"""


def test_an_unconfirmed_reboot_goes_back_by_one_more(box: Drill) -> None:
    hand = box.lease(box.order(kind=Kind.REBOOT))
    hand.say("go")

    hand.until("rolled-back", patience=25)

    assert box.settled() == "rolled-back"
    assert box.world.words.count("rebooting") == 1
    assert box.is_wholly("old")


def test_nothing_is_booted_that_could_not_go_back(box: Drill) -> None:
    hand = box.lease(box.order("unguarded", Kind.REBOOT))

    hand.say("go")

    assert box.settled() == "abandoned"
    assert "nobody would go back" in why(box)
    assert box.is_wholly("old")


def booting_what_runs(box: Drill) -> Order:
    """The new system runs, the old one was booted: what is left to prove is the boot."""
    assert box.deploy().exit_code == 0
    return box.order(kind=Kind.REBOOT, back=Back(box.tops["old"], 1))


def test_a_reboot_into_what_runs_already_is_confirmed_after_it(box: Drill) -> None:
    hand = box.lease(booting_what_runs(box))
    hand.say("go")
    hand.until("booted", patience=15)

    hand.say("confirm")

    assert box.settled() == "committed"
    assert box.is_wholly("new")


def test_a_reboot_into_what_runs_goes_back_to_what_was_booted_before(box: Drill) -> None:
    hand = box.lease(booting_what_runs(box))

    hand.say("go")

    hand.until("rolled-back", patience=25)
    assert box.settled() == "rolled-back"
    assert box.is_wholly("old")


def test_a_reboot_that_is_called_off_leaves_what_ran(box: Drill) -> None:
    hand = box.lease(booting_what_runs(box))

    hand.say("cancel")

    assert box.settled() == "abandoned"
    assert box.is_wholly("new")


def tried(box: Drill) -> ByHand:
    """A reboot into the new system, which has come up and waits to be confirmed."""
    hand = box.lease(box.order(kind=Kind.REBOOT))
    hand.say("go")
    hand.until("booted", patience=15)
    return hand


def test_a_new_system_that_never_comes_up_leaves_the_old_one_the_default(box: Drill) -> None:
    box.world.hook("new.panics", "at every boot")
    hand = box.lease(box.order(kind=Kind.REBOOT))

    hand.say("go")

    hand.until("rolled-back", patience=25)
    assert box.settled() == "rolled-back"
    assert why(box) == "the new system did not come up"
    assert (box.world.root / "lib/world/panics").read_text().split() == [box.tops["new"]]
    assert box.is_wholly("old")
    assert box.menu() == {"1"}


def test_a_new_system_is_no_default_before_it_is_confirmed(box: Drill) -> None:
    hand = tried(box)
    seen = box.state()

    hand.say("confirm")

    assert seen == {"current": "new", "profile": "old", "default": "old"}
    assert box.settled() == "committed"
    assert box.is_wholly("new")
    assert box.world.switched[-2:] == ["old boot", "new boot"]


def test_a_power_cut_before_the_confirmation_boots_the_old_system(box: Drill) -> None:
    tried(box)

    box.world.power_cut()

    assert box.settled() == "rolled-back"
    assert why(box).endswith("before the new system was confirmed")
    assert "rebooting" not in box.world.words
    assert box.is_wholly("old")


def test_what_was_offered_once_and_given_up_is_not_booted_later(box: Drill) -> None:
    box.world.run("systemctl", "world-no-reboot")
    hand = box.lease(box.order(kind=Kind.REBOOT))
    hand.say("go")
    hand.until("rolled-back", patience=15)

    assert box.settled() == "rolled-back"
    assert why(box) == "the machine did not reboot"
    box.world.power_cut()
    assert box.is_wholly("old")


def test_a_machine_without_variables_says_so_and_makes_the_new_system_its_default(
    box: Drill,
) -> None:
    box.world.hook("no-variables", "as with GRUB, or an ESP that was copied to another machine")
    hand = tried(box)
    seen = box.state()

    hand.say("confirm")

    assert seen["default"] == "new"
    assert "Not booted with UEFI" in next(e["text"] for e in box.world.events() if "text" in e)
    assert box.settled() == "committed"


def test_a_machine_without_variables_still_goes_back_by_one_more_boot(box: Drill) -> None:
    box.world.hook("no-variables", "as with GRUB")
    hand = tried(box)

    hand.say("cancel")

    hand.until("rolled-back", patience=25)
    assert box.settled() == "rolled-back"
    assert box.is_wholly("old")


def test_a_firmware_that_takes_nothing_more_stops_the_reboot(box: Drill) -> None:
    boot_id = box.world.boot_id
    box.world.hook("full-firmware", "its store of variables")
    hand = box.lease(box.order(kind=Kind.REBOOT))

    hand.say("go")

    assert box.settled() == "rolled-back"
    assert why(box).endswith("to boot the new system once: No space left on device")
    assert box.world.boot_id == boot_id
    assert box.is_wholly("old")


def test_a_default_that_the_firmware_insists_on_stops_a_reboot(box: Drill) -> None:
    variable = "/sys/firmware/efi/efivars/LoaderEntryDefault-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
    box.world.run("mount", "-t", "tmpfs", "firmware", "/sys/firmware")
    box.world.run("mkdir", "-p", "/sys/firmware/efi/efivars")
    box.world.run("tee", variable, stdin="\7\0\0\0n\0i\0x\0.\0c\0o\0n\0f\0\0\0")
    hand = box.lease(box.order(kind=Kind.REBOOT))

    hand.say("go")

    assert box.settled() == "abandoned"
    assert "LoaderEntryDefault says nix.conf" in why(box)


def test_a_default_that_is_no_generation_stops_a_reboot(box: Drill) -> None:
    loader = box.world.root / "boot/loader"
    entry = f"version Generation 9\noptions init={box.tops['other']}/init quiet\n"
    (loader / "entries/nixos-generation-9.conf").write_text(entry)
    (loader / "loader.conf").write_text("default nixos-generation-9.conf\n")
    hand = box.lease(box.order(kind=Kind.REBOOT))

    hand.say("go")

    hand.until("abandoned")
    assert "is no generation any more" in why(box)
    assert box.world.switched == []


def test_a_full_boot_partition_stops_a_reboot(box: Drill) -> None:
    boot_id = box.world.boot_id
    fill_boot(box)
    hand = box.lease(box.order(kind=Kind.REBOOT))

    hand.say("go")

    assert box.settled() == "rolled-back"
    assert "is /boot full?" in why(box)
    assert box.world.boot_id == boot_id
    assert box.is_wholly("old")


def test_a_boot_partition_that_fills_up_after_the_boot_ends_on_the_old_system(box: Drill) -> None:
    hand = tried(box)
    box.world.hook("new.boot", "exit 1")

    hand.say("confirm")

    hand.until("rolled-back", patience=25)
    assert box.settled() == "rolled-back"
    assert "is /boot full?" in why(box)
    assert box.is_wholly("old")


def test_entries_are_found_by_what_they_start_not_by_their_name(box: Drill) -> None:
    """As today's NixOS names them: after their content."""
    box.world.hook("rename", RENAME)
    for name in ("old.boot", "new.boot"):
        box.world.hook(name, "trap '. /var/lib/world/rename' EXIT")
    hand = tried(box)

    hand.say("confirm")

    assert box.settled() == "committed"
    assert box.is_wholly("new")


def test_what_somebody_made_the_default_and_failed_is_not_booted_next(box: Drill) -> None:
    profile = "/nix/var/nix/profiles/system"
    box.world.run("nix-env", "-p", profile, "--set", box.tops["new"])
    box.world.run(f"{box.tops['new']}/bin/switch-to-configuration", "boot")
    box.world.hook("new.test", "exit 1")
    hand = box.lease(box.order(back=Back(box.tops["old"], 1)))

    hand.say("go")

    assert box.settled() == "rolled-back"
    assert box.is_wholly("old")
