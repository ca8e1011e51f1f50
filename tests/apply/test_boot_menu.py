"""The boot menu and the loader's files in the way of a deploy, as the real ones get there."""

import pytest

from emily_infra.apply.order import Kind, Standing
from tests.apply.drill import Drill
from tests.apply.test_host_program import activated, why

PROFILE = "/nix/var/nix/profiles/system"


def add(box: Drill, *names: str) -> None:
    """Generations on top, and the menu written for the last of them."""
    for name in names:
        box.world.run("nix-env", "-p", PROFILE, "--set", box.tops[name])
    box.world.run(f"{box.tops[names[-1]]}/bin/switch-to-configuration", "switch")


def test_what_a_power_cut_left_half_written_on_boot_stops_no_commit(box: Drill) -> None:
    images = box.world.root / "boot/EFI/nixos"
    images.mkdir(parents=True)
    (images / "initrd.efi8a2b.tmp").write_text("half")
    (box.world.root / "boot/loader/loader.tmp").write_text("def")
    hand = activated(box)

    hand.say("confirm")

    assert box.settled() == "committed"
    assert box.is_wholly("new")
    assert not list(images.iterdir())


def test_the_way_back_is_not_put_to_the_vote_of_the_old_system(box: Drill) -> None:
    hand = activated(box)
    box.world.hook("old.check", "")

    hand.say("cancel")

    assert box.settled() == "rolled-back"
    assert box.is_wholly("old")


def test_a_new_system_that_its_own_checks_refuse_is_not_switched_to(box: Drill) -> None:
    box.world.hook("new.check", "")
    hand = box.lease()

    hand.say("go")

    assert box.settled() == "rolled-back"
    assert "status 1" in why(box)


def test_a_generation_that_has_left_the_menu_becomes_the_newest(box: Drill) -> None:
    add(box, *("other", "old") * 4, "other")
    box.world.run("nix-env", "-p", PROFILE, "--set", box.tops["new"])
    add(box, *("other", "old") * 4)
    outside = next(
        int(link.name.split("-")[1])
        for link in (box.world.root / "nix/var/nix/profiles").glob("system-*-link")
        if box.world.link(f"/nix/var/nix/profiles/{link.name}") == box.tops["new"]
    )
    assert str(outside) not in box.menu()
    hand = box.lease(box.order(kind=Kind.ROLLBACK, generation=outside))

    hand.say("go")
    hand.until("activated")
    hand.say("confirm")

    assert box.settled() == "committed"
    assert box.is_wholly("new")


@pytest.mark.parametrize("extra", [6, 7])
def test_a_reboot_never_pushes_the_default_out_of_the_menu(box: Drill, extra: int) -> None:
    add(box, *(["other", "new"] * 4)[:extra])
    box.world.run("nix-env", "-p", PROFILE, "--switch-generation", "1")
    box.world.run(f"{box.tops['old']}/bin/switch-to-configuration", "switch")
    old = Standing(box.tops["old"], 1, box.world.boot_id)
    hand = box.lease(box.order("other", Kind.REBOOT, old=old))

    hand.say("go")

    if extra == 6:
        assert hand.until("awaiting-boot", "abandoned") == "awaiting-boot"
    else:
        assert box.settled() == "abandoned"
        assert "one more it would lose number 1" in why(box)
        assert box.is_wholly("old")


def test_a_disk_that_takes_no_more_writing_still_lets_the_lock_be_taken(box: Drill) -> None:
    activated(box)
    lock = "/var/lib/emily/deploys/.lock"

    box.world.run("mount", "--bind", lock, lock)
    box.world.run("mount", "-o", "remount,bind,ro", lock)

    assert box.settled() == "rolled-back"
    assert box.is_wholly("old")
