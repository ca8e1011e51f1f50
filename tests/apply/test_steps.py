"""Storage steps on the host: what happens between the plan and the command."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from emily_infra.apply.errors import NotBegun, StalePlan
from emily_infra.apply.order import Order, Standing
from emily_infra.apply.steps import Due, still_needed, take
from emily_infra.machine import CommandFailed, Ending, Expired
from emily_infra.observe import Observation
from emily_infra.observe.answer import HUNG, Gap
from emily_infra.plan import Hazard, Step, Taking
from emily_infra.plan.storage import steps
from tests.plan.simulated import World, world
from tests.plan.tanks import Body, described
from tests.plan.tops import BY_ID

PAIR: Body = {"data": [{"mirror": ["disk-a", "disk-b"]}]}
TWO: Body = {"data": [*PAIR["data"], {"mirror": ["disk-c", "disk-d"]}]}
THIRD: Body = {"data": [*PAIR["data"], {"mirror": ["disk-c", "disk-d", "disk-e"]}]}


@dataclass
class Zpool:
    """A machine whose zpool says what it is told to, and remembers how it was asked."""

    says: Callable[[tuple[str, ...]], str]
    asked: list[tuple[str, ...]] = field(default_factory=list)
    name: str = "here"

    def run(self, *argv: str, stdin: str = "", deadline: float = 60.0) -> str:
        assert not stdin
        assert deadline < 1000
        self.asked.append(argv)
        return self.says(argv)

    def close(self) -> None:
        pass


MIX = "--allow-replication-mismatch"


def refusing(*reasons: str, old: bool = False, in_use: bool = False) -> Zpool:
    """One that wants force; OLD ones know no other flag, and force takes what is IN_USE."""

    def says(argv: tuple[str, ...]) -> str:
        if MIX in argv and old:
            said = "zpool: invalid option -- '-'\ninvalid option '-'\nusage:\n\tadd [-fgLnP]"
            raise CommandFailed("here", argv, Ending(2, "", said))
        if "-f" in argv or (MIX in argv and not in_use):
            return tree("mirror", "disk-c", "disk-d", "disk-e")
        said = "\n".join(
            ["invalid vdev specification", "use '-f' to override the following errors:", *reasons]
        )
        raise CommandFailed("here", argv, Ending(1, "", said))

    return Zpool(says)


def tree(kind: str, *disks: str) -> str:
    new = "".join(f"\t    {disk}\n" for disk in disks)
    return (
        "would update 'tank' to the following configuration:\n\n\ttank\n"
        f"\t  mirror-0\n\t    disk-a\n\t    disk-b\n\t  {kind}\n{new}"
    )


def adding(body: Body) -> Step:
    (step,) = steps(described(body), world(described(PAIR).storage).seen())
    return step


def order(now: World, body: Body, *planned: Step) -> Order:
    spec = described(body)
    found = planned or tuple(steps(spec, now.seen()))
    return Order("box", "/nix/store/new", Standing("/nix/store/old", 1, ""), steps=found, spec=spec)


# --- the rehearsal


def test_a_vdev_is_rehearsed_before_it_is_added() -> None:
    zpool = Zpool(lambda _: tree("mirror", "disk-c", "disk-d"))

    take(Due(adding(TWO)), zpool)

    assert [("-n" in command, "-f" in command) for command in zpool.asked] == [
        (True, False), (False, False)
    ]  # fmt: skip


@pytest.mark.parametrize(
    "understood",
    [tree("raidz1", "disk-c", "disk-d"), tree("mirror", "disk-c", "disk-x"),
     "would update 'tank' to the following configuration:\n\n\ttank\n\t  disk-c\n\t  disk-d\n"],
    ids=["another-kind", "another-disk", "no-group"],
)  # fmt: skip
def test_nothing_is_added_where_zpool_understands_something_else(understood: str) -> None:
    zpool = Zpool(lambda _: understood)

    with pytest.raises(NotBegun, match="understands something else"):
        take(Due(adding(TWO)), zpool)

    assert all("-n" in command for command in zpool.asked)


MIXED = "mismatched replication level: pool uses 2-way mirror and new uses 3-way"


def test_a_mix_that_host_yaml_asks_for_is_taken_and_no_other_check_left_out() -> None:
    zpool = refusing(MIXED)

    take(Due(adding(THIRD)), zpool)

    assert [("-n" in command, MIX in command) for command in zpool.asked] == [
        (True, False), (True, True), (False, True)
    ]  # fmt: skip
    assert not any("-f" in command for command in zpool.asked)


def test_openzfs_2_1_knows_only_force_for_a_mix() -> None:
    zpool = refusing(MIXED, old=True)

    take(Due(adding(THIRD)), zpool)

    assert "-n" not in zpool.asked[-1]
    assert "-f" in zpool.asked[-1]


def test_a_mix_is_no_reason_to_take_a_disk_that_is_in_use() -> None:
    zpool = refusing(MIXED, in_use=True)

    with pytest.raises(NotBegun):
        take(Due(adding(THIRD)), zpool)

    assert not any("-f" in command for command in zpool.asked)


@pytest.mark.parametrize(
    "reasons",
    [("/dev/disk/by-id/disk-c contains a filesystem of type 'ext4'",),
     ("mismatched replication level: 2 vs. 3", "disk-c is part of exported pool 'old'")],
    ids=["another", "one-more"],
)  # fmt: skip
def test_force_is_used_for_no_other_reason(reasons: tuple[str, ...]) -> None:
    zpool = refusing(*reasons)

    with pytest.raises(NotBegun):
        take(Due(adding(THIRD)), zpool)

    assert not any("-f" in command for command in zpool.asked)


def test_a_mix_that_nobody_asked_for_is_not_forced() -> None:
    zpool = refusing("mismatched replication level: pool uses mirror and new vdev is disk")
    step = replace(adding(TWO), taking=Taking(("disk-c", "disk-d"), "data", "mirror"))

    with pytest.raises(NotBegun, match="mismatched"):
        take(Due(step), zpool)


def test_a_command_that_hangs_ends_the_deploy_with_what_to_look_at() -> None:
    def hangs(_: tuple[str, ...]) -> str:
        raise Expired("zfs did not end", hint="")

    step = Step("set a", Hazard.SAFE, "why", (("zfs", "set", "a=b", "tank"),))

    with pytest.raises(NotBegun, match="hangs or goes on by itself") as error:
        take(Due(step), Zpool(hangs))

    assert "zpool status -v" in error.value.hint


# --- between the plan and the host


def looks(machine: World) -> Callable[[tuple[str, ...]], Observation]:
    return lambda _: machine.seen()


def test_a_step_whose_effect_is_there_already_is_not_taken() -> None:
    machine = world(described(PAIR).storage)
    planned = order(machine, PAIR | {"spares": ["disk-e"], "cache": ["disk-f"]})

    machine.run("zpool", "add", "tank", "spare", f"{BY_ID}disk-e")

    (left,) = still_needed(planned, looks(machine))
    assert left.step.title == "add cache disk-f to tank"


def test_a_vdev_that_has_come_under_the_name_of_the_one_that_was_meant_stays() -> None:
    machine = world(described(TWO).storage)
    planned = order(machine, PAIR)

    machine.pools["tank"].tops[1].disks = ["disk-e", "disk-f"]

    assert list(still_needed(planned, looks(machine))) == []


def test_a_disk_that_is_blank_no_longer_is_not_taken() -> None:
    machine = world(described(PAIR).storage)
    planned = order(machine, TWO)

    machine.disks["disk-d"] = "xfs"

    with pytest.raises(NotBegun, match="disk-d is not blank"):
        list(still_needed(planned, looks(machine)))


def apply_to(machine: World, planned: Order) -> None:
    for due in still_needed(planned, looks(machine)):
        take(due, machine)


@pytest.mark.parametrize(
    "wished",
    [{"data": [{"mirror": ["disk-a", "disk-b", "disk-c"]}]}, TWO | {"spares": ["disk-e"]}],
    ids=["attach", "add"],
)
def test_a_disk_that_zpool_has_only_begun_with_may_be_taken_again(wished: Body) -> None:
    machine = world(described(PAIR).storage)
    planned = order(machine, wished)
    machine.refuses = "a device removal is in progress"
    with pytest.raises(NotBegun):
        apply_to(machine, planned)
    assert "gpt" in machine.disks.values()

    machine.refuses = ""
    apply_to(machine, planned)

    assert list(steps(described(wished), machine.seen())) == []


def test_a_disk_is_looked_at_again_when_its_turn_comes() -> None:
    machine = world(described(PAIR).storage)
    due = still_needed(order(machine, PAIR | {"spares": ["disk-e", "disk-f"]}), looks(machine))
    take(next(due), machine)

    machine.disks["disk-f"] = "xfs"

    with pytest.raises(NotBegun, match="disk-f is not blank"):
        next(due)


def test_a_pool_of_which_nobody_says_when_it_wrote_has_to_write_first() -> None:
    machine = world(described(PAIR).storage)
    planned = order(machine, PAIR | {"spares": ["disk-e"]})
    seen = machine.seen()
    silent = replace(seen, pools=tuple(replace(each, committed_age=None) for each in seen.pools))

    (due,) = still_needed(planned, lambda _: silent)
    take(due, machine)

    assert [command[:2] for command in machine.said if "-n" not in command] == [
        ("zpool", "sync"), ("zpool", "add")
    ]  # fmt: skip


def test_a_table_of_somebody_elses_is_no_beginning() -> None:
    machine = world(described(PAIR).storage)
    planned = order(machine, TWO)
    machine.disks["disk-d"] = "gpt"

    with pytest.raises(NotBegun, match="disk-d is not blank"):
        apply_to(machine, planned)


def test_what_was_begun_and_ended_is_known_no_more() -> None:
    machine = world(described(PAIR).storage)
    with_spare = PAIR | {"spares": ["disk-e"]}
    apply_to(machine, order(machine, with_spare))
    apply_to(machine, order(machine, PAIR))
    machine.disks["disk-e"] = "gpt"

    (step,) = steps(described(with_spare), machine.seen())

    assert not step.hazard.runs


def test_a_step_that_nobody_has_planned_is_not_taken() -> None:
    machine = world(described(PAIR).storage)
    planned = order(machine, PAIR | {"spares": ["disk-e"]})

    machine.pools["tank"].datasets["tank/new"] = machine.pools["tank"].datasets["tank"]
    planned = replace(planned, spec=described(PAIR | {"spares": ["disk-e"], "cache": ["disk-f"]}))

    with pytest.raises(StalePlan, match="add cache disk-f"):
        list(still_needed(planned, looks(machine)))


@pytest.mark.parametrize(
    "silent",
    [{"told": False}, {"datasets": ()}, None],
    ids=["zpool-status-hangs", "no-datasets", "exported"],
)
def test_a_pool_that_does_not_answer_any_more_stops_the_steps_that_are_about_it(
    silent: dict[str, Any] | None,
) -> None:
    machine = world(described(PAIR).storage)
    planned = order(machine, PAIR | {"spares": ["disk-e"]})
    seen = machine.seen()
    pools = tuple(replace(pool, **silent) for pool in seen.pools) if silent else ()

    with pytest.raises(StalePlan, match="box does not say how pool tank is"):
        list(still_needed(planned, lambda _: replace(seen, pools=pools)))


def test_a_host_that_cannot_say_which_pools_it_has_gets_no_steps() -> None:
    machine = world(described(PAIR).storage)
    planned = order(machine, PAIR | {"spares": ["disk-e"]})
    gap = Gap("pool_status", HUNG)

    with pytest.raises(NotBegun, match="pool_status: no answer in time"):
        list(still_needed(planned, lambda _: replace(machine.seen(), gaps=(gap,))))


def test_what_is_only_offered_is_taken_only_if_it_was_asked_for() -> None:
    machine = world(described(PAIR).storage)
    machine.pools["tank"].disabled = {"draid"}
    asked = order(machine, PAIR)
    not_asked = order(machine, PAIR | {"spares": ["disk-e"]}, *steps(
        described(PAIR | {"spares": ["disk-e"]}), world(described(PAIR).storage).seen()
    ))  # fmt: skip

    assert [due.step.commands[0] for due in still_needed(asked, looks(machine))] == [
        ("zpool", "upgrade", "tank")
    ]
    assert [due.step.commands[0][1] for due in still_needed(not_asked, looks(machine))] == ["add"]
