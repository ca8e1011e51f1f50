"""What is said before anything is changed."""

from dataclasses import replace

import pytest

from emily_infra.observe import Observation
from emily_infra.observe.answer import HUNG, Gap
from emily_infra.observe.deploys import Deploy, Deploys, Event, Lock
from emily_infra.observe.identity import Filesystem
from emily_infra.observe.units import Unit, Units
from emily_infra.plan import Built, Weight
from emily_infra.plan.dangers import dangers
from tests.hosts import pebble
from tests.plan.machines import GIB, NOW, built, running

SEEN = running(pebble())


def found(seen: Observation, made: Built | None = None, clock: float = NOW) -> dict[str, Weight]:
    return {d.name: d.weight for d in dangers(pebble(), made or built(pebble()), seen, clock)}


def message(seen: Observation) -> str:
    (danger,) = dangers(pebble(), built(pebble()), seen, NOW)
    return danger.message


def at(path: str, free: int) -> Observation:
    return replace(SEEN, space=(Filesystem(path, 100 * GIB, free, 0, 0),))


def deployed(verdict: str, new: str) -> Observation:
    old = SEEN.generation.current
    settings = {"OLD": old, "NEW": new, "WHO": "ann"}
    record = Deploy("20261120T110203Z-4f2a9c", settings, (Event(NOW - 900, verdict),))
    return replace(SEEN, deploys=Deploys(records=(record,)))


def test_a_pool_that_hangs_is_told_though_its_health_is_called_online() -> None:
    pool = replace(SEEN.pools[0], committed_age=90.0)
    seen = replace(SEEN, pools=(pool,))

    assert found(seen) == {"pool-stuck": Weight.FLAG}
    assert "nothing for 90 s" in message(seen)


def test_a_host_that_is_well_has_none() -> None:
    assert found(SEEN) == {}


def test_another_name_is_refused_until_a_person_says_so() -> None:
    seen = replace(SEEN, identity=replace(SEEN.identity, hostname="nas"))

    assert found(seen) == {"wrong-host": Weight.FLAG}


def test_another_host_id_matters_where_pools_are_imported() -> None:
    seen = replace(SEEN, identity=replace(SEEN.identity, host_id="00000001"))

    assert found(seen) == {"other-host-id": Weight.FLAG}
    assert found(replace(seen, pools=())) == {"other-host-id": Weight.WARN}


def test_what_is_no_nixos_is_refused() -> None:
    seen = replace(SEEN, identity=replace(SEEN.identity, is_nixos=False))

    assert found(seen) == {"not-nixos": Weight.STOP}


def test_a_lock_is_told_with_its_owner() -> None:
    seen = replace(SEEN, deploys=Deploys(lock=Lock("id", "ann", NOW - 300)))

    assert found(seen) == {"locked": Weight.STOP}
    assert message(seen) == "ann is deploying to it, since 5 minutes"


def test_a_switch_of_somebody_else_is_waited_for() -> None:
    assert found(replace(SEEN, deploys=Deploys(switching=True))) == {"locked": Weight.STOP}


def test_a_deploy_without_a_verdict_is_told() -> None:
    assert found(replace(SEEN, deploys=Deploys(pending="x"))) == {"unsettled": Weight.WARN}


def test_a_store_without_room_is_refused() -> None:
    path = "/nix/store/" + "n" * 32 + "-big-1"
    made = replace(built(pebble()), closure={path: 3 * GIB})

    assert found(at("/nix", 2 * GIB), made) == {"no-room": Weight.STOP}
    assert found(at("/nix", 4 * GIB), made) == {}
    assert found(at("/", 2 * GIB), made) == {"no-room": Weight.STOP}


def test_a_boot_partition_without_room_for_a_new_kernel_is_refused() -> None:
    made = built(pebble())
    other = replace(made, boot_files={**made.boot_files, "/nix/store/new-linux/bzImage": 15 << 20})

    assert found(at("/boot", 20 << 20), other) == {"boot-full": Weight.STOP}
    assert found(at("/boot", 90 << 20), other) == {}
    assert found(at("/boot", 20 << 20), made) == {}


def test_a_boot_partition_without_room_for_a_new_initrd_is_refused() -> None:
    made = built(pebble())
    initrd = {"/nix/store/new-initrd/initrd": 30 << 20, made.system.kernel: 10 << 20}

    assert found(at("/boot", 20 << 20), replace(made, boot_files=initrd)) == {
        "boot-full": Weight.STOP
    }


@pytest.mark.parametrize(
    ("health", "weight"),
    [("ONLINE", None), ("DEGRADED", Weight.WARN), ("SUSPENDED", Weight.FLAG)],
)
def test_a_pool_that_is_ill(health: str, weight: Weight | None) -> None:
    seen = replace(SEEN, pools=(replace(SEEN.pools[0], health=health),))

    assert list(found(seen).values()) == ([weight] if weight else [])


def test_a_boot_that_would_start_another_system_is_told() -> None:
    seen = replace(SEEN, generation=replace(SEEN.generation, boot_default="/nix/store/other"))

    assert found(seen) == {"other-boot-default": Weight.WARN}


def test_a_generation_of_somebody_else_is_told() -> None:
    assert found(deployed("committed", "/nix/store/mine")) == {"changed-by-others": Weight.WARN}
    assert found(deployed("committed", SEEN.generation.current)) == {}


def test_after_a_deploy_that_went_back_the_old_system_is_no_surprise() -> None:
    assert found(deployed("rolled-back", "/nix/store/mine")) == {}


def test_units_that_failed_before_are_listed() -> None:
    seen = replace(SEEN, units=Units((Unit("a.service", "loaded", "failed", "failed"),)))

    assert message(seen) == "1 unit has failed before: a.service"


def test_a_clock_that_is_off_is_told_with_its_direction() -> None:
    assert found(SEEN, clock=NOW + 90_000) == {"clock": Weight.WARN}
    assert found(SEEN, clock=NOW + 30) == {}
    assert found(SEEN, clock=0) == {}


def test_a_stuck_program_is_told() -> None:
    assert found(replace(SEEN, gaps=(Gap("pool.1.status", HUNG),))) == {"hung": Weight.WARN}


def test_what_stops_comes_first() -> None:
    who = replace(SEEN.identity, hostname="nas", is_nixos=False)
    seen = replace(SEEN, identity=who, deploys=Deploys(pending="x"))

    assert list(found(seen).values()) == [Weight.STOP, Weight.FLAG, Weight.WARN]
