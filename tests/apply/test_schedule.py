"""The order in which many hosts are deployed to, without a thread and without a clock."""

import heapq
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emily_infra.apply.schedule import (
    Limits,
    Outcome,
    Policy,
    Schedule,
    Stage,
    Task,
    Verdict,
    exit_code,
)
from emily_infra.apply.selection import NoSuchPortion, NoSuchTag, Portion, batches, select
from tests.hosts import pebble

GOOD = Outcome(Verdict.COMMITTED)
BAD = Outcome(Verdict.ROLLED_BACK)
LOST = Outcome(Verdict.LOST)
ILL = Outcome(Verdict.UNHEALTHY)
FINAL = {Verdict.COMMITTED, Verdict.UNCHANGED, Verdict.ROLLED_BACK, Verdict.LOST, Verdict.FAILED}


@dataclass
class World:
    """Hosts that take a known time for each stage and end in a known way."""

    results: dict[Task, Outcome] = field(default_factory=dict)
    seconds: dict[Task, float] = field(default_factory=dict)
    log: list[tuple[float, str, Task]] = field(default_factory=list)
    most: dict[Stage, int] = field(default_factory=dict)

    def run(self, schedule: Schedule) -> float:
        """Play it to the end; the time it took."""
        now, order = 0.0, 0
        ends: list[tuple[float, int, Task]] = []
        while not schedule.over:
            for task in schedule.start(now):
                order += 1
                heapq.heappush(ends, (now + self.seconds.get(task, 1.0), order, task))
                self.log.append((now, "begin", task))
            self._count(schedule)
            if ends and (schedule.wakes is None or ends[0][0] <= schedule.wakes):
                now, _, task = heapq.heappop(ends)
                self.log.append((now, "end", task))
                default = GOOD if task.stage is Stage.ACTIVATE else None
                schedule.finish(task, self.results.get(task, default), now)
            elif schedule.wakes is not None:
                now = schedule.wakes
        return now

    def _count(self, schedule: Schedule) -> None:
        for stage in Stage:
            inside = sum(task.stage is stage for task in schedule.running)
            self.most[stage] = max(self.most.get(stage, 0), inside)

    def begun(self, stage: Stage) -> list[str]:
        """The hosts in the order in which they entered a stage."""
        return [task.host for _, what, task in self.log if (what, task.stage) == ("begin", stage)]

    def time(self, what: str, host: str, stage: Stage) -> float:
        """When a host entered or left a stage."""
        return next(at for at, did, task in self.log if (did, task) == (what, Task(host, stage)))


def verdicts(schedule: Schedule) -> dict[str, Verdict]:
    return {host: outcome.verdict for host, outcome in schedule.outcomes.items()}


def test_the_canary_is_through_before_anybody_else_is_activated() -> None:
    world, schedule = World(), Schedule([["a"], ["b", "c"]], Policy())

    world.run(schedule)

    assert world.begun(Stage.ACTIVATE) == ["a", "b", "c"]
    assert world.time("begin", "b", Stage.ACTIVATE) >= world.time("end", "a", Stage.ACTIVATE)


def test_the_others_are_built_and_copied_while_the_canary_is_activated() -> None:
    world, schedule = World(), Schedule([["a"], ["b"]], Policy())
    world.seconds[Task("a", Stage.ACTIVATE)] = 60.0

    world.run(schedule)

    assert world.time("end", "b", Stage.COPY) < world.time("end", "a", Stage.ACTIVATE)


def test_an_ill_canary_saves_everybody_else() -> None:
    schedule = Schedule([["a"], ["b", "c"]], Policy())

    World({Task("a", Stage.ACTIVATE): BAD}).run(schedule)

    assert verdicts(schedule) == {
        "a": Verdict.ROLLED_BACK, "b": Verdict.NOT_BEGUN, "c": Verdict.NOT_BEGUN
    }  # fmt: skip
    assert schedule.outcomes["b"].detail == "1 failed, and the run may bear 0"


def test_the_healthy_hosts_of_an_ill_batch_stay_as_they_are() -> None:
    schedule = Schedule([["a", "b"], ["c"]], Policy())

    World({Task("b", Stage.ACTIVATE): BAD}).run(schedule)

    assert verdicts(schedule)["a"] is Verdict.COMMITTED
    assert verdicts(schedule)["c"] is Verdict.NOT_BEGUN


def test_a_budget_bears_so_many_failures_and_no_more() -> None:
    hosts = [[name] for name in "abcd"]
    failing = {Task(name, Stage.ACTIVATE): BAD for name in "ac"}
    one, two = (Schedule(hosts, Policy(max_failures=budget)) for budget in (1, 2))

    World(failing).run(one)
    World(failing).run(two)

    assert verdicts(one)["d"] is Verdict.NOT_BEGUN
    assert verdicts(two)["d"] is Verdict.COMMITTED


