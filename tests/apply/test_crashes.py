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


# Counted in what the program does to the machine: a deploy takes about 57 of these, and commits
# between 38 and 48.
@pytest.mark.parametrize("moment", [8, 29, 36, 39, 41, 44, 47, 52])
def test_a_power_cut_never_leaves_a_machine_in_between(box: Drill, moment: int) -> None:
    survives(box, Kind.LIVE, [(moment, "power")], confirms=True)


@pytest.mark.parametrize("moment", [24, 33, 40, 45, 50])
def test_a_killed_supervisor_never_leaves_a_machine_in_between(box: Drill, moment: int) -> None:
    survives(box, Kind.LIVE, [(moment, "kill")], confirms=True)


@pytest.mark.parametrize(("moment", "again"), [(34, 3), (40, 7), (42, 11)])
def test_a_second_power_cut_while_going_back(box: Drill, moment: int, again: int) -> None:
    survives(box, Kind.LIVE, [(moment, "power"), (again, "power")], confirms=True)


@pytest.mark.parametrize("moment", [34, 40, 46])
def test_a_power_cut_around_a_reboot_into_the_new_system(box: Drill, moment: int) -> None:
    survives(box, Kind.REBOOT, [(moment, "power")], confirms=True)


@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(
    kind=st.sampled_from([Kind.LIVE, Kind.REBOOT]),
    crashes=st.lists(
        st.tuples(st.integers(20, 56), st.sampled_from(["power", "kill"])), min_size=1, max_size=3
    ),
    confirms=st.booleans(),
)
def test_any_row_of_crashes_ends_in_one_verdict(
    template: Template, kind: Kind, crashes: list[tuple[int, str]], *, confirms: bool
) -> None:
    with (
        tempfile.TemporaryDirectory(
            dir="/dev/shm" if Path("/dev/shm").is_dir() else None
        ) as folder,
        drill(*template, Path(folder)) as box,
    ):
        survives(box, kind, crashes, confirms=confirms)
