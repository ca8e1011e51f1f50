"""From a host's name to a plan that has just been held against the host."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from emily_infra.apply.decide import Leave, order, reboots, still_holds
from emily_infra.apply.errors import OutOfReach, Refused, StalePlan
from emily_infra.apply.order import Order
from emily_infra.cli.look import look, look_to_plan
from emily_infra.cli.plan import built_system, sound
from emily_infra.cli.reach import staged
from emily_infra.machine import Local, Unreachable
from emily_infra.observe import EVERYTHING, Observation, Question
from emily_infra.plan import Means, Plan, by_nix, from_json, meant_for, plan
from emily_infra.spec.host import Host

_EVALUATIONS = threading.BoundedSemaphore(2)
"""Each of Nix takes gigabytes, however many hosts are planned for at once."""


@dataclass(frozen=True)
class Ready:
    """A host, its plan, and what it was when it was asked last."""

    host: Host
    plan: Plan
    seen: Observation
    played: Host
    """The host as it is where this goes: itself, or what its lab makes of it."""

    def order(self, leave: Leave) -> Order:
        """What is to be done, if it may."""
        return order(self.played, self.plan, self.seen, leave)

    def is_idle(self, leave: Leave) -> bool:
        """Whether there is nothing to do."""
        taken = self.plan.accepted(leave.accepted)
        return self.plan.is_noop and not taken and not self.reboots(leave)

    def reboots(self, leave: Leave) -> bool:
        """Whether this starts the machine again."""
        return reboots(self.host, self.plan, leave)


def prepare(name: str, saved: Path | None, *, lab: bool, via: str = "") -> Ready:
    """Build and plan, or take a plan that was saved; look at the host in either case."""
    root, host = sound(name)
    if saved:
        return _saved(root, host, saved, lab=lab, via=via)
    with _EVALUATIONS:
        built = built_system(root, host, lab=lab)
    question = Question(expected=built.toplevel, wants=EVERYTHING)
    with _reached():
        seen = look_to_plan(host, question, lab=lab, via=via)
    with _EVALUATIONS:
        made = plan(host, built, seen, Means(evaluate=by_nix(Local())))
    return Ready(host, made, seen, staged(host, lab=lab))


def asked(host: Host, question: Question, *, lab: bool, via: str) -> Observation:
    """What the host is; OutOfReach, and nothing was changed, where it does not answer."""
    with _reached():
        return look(host, question, lab=lab, via=via)


@contextmanager
def _reached() -> Iterator[None]:
    """OutOfReach instead of Unreachable: nothing has been changed yet."""
    try:
        yield
    except Unreachable as error:
        raise OutOfReach(str(error), hint=error.hint) from error


def _saved(root: Path, host: Host, file: Path, *, lab: bool, via: str) -> Ready:
    made = from_json(file.read_text("utf-8"), str(file))
    meant_for(made, host.name)
    again = f"make the plan again: emily-infra plan {host.name} --out {file}"
    if not Path(made.toplevel).exists():
        raise Refused(f"{made.toplevel} is not in the store any more", hint=again)
    described = Path(made.toplevel) / "etc/emily/source/host.yaml"
    if described.is_file() and described.read_bytes() != (root / host.source.file).read_bytes():
        raise StalePlan(f"{host.source.file} has changed since the plan was made", hint=again)
    seen = asked(host, Question(expected=made.toplevel), lab=lab, via=via)
    still_holds(host, made, seen)
    return Ready(host, made, seen, staged(host, lab=lab))