def test_a_lost_host_stops_the_run_whatever_the_budget() -> None:
    schedule = Schedule([["a"], ["b"]], Policy(max_failures=99))

    World({Task("a", Stage.ACTIVATE): LOST}).run(schedule)

    assert verdicts(schedule) == {"a": Verdict.LOST, "b": Verdict.NOT_BEGUN}


def test_a_host_that_cannot_be_built_stops_the_run_before_it_is_touched() -> None:
    world = World({Task("b", Stage.BUILD): Outcome(Verdict.FAILED)})
    world.seconds[Task("a", Stage.COPY)] = 10.0
    schedule = Schedule([["a", "b"]], Policy())

    world.run(schedule)

    assert world.begun(Stage.ACTIVATE) == []
    assert verdicts(schedule) == {"a": Verdict.NOT_BEGUN, "b": Verdict.FAILED}


def test_hosts_that_failed_before_the_run_count_against_its_budget() -> None:
    over, within = (Schedule([["a"]], Policy(max_failures=n, failed_before=2)) for n in (1, 2))

    World().run(over)
    World().run(within)

    assert over.outcomes["a"] == Outcome(Verdict.NOT_BEGUN, "2 failed, and the run may bear 1")
    assert verdicts(within)["a"] is Verdict.COMMITTED


def test_a_soak_separates_batches_and_ends_in_a_second_look() -> None:
    world, schedule = World(), Schedule([["a"], ["b"]], Policy(soak=300.0))

    world.run(schedule)

    waited = world.time("begin", "a", Stage.RECHECK) - world.time("end", "a", Stage.ACTIVATE)
    assert waited == 300.0
    assert world.begun(Stage.RECHECK) == ["a"]
    assert world.time("begin", "b", Stage.ACTIVATE) >= world.time("end", "a", Stage.RECHECK)


def test_a_host_that_falls_ill_in_the_soak_stops_the_run_and_is_not_undone() -> None:
    schedule = Schedule([["a"], ["b"]], Policy(soak=60.0))

    World({Task("a", Stage.RECHECK): ILL}).run(schedule)

    assert verdicts(schedule) == {"a": Verdict.UNHEALTHY, "b": Verdict.NOT_BEGUN}


def test_nobody_waits_for_a_soak_in_which_nothing_was_changed() -> None:
    world = World({Task("a", Stage.ACTIVATE): Outcome(Verdict.UNCHANGED)})

    took = world.run(Schedule([["a"], ["b"]], Policy(soak=3600.0)))

    assert took < 60


def test_a_run_that_was_cut_short_goes_on_with_the_hosts_that_are_left() -> None:
    done = {Task(name, Stage.BUILD): Outcome(Verdict.UNCHANGED) for name in "ab"}
    world, schedule = World(done), Schedule([["a"], ["b"], ["c"]], Policy())

    world.run(schedule)

    assert world.begun(Stage.ACTIVATE) == ["c"]
    assert all(verdict.is_good for verdict in verdicts(schedule).values())


def test_after_a_stop_nothing_begins_and_what_runs_may_finish() -> None:
    schedule = Schedule([["a", "b"]], Policy(Limits(build=1)))
    (task,) = schedule.start(0.0)

    schedule.stop("by hand")

    assert list(schedule.start(1.0)) == []
    assert not schedule.over
    schedule.finish(task, None, 2.0)
    assert verdicts(schedule) == {"a": Verdict.NOT_BEGUN, "b": Verdict.NOT_BEGUN}


def test_an_abandoned_activation_is_left_to_its_guard() -> None:
    schedule = Schedule([["a"]], Policy())
    for stage in (Stage.BUILD, Stage.COPY):
        list(schedule.start(0.0))
        schedule.finish(Task("a", stage), None, 0.0)
    list(schedule.start(0.0))

    schedule.abandon("by hand")

    assert schedule.over
    assert verdicts(schedule) == {"a": Verdict.LEFT}


@st.composite
def runs(draw: st.DrawFn) -> tuple[World, Schedule, int]:
    """Any fleet, any durations, any endings."""
    names = [f"h{number}" for number in range(draw(st.integers(0, 12)))]
    canary = draw(st.none() | st.builds(Portion, st.integers(1, 4)))
    size = draw(st.none() | st.builds(Portion, st.integers(1, 100), st.just("%")))
    limits = draw(st.builds(Limits, *[st.integers(1, 4)] * 3))
    budget = draw(st.integers(0, 4))
    policy = Policy(limits, budget, draw(st.sampled_from([0.0, 5.0])))
    world = World()
    for task in (Task(name, stage) for name in names for stage in Stage):
        world.seconds[task] = draw(st.integers(0, 9))
        ending = draw(st.sampled_from([None, None, None, BAD, LOST, Outcome(Verdict.UNCHANGED)]))
        if task.stage is Stage.RECHECK:
            ending = draw(st.sampled_from([None, None, ILL]))
        if ending:
            world.results[task] = ending
    return world, Schedule(batches(names, canary, size), policy), budget


