"""From a host's name to a plan that has just been held against the host."""

from dataclasses import dataclass
from pathlib import Path

from emily_infra.apply.decide import Leave, order
from emily_infra.apply.errors import OutOfReach, Refused
from emily_infra.apply.order import Order
from emily_infra.cli.look import look
from emily_infra.cli.plan import built_system, sound
from emily_infra.cli.reach import reach
from emily_infra.machine import Local, Target, Unreachable
from emily_infra.observe import EVERYTHING, Observation, Question
from emily_infra.plan import Means, Plan, by_nix, from_json, meant_for, plan
from emily_infra.spec.host import Host


@dataclass(frozen=True)
class Ready:
    """A host, its plan, and what it was when it was asked last."""

    host: Host
    plan: Plan
    seen: Observation

    def order(self, leave: Leave) -> Order:
        """What is to be done, if it may."""
        return order(self.host, self.plan, self.seen, leave)

    def target(self, *, lab: bool) -> Target:
        """The way to it."""
        return reach(self.host, lab=lab)


def prepare(name: str, saved: Path | None, leave: Leave, *, lab: bool) -> Ready:
    """Build and plan, or take a plan that was saved; look at the host in either case."""
    del leave
    root, host = sound(name)
    try:
        if saved:
            return _saved(host, saved, lab=lab)
        built = built_system(root, host, lab=lab)
        seen = look(host, Question(expected=built.toplevel, wants=EVERYTHING), lab=lab)
    except Unreachable as error:
        raise OutOfReach(str(error), hint=error.hint) from error
    means = Means(evaluate=by_nix(Local()))
    return Ready(host, plan(host, built, seen, means), seen)


def _saved(host: Host, file: Path, *, lab: bool) -> Ready:
    made = from_json(file.read_text("utf-8"), str(file))
    meant_for(made, host.name)
    if not Path(made.toplevel).exists():
        raise Refused(
            f"{made.toplevel} is not in the store any more",
            hint=f"make the plan again: emily-infra plan {host.name} --out {file}",
        )
    return Ready(host, made, look(host, Question(expected=made.toplevel), lab=lab))
