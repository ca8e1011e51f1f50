"""A whole deploy, by the engine, of a machine that has no virtual machine around it."""

import pytest

from emily_infra.apply.errors import Locked, NotBegun, StalePlan
from emily_infra.apply.order import Kind, Standing
from emily_infra.apply.schedule import Verdict
from emily_infra.plan.model import Hazard, Step
from tests.apply.drill import Drill


def test_a_deploy_ends_with_everything_on_the_new_system(box: Drill) -> None:
    outcome = box.deploy()

    assert outcome.verdict is Verdict.COMMITTED, outcome
    assert box.settled() == "committed"
    assert box.is_wholly("new")
    assert box.world.switched == ["new test", "new boot"]


def test_the_boot_loader_is_not_touched_before_the_confirmation(box: Drill) -> None:
    box.deploy()

    words = box.world.words
    assert words == [
        "leased", "armed", "activating", "activated", "confirmed", "committing", "committed"
    ]  # fmt: skip


def test_the_system_that_runs_already_gets_no_new_generation(box: Drill) -> None:
    box.deploy()

    outcome = box.deploy()

    assert outcome.verdict is Verdict.COMMITTED
    assert box.settled() == "committed"
    assert box.world.switched == ["new test", "new boot"]
    assert len(list((box.world.root / "nix/var/nix/profiles").glob("system-*-link"))) == 2


def test_a_unit_that_fails_only_on_the_new_system_undoes_it(box: Drill) -> None:
    box.world.hook("new.test", "systemctl world-fail database.service; status=4")

    outcome = box.deploy()

    assert outcome.verdict is Verdict.ROLLED_BACK
    assert "database.service has failed, and had not before" in outcome.detail
    assert box.settled() == "rolled-back"
    assert box.is_wholly("old")


def test_a_unit_that_had_failed_before_undoes_nothing(box: Drill) -> None:
    box.world.run("systemctl", "world-fail", "broken-for-years.service")
    box.world.hook("new.test", "status=4")

    outcome = box.deploy()

    assert outcome.verdict is Verdict.COMMITTED, outcome
    assert box.is_wholly("new")


def test_the_same_closure_twice_with_a_failure_goes_back_to_the_same_place(box: Drill) -> None:
    box.world.hook("new.test", "exit 2")

    first, second = box.deploy(), box.deploy()

    assert (first.exit_code, second.exit_code) == (3, 3)
    assert box.is_wholly("old")
    assert len(list((box.world.root / "nix/var/nix/profiles").glob("system-*-link"))) == 1


def test_a_storage_step_may_take_longer_than_the_host_waits_for_a_sign_of_life(box: Drill) -> None:
    step = Step("grow", Hazard.SAFE, "why", (("sleep", str(box.pace.lease + 2)),))

    outcome = box.deploy(box.order(steps=(step,)))

    assert outcome.verdict is Verdict.COMMITTED, outcome
    assert "step" in box.world.words


def test_a_storage_step_that_fails_ends_it_before_the_switch(box: Drill) -> None:
    step = Step("grow", Hazard.SAFE, "why", (("false",),))

    with pytest.raises(NotBegun, match="grow: false failed"):
        box.deploy(box.order(steps=(step,)))

    assert box.settled() == "abandoned"
    assert box.world.switched == []


def test_a_second_operator_is_told_who_is_at_work(box: Drill) -> None:
    box.lease()

    with pytest.raises(Locked, match=r"tester .*since 20") as locked:
        box.deploy()

    assert locked.value.exit_code == 7
    assert len(list((box.world.root / "lib/emily/deploys").glob("2*"))) == 1


def test_a_plan_for_another_state_of_the_machine_is_stale(box: Drill) -> None:
    before = Standing(box.tops["old"], 7, box.world.boot_id)

    with pytest.raises(StalePlan, match="generation 1, not 7"):
        box.deploy(box.order(old=before))

    assert box.world.switched == []


def test_a_generation_is_gone_back_to_by_its_number(box: Drill) -> None:
    box.deploy()

    outcome = box.deploy(box.order("old", Kind.ROLLBACK, generation=1))

    assert outcome.verdict is Verdict.COMMITTED
    assert box.is_wholly("old")
    assert len(list((box.world.root / "nix/var/nix/profiles").glob("system-*-link"))) == 2


def test_a_machine_that_cannot_try_a_system_once_says_so_to_the_operator(box: Drill) -> None:
    box.world.hook("no-variables", "as with GRUB")

    outcome = box.deploy(box.order(kind=Kind.REBOOT))

    assert outcome.verdict is Verdict.COMMITTED, outcome
    assert any("just once (Not booted with UEFI.)" in str(event) for event in box.told)


def test_a_system_that_never_comes_up_is_rolled_back_for_its_operator(box: Drill) -> None:
    box.world.hook("new.panics", "at every boot")

    outcome = box.deploy(box.order(kind=Kind.REBOOT))

    assert outcome.verdict is Verdict.ROLLED_BACK, outcome
    assert outcome.detail == "the new system did not come up"
    assert box.is_wholly("old")


def test_a_reboot_into_the_new_system_is_confirmed_after_it(box: Drill) -> None:
    before = box.world.boot_id

    outcome = box.deploy(box.order(kind=Kind.REBOOT))

    assert outcome.verdict is Verdict.COMMITTED, outcome
    assert box.world.boot_id != before
    assert box.settled() == "committed"
    assert box.is_wholly("new")
    assert "new test" not in box.world.switched
