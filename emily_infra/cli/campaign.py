"""Apply to many hosts: one question for all, then the fleet's own order of things."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from emily_infra.apply import fleet
from emily_infra.apply.decide import Leave
from emily_infra.apply.engine import Deployment
from emily_infra.apply.health import Before
from emily_infra.apply.progress import Progress, Said
from emily_infra.apply.schedule import Outcome, Policy, Stage, Verdict, exit_code
from emily_infra.apply.selection import Portion, batches
from emily_infra.cli.apply import How
from emily_infra.cli.deploying import approve, last_word, new_ticket, unchanged, ways, well
from emily_infra.cli.output import printable, say
from emily_infra.cli.preparing import Ready, attempt, summary
from emily_infra.cli.reach import road
from emily_infra.cli.stopping import at_once, before_any_change
from emily_infra.cli.telling import tell_intention, telling
from emily_infra.errors import EmilyError
from emily_infra.spec.host import Host

_AT_ONCE = 16
"""Hosts that are looked at; how many are built for at once is another matter."""


@dataclass(frozen=True)
class Campaign:
    """How careful a run over many hosts is."""

    policy: Policy
    canary: Portion | None
    batch: Portion | None

    def run(self, names: list[str], leave: Leave, how: How) -> int:
        """Plan everything, ask once, apply; the exit code."""
        with before_any_change():
            found = _planned(names, leave, how)
            for name, each in found.items():
                _introduce(name, how.where.said(summary(each, leave)), how)
            ready = {name: each for name, each in found.items() if isinstance(each, Ready)}
            failed = {name: each for name, each in found.items() if isinstance(each, Outcome)}
            busy = [name for name, each in ready.items() if not each.is_idle(leave)]
            if busy and len(failed) <= self.policy.max_failures:
                approve(f"apply this to {_hosts(busy, names)}?", yes=how.yes)
        outcomes = self._carry_out(_Orders(ready, leave, how), len(failed)) | failed
        for name in names:
            last_word(name, outcomes[name], how.where, json=how.json)
        return exit_code([outcomes[name] for name in names])

    def _carry_out(self, orders: "_Orders", failed: int) -> dict[str, Outcome]:
        with telling(as_json=orders.how.json) as told:
            orders.told = told
            try:
                return fleet.apply(
                    [[orders.ready[name].host for name in group] for group in self._groups(orders)],
                    orders.acts, replace(self.policy, failed_before=failed),
                    lambda event: _tell(told, event),
                )  # fmt: skip
            finally:
                orders.close()

    def _groups(self, orders: "_Orders") -> list[tuple[str, ...]]:
        """Where nothing is to be done nothing is proven either: such a host is no canary."""
        idle = tuple(n for n, each in orders.ready.items() if each.is_idle(orders.leave))
        busy = [name for name in orders.ready if name not in idle]
        first, *rest = batches(busy, self.canary, self.batch) or ((),)
        return [(*idle, *first), *rest]


def _planned(names: list[str], leave: Leave, how: How) -> dict[str, Ready | Outcome]:
    """What is to be done to each host, or why that cannot be; nobody holds up the others."""
    found = at_once(lambda name: attempt(name, None, lambda _: leave, how.where), names, _AT_ONCE)
    return dict(zip(names, found, strict=True))


def _introduce(name: str, words: str, how: How) -> None:
    if how.json:
        tell_intention(name, words)
    if how.json and how.yes:
        return
    first, *rest = words.splitlines()
    for line in (f"{name}: {printable(first)}", *(f"  {printable(line)}" for line in rest)):
        say(line)


def _hosts(busy: list[str], names: list[str]) -> str:
    count = "1 host" if len(busy) == 1 else f"{len(busy)} hosts"
    return count if len(busy) == len(names) else f"{count} of {len(names)}"


@dataclass
class _Orders:
    """What is done to each host at each stage."""

    ready: Mapping[str, Ready]
    leave: Leave
    how: How
    told: Progress = field(default=lambda _: None)
    open: dict[str, Deployment] = field(default_factory=dict)
    before: dict[str, Before] = field(default_factory=dict)

    @property
    def acts(self) -> fleet.Acts:
        """The stages; hosts were built for the plan already."""
        return {
            Stage.COPY: self._copy, Stage.ACTIVATE: self._activate, Stage.RECHECK: self._recheck
        }  # fmt: skip

    def _copy(self, host: Host) -> Outcome | None:
        each, way = self.ready[host.name], road(host, self.how.where)
        if each.is_idle(self.leave):
            return unchanged(each, way.now)
        towards = ways(way, self.told, self.how.substitutes)
        deployment = Deployment(each.order(self.leave), towards, new_ticket())
        self.open[host.name] = deployment
        outcome = _caught(deployment.prepare)
        if outcome:
            self.open.pop(host.name).__exit__(None, None, None)
        return outcome

    def _activate(self, host: Host) -> Outcome:
        deployment = self.open.pop(host.name)
        with deployment:
            outcome = _caught(deployment.activate)
            self.before[host.name] = deployment.before
        assert outcome, "an activation ends in an outcome"
        return outcome

    def _recheck(self, host: Host) -> Outcome | None:
        way = road(host, self.how.where)
        found = well(self.ready[host.name].played, way.afterwards, self.before[host.name])
        healthy = found.verdict is Verdict.UNCHANGED
        return None if healthy else Outcome(Verdict.UNHEALTHY, found.detail)

    def close(self) -> None:
        """Let go of hosts that were copied to and not begun."""
        while self.open:
            _, deployment = self.open.popitem()
            deployment.__exit__(None, None, None)


def _caught(act: Callable[[], Outcome | None]) -> Outcome | None:
    try:
        return act()
    except EmilyError as error:
        return fleet.failure(error)


def _tell(told: Progress, event: fleet.Event) -> None:
    match event:
        case fleet.Soaking():
            told(Said("fleet", f"watching {', '.join(event.hosts)} for {event.seconds:.0f} s"))
        case fleet.Stopped():
            told(Said("fleet", f"stopped: {event.why}; still at work: {len(event.running)}"))
        case fleet.Ended():
            told(Said(event.host, event.outcome.verdict.value))
        case fleet.Began():
            told(Said(event.host, event.stage.value))
