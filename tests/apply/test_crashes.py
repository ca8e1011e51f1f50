"""Power cuts and kills at any moment: each end is wholly old or wholly new, and says which."""

import os
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emily_infra.apply.order import Kind, Ticket
from emily_infra.machine import CommandFailed
from tests.apply.drill import ByHand, Drill, drill
from tests.apply.robot import carry_through

Template = tuple[Path, dict[str, str]]
EXAMPLES = int(os.environ.get("EMILY_CRASHES", "4"))
"""More of them for a night."""


def begin(box: Drill, kind: Kind, crashes: list[tuple[int, str]]) -> ByHand | None:
    """A deploy whose machine will meet these crashes; nothing where not even its record began."""
    faults = "".join(f"{count} {how}\n" for count, how in crashes)
    try:
        return box.lease(box.order(kind=kind), faults)
    except CommandFailed:  # the power went while the lock was taken
        time.sleep(0.5)
        if not (box.world.root / "lib/emily/deploys/pending").is_symlink() and not box.world.words:
            return None
        folder = next((box.world.root / "lib/emily/deploys").glob("2*"))
        token = (folder / "token").read_text().strip()
        return ByHand(box.world, Ticket(folder.name, "", "", "", token))


def survives(box: Drill, kind: Kind, crashes: list[tuple[int, str]], *, confirms: bool) -> str:
    hand = begin(box, kind, crashes)
    verdict = carry_through(box, hand, confirms=confirms) if hand else "abandoned"
    assert box.is_wholly("new" if verdict == "committed" else "old")
    assert verdict in ("committed", "rolled-back", "abandoned")
    return verdict


# Counted in what the program and the system's own do to the machine: a deploy takes about 65 of
# these, and commits between 40 and 55.
@pytest.mark.parametrize("moment", [8, 29, 36, 39, 41, 44, 47, 52])
def test_a_power_cut_never_leaves_a_machine_in_between(box: Drill, moment: int) -> None:
    survives(box, Kind.LIVE, [(moment, "power")], confirms=True)


@pytest.mark.parametrize("moment", [24, 33, 40, 45, 50])
def test_a_killed_supervisor_never_leaves_a_machine_in_between(box: Drill, moment: int) -> None:
    survives(box, Kind.LIVE, [(moment, "kill")], confirms=True)


@pytest.mark.parametrize(("moment", "again"), [(34, 3), (40, 7), (42, 11)])
def test_a_second_power_cut_while_going_back(box: Drill, moment: int, again: int) -> None:
    survives(box, Kind.LIVE, [(moment, "power"), (again, "power")], confirms=True)


# A deploy by reboot takes about 70: before 46 it prepares the boot, from 49 to 53 the new system
# waits for the word, until 64 it commits.
@pytest.mark.parametrize("moment", [34, 37, 40, 43, 44, 45, 46, 49, 52, 56, 60, 63, 66])
def test_a_power_cut_around_a_reboot_into_the_new_system(box: Drill, moment: int) -> None:
    survives(box, Kind.REBOOT, [(moment, "power")], confirms=True)


@pytest.mark.parametrize("moment", [38, 42, 45, 50, 57])
def test_a_kill_around_a_reboot_into_the_new_system(box: Drill, moment: int) -> None:
    survives(box, Kind.REBOOT, [(moment, "kill")], confirms=True)


@pytest.mark.parametrize(("moment", "again"), [(43, 6), (47, 4), (47, 9), (58, 5)])
def test_a_second_power_cut_while_going_back_from_a_reboot(
    box: Drill, moment: int, again: int
) -> None:
    survives(box, Kind.REBOOT, [(moment, "power"), (again, "power")], confirms=False)


@pytest.mark.parametrize("moment", [36, 42, 45, 49, 53, 57, 62])
def test_a_power_cut_around_a_new_system_that_never_comes_up(box: Drill, moment: int) -> None:
    box.world.hook("new.panics", "at every boot")

    verdict = survives(box, Kind.REBOOT, [(moment, "power")], confirms=True)

    panics = box.world.root / "lib/world/panics"
    assert verdict != "committed"
    assert not panics.exists() or len(panics.read_text().splitlines()) == 1


@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(
    kind=st.sampled_from([Kind.LIVE, Kind.REBOOT]),
    crashes=st.lists(
        st.tuples(st.integers(20, 68), st.sampled_from(["power", "kill"])), min_size=1, max_size=3
    ),
    confirms=st.booleans(),
    panics=st.booleans(),
)
def test_any_row_of_crashes_ends_in_one_verdict(
    template: Template, kind: Kind, crashes: list[tuple[int, str]], *, confirms: bool, panics: bool
) -> None:
    with (
        tempfile.TemporaryDirectory(
            dir="/dev/shm" if Path("/dev/shm").is_dir() else None
        ) as folder,
        drill(*template, Path(folder)) as box,
    ):
        if panics and kind is Kind.REBOOT:
            box.world.hook("new.panics", "at every boot")
        survives(box, kind, crashes, confirms=confirms)