@given(runs())
def test_every_host_has_one_outcome_and_no_limit_is_passed(
    run: tuple[World, Schedule, int],
) -> None:
    world, schedule, _ = run

    world.run(schedule)

    limits = schedule._policy.limits
    assert schedule.outcomes.keys() == {host for batch in schedule.batches for host in batch}
    assert all(world.most.get(stage, 0) <= limits.of(stage) for stage in Stage)
    activated = world.begun(Stage.ACTIVATE)
    assert len(activated) == len(set(activated))


@given(runs())
def test_a_batch_begins_when_the_one_before_it_is_through(run: tuple[World, Schedule, int]) -> None:
    world, schedule, _ = run

    world.run(schedule)

    order = {host: n for n, batch in enumerate(schedule.batches) for host in batch}
    ended: set[str] = set()
    for _, what, task in world.log:
        earlier = {host for host, n in order.items() if n < order[task.host]}
        if what == "begin" and task.stage is Stage.ACTIVATE:
            assert earlier & set(world.begun(Stage.ACTIVATE)) <= ended
        elif what == "end" and task.stage is Stage.ACTIVATE:
            ended.add(task.host)


@given(runs())
def test_nothing_begins_once_the_budget_is_spent(run: tuple[World, Schedule, int]) -> None:
    world, schedule, budget = run

    world.run(schedule)

    failures = 0
    for _, what, task in world.log:
        if what == "begin":
            assert failures <= budget
        elif (ending := world.results.get(task)) and ending.verdict.is_failure:
            failures += 100 if ending is LOST else 1


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ("CC", 0), ("CU", 0), ("R", 3), ("L", 4), ("F", 1), ("CR", 5), ("CL", 4), ("RN", 3),
        ("O", 8), ("ON", 8), ("CO", 5), ("OE", 1), ("EN", 1), ("RF", 3), ("FN", 1), ("UF", 5),
        ("CN", 5), ("N", 1), ("CX", 5), ("LR", 4), ("", 0),
    ],
)  # fmt: skip
def test_the_exit_code_says_what_became_of_the_whole(found: str, code: int) -> None:
    letters = {
        "C": Verdict.COMMITTED, "U": Verdict.UNCHANGED, "R": Verdict.ROLLED_BACK,
        "L": Verdict.LOST, "F": Verdict.FAILED, "N": Verdict.NOT_BEGUN, "X": Verdict.LEFT,
        "O": Verdict.UNREACHABLE, "E": Verdict.REFUSED,
    }  # fmt: skip

    assert exit_code([Outcome(letters[letter]) for letter in found]) == code


def test_hosts_that_fail_for_one_reason_keep_its_code() -> None:
    locked = Outcome(Verdict.FAILED, "locked", 7)

    assert exit_code([locked, locked]) == 7
    assert exit_code([locked, Outcome(Verdict.FAILED, "unreachable", 8)]) == 1


@pytest.mark.parametrize(
    ("canary", "size", "expected"),
    [
        (None, None, ["abcdefghij"]),
        ("1", None, ["a", "bcdefghij"]),
        ("1", "4", ["a", "bcde", "fghi", "j"]),
        ("20%", "50%", ["ab", "cdefg", "hij"]),
        (None, "3", ["abc", "def", "ghi", "j"]),
        ("100%", None, ["abcdefghij"]),
        ("1%", None, ["a", "bcdefghij"]),
        ("99", "2", ["abcdefghij"]),
    ],
)
def test_batches_of_ten_hosts(canary: str | None, size: str | None, expected: list[str]) -> None:
    portions = (text and Portion.parse(text) for text in (canary, size))

    found = batches("abcdefghij", *[portion or None for portion in portions])

    assert ["".join(batch) for batch in found] == expected


@pytest.mark.parametrize("text", ["0", "0%", "101%", "-1", "1.5", "", "ten", "5 %"])
def test_no_portion_is_nobody_or_more_than_everybody(text: str) -> None:
    with pytest.raises(NoSuchPortion):
        Portion.parse(text)


def test_hosts_are_chosen_by_name_and_by_tag_in_that_order() -> None:
    fleet = {
        name: pebble(f"deploy: {{ tags: [{tags}] }}", name)
        for name, tags in {"a": "lab", "b": "lab, big", "c": "big"}.items()
    }

    assert [host.name for host in select(fleet, ["c"], ["lab"])] == ["c", "a", "b"]
    assert [host.name for host in select(fleet, [], ["big", "lab"])] == ["a", "b", "c"]


def test_a_misspelt_tag_is_an_error_and_not_nobody() -> None:
    fleet = {"a": pebble("deploy: { tags: [storage] }", "a")}

    with pytest.raises(NoSuchTag) as error:
        select(fleet, [], ["storge"])

    assert error.value.hint == "did you mean storage?"
