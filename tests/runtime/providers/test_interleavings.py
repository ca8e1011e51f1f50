"""Whatever order things happen in, no window holds more bills than its limit."""

import asyncio
import tempfile
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from emily_runtime.bench.spending import CheckThenSpend
from emily_runtime.providers.budget import Budget
from emily_runtime.providers.spending import Reservation, Spent
from tests.runtime.providers.world import LIMITS, MEMORY, SECOND, Bills, World


class Call(NamedTuple):
    """What a process has begun."""

    process: Budget
    reservation: Reservation
    until_ns: int


class Story:
    """Two processes that call, are billed, settle, die; clocks that jump; reboots."""

    def __init__(self, policy: type[Budget], folder: str) -> None:
        self.policy, self.file = policy, Path(folder, "budget")
        self.world = World()
        self.bills = Bills(self.world)
        self.processes = [self.started(), self.started()]
        self.calls: list[Call] = []
        self.owed: dict[int, int] = {}

    def started(self) -> Budget:
        return self.policy(self.file, LIMITS, clock=self.world, boot=str(self.world.boot))

    def reserve(self) -> bool:
        self.processes.reverse()
        process = self.processes[0]
        try:
            reservation = process.reserve(300, 60.0)
        except Spent:
            return False
        self.calls.append(Call(process, reservation, self.world.true_ns + 60 * SECOND))
        return True

    def reserve_all(self) -> None:
        for _ in range(5):
            self.reserve()

    def bill(self) -> None:
        for call in self.calls:
            if call.reservation.identity not in self.owed and self.world.true_ns < call.until_ns:
                bill = call.reservation.microdollars
                self.owed[call.reservation.identity] = bill
                self.bills.add(bill)

    def settle(self) -> None:
        for call in self.calls:
            bill = self.owed.get(call.reservation.identity, 0)
            call.process.settle(call.reservation, bill)
        self.calls.clear()

    def settle_one(self) -> None:
        later, self.calls = self.calls[1:], self.calls[:1]
        self.settle()
        self.calls = later

    def spend_all(self) -> None:
        self.reserve_all()
        self.bill()
        self.settle()

    def die(self) -> None:
        dead = self.processes.pop(0)
        dead.close()
        self.calls = [call for call in self.calls if call.process is not dead]
        self.processes.append(self.started())

    def wait_a_minute(self) -> None:
        self.world.advance(60)

    def wait_most_of_an_hour(self) -> None:
        self.world.advance(3_540)

    def jump_forward(self) -> None:
        self.world.skew_ns += 10**9 * SECOND

    def jump_back(self) -> None:
        self.world.skew_ns -= 10**9 * SECOND

    def reboot(self, behind: float = 0.0) -> None:
        self.world.reboot(1_800, -behind)
        self.die()
        self.die()

    def reboot_with_a_clock_that_is_behind(self) -> None:
        self.reboot(10**9)

    def check(self) -> None:
        for window in LIMITS:
            assert self.bills.within(window) <= window.most


STEPS = [name for name in vars(Story) if name[0] != "_" and name not in ("started", "check")]
STORIES = st.lists(st.sampled_from(STEPS), min_size=2, max_size=24)


def play(policy: type[Budget], steps: list[str]) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        story = Story(policy, folder)
        for step in steps:
            getattr(story, step)()
            story.check()
        for process in story.processes:
            process.close()


@settings(max_examples=100, deadline=None)
@given(STORIES)
@example(["spend_all", "jump_forward", "spend_all"])
@example(["spend_all", "wait_most_of_an_hour", "spend_all"])
@example(["reserve_all", "bill", "die", "die", "wait_a_minute", "spend_all"])
@example(
    [
        "spend_all",
        "reboot_with_a_clock_that_is_behind",
        "wait_most_of_an_hour",
        "spend_all",
        "reboot",
        "spend_all",
    ]
)
def test_no_interleaving_overspends(steps: list[str]) -> None:
    play(Budget, steps)


def test_the_naive_policy_fails_the_same_test() -> None:
    @settings(max_examples=1_000, deadline=None, database=None, phases=[Phase.generate])
    @given(STORIES)
    def naive(steps: list[str]) -> None:
        play(CheckThenSpend, steps)

    with pytest.raises(AssertionError):
        naive()


@pytest.mark.parametrize(("policy", "spent"), [(Budget, 996), (CheckThenSpend, 12_000)])
def test_a_thousand_calls_at_once(in_memory: Path, policy: type[Budget], spent: int) -> None:
    world = World()
    bills, budget = Bills(world), policy(in_memory / "budget", LIMITS, clock=world, boot="0")

    async def call() -> None:
        try:
            reservation = budget.reserve(12, 30.0)
        except Spent:
            return
        await asyncio.sleep(0)
        bills.add(12)
        budget.settle(reservation, 12)

    async def all_at_once() -> None:
        await asyncio.gather(*(call() for _ in range(1_000)))

    asyncio.run(all_at_once())

    assert bills.within(LIMITS[0]) == spent
