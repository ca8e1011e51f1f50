"""Apply to many hosts: one question for all, then the fleet's own order of things."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from emily_infra.apply import fleet
from emily_infra.apply.copy import Substitutes
from emily_infra.apply.decide import Leave
from emily_infra.apply.engine import Deployment
from emily_infra.apply.progress import Progress, Said
from emily_infra.apply.schedule import Outcome, Policy, Stage, Verdict, exit_code
from emily_infra.apply.selection import Portion, batches
from emily_infra.cli.apply import nothing_to_do
from emily_infra.cli.deploying import approve, last_word, new_ticket, ways
from emily_infra.cli.output import say
from emily_infra.cli.planned import verdict
from emily_infra.cli.preparing import Ready, prepare
from emily_infra.cli.reach import reach
from emily_infra.cli.telling import telling
from emily_infra.errors import EmilyError
from emily_infra.spec.host import Host

_PLANS = 2
"""Builds at once: an evaluation takes gigabytes."""


@dataclass(frozen=True)
class Campaign:
    """How careful a run over many hosts is."""

    policy: Policy
    canary: Portion | None
    batch: Portion | None

    def run(self, names: list[str], leave: Leave, *, yes: bool, lab: bool, json: bool) -> int:
        """Plan everything, ask once, apply; the exit code."""
        with ThreadPoolExecutor(_PLANS) as pool:
            ready = list(pool.map(lambda name: prepare(name, None, leave, lab=lab), names))
        for each in ready:
            if not json:
                say(f"{each.host.name}: {verdict(each.plan)}")
        orders = _Orders({each.host.name: each for each in ready}, leave, lab)
        orders.check()
        approve(f"apply this to {len(names)} hosts?", yes=yes)
        groups = batches(names, self.canary, self.batch)
        with telling(as_json=json) as told:
            orders.told = told
            try:
                outcomes = fleet.apply(
                    [[orders.ready[name].host for name in group] for group in groups],
                    orders.acts, self.policy, lambda event: _tell(told, event),
                )  # fmt: skip
            finally:
                orders.close()
        for name, outcome in outcomes.items():
            last_word(name, outcome, json=json)
        return exit_code(list(outcomes.values()))


@dataclass
class _Orders:
    """What is done to each host at each stage."""

    ready: dict[str, Ready]
    leave: Leave
    lab: bool
    told: Progress = field(default=lambda _: None)
    open: dict[str, Deployment] = field(default_factory=dict)

    def check(self) -> None:
        """Refuse the whole run where one host would be refused: half a fleet helps nobody."""
        for each in self.ready.values():
            if not each.plan.is_noop:
                each.order(self.leave)

    @property
    def acts(self) -> fleet.Acts:
        """The stages; hosts were built for the plan already."""
        return {
            Stage.COPY: self._copy, Stage.ACTIVATE: self._activate, Stage.RECHECK: self._recheck
        }  # fmt: skip

    def _copy(self, host: Host) -> Outcome | None:
        each = self.ready[host.name]
        if each.plan.is_noop:
            return nothing_to_do(host, lab=self.lab)
        way = ways(reach(host, lab=self.lab), each.plan.access, self.told, Substitutes.FROM_HERE)
        deployment = Deployment(each.order(self.leave), way, new_ticket())
        self.open[host.name] = deployment
        return _caught(deployment.prepare)

    def _activate(self, host: Host) -> Outcome:
        deployment = self.open.pop(host.name)
        with deployment:
            return _caught(deployment.activate) or Outcome(Verdict.FAILED, "no verdict")

    def _recheck(self, host: Host) -> Outcome | None:
        outcome = nothing_to_do(host, lab=self.lab)
        healthy = outcome.verdict is Verdict.UNCHANGED
        return None if healthy else Outcome(Verdict.UNHEALTHY, outcome.detail)

    def close(self) -> None:
        """Let go of hosts that were copied to and not begun."""
        for deployment in self.open.values():
            deployment.__exit__(None, None, None)


def _caught(act: Callable[[], Outcome | None]) -> Outcome | None:
    try:
        return act()
    except EmilyError as error:
        text = f"{error} (hint: {error.hint})"
        return Outcome(Verdict.FAILED, text, code=getattr(error, "exit_code", 1))


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
