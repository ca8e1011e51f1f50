"""Apply to many simulated hosts: real threads, real waiting, nothing else."""

import random
import time
from dataclasses import dataclass

from benchmarks.fleet import ROOT
from emily_infra.apply.fleet import Acts, apply
from emily_infra.apply.schedule import Limits, Outcome, Policy, Stage, Verdict
from emily_infra.machine import Machine
from emily_infra.spec.host import Host
from emily_infra.spec.load import parse

_LATENCY = 0.05
_CALLS = {Stage.BUILD: 0, Stage.COPY: 2, Stage.ACTIVATE: 8}
"""Commands that a stage sends; each costs a round trip."""
_WORK = {Stage.BUILD: (0.2, 0.5), Stage.COPY: (0.2, 1.0), Stage.ACTIVATE: (1.0, 3.0)}
"""The least and the most seconds of work in a stage."""


@dataclass(frozen=True)
class Distant:
    """A machine that answers after a round trip, and has nothing to say."""

    name: str
    latency: float

    def run(self, *argv: str, stdin: str = "", deadline: float = 60.0) -> str:
        assert argv, stdin
        time.sleep(min(self.latency, deadline))
        return ""

    def close(self) -> None:
        """Nothing is held open."""


@dataclass(frozen=True)
class Result:
    """A run, measured, beside the waits of its slowest host, added up."""

    hosts: int
    whole: float
    slowest: float

    @property
    def ratio(self) -> float:
        """How many times the slowest host the whole run took."""
        return self.whole / self.slowest


def simulate(count: int, pace: float = 1.0) -> Result:
    """Apply to so many hosts in one batch with a place for each; PACE shortens every wait."""
    hosts = [_host(index) for index in range(count)]
    chance = random.Random(count)
    work = {host.name: {stage: chance.uniform(*_WORK[stage]) for stage in _WORK} for host in hosts}
    calls = sum(_CALLS.values()) * _LATENCY
    slowest = pace * max(calls + sum(seconds.values()) for seconds in work.values())

    def act(stage: Stage, host: Host) -> None:
        machine: Machine = Distant(host.name, _LATENCY * pace)
        for _ in range(_CALLS[stage]):
            machine.run("true")
        time.sleep(work[host.name][stage] * pace)

    def activate(host: Host) -> Outcome:
        act(Stage.ACTIVATE, host)
        return Outcome(Verdict.COMMITTED)

    acts: Acts = {
        Stage.BUILD: lambda host: act(Stage.BUILD, host),
        Stage.COPY: lambda host: act(Stage.COPY, host),
        Stage.ACTIVATE: activate,
    }
    begin = time.perf_counter()
    outcomes = apply([hosts], acts, Policy(Limits(count, count, count)))
    whole = time.perf_counter() - begin
    assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.COMMITTED}
    return Result(count, whole, slowest)


def _host(index: int) -> Host:
    text = (ROOT / "hosts/pebble/host.yaml").read_bytes()
    host, _ = parse(f"pebble-{index:03}", "host.yaml", text)
    assert host
    return host
