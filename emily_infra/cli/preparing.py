"""From a host's name to a plan that has just been held against the host."""

import threading
import time
from dataclasses import dataclass
from pathlib import Path

import typer

from emily_infra.apply.decide import Leave, order, reboots, still_holds
from emily_infra.apply.errors import Refused, StalePlan
from emily_infra.apply.fleet import failure
from emily_infra.apply.order import Order
from emily_infra.apply.schedule import Outcome, Verdict
from emily_infra.cli.look import look
from emily_infra.cli.plan import built_system, means, sound
from emily_infra.cli.planned import verdict
from emily_infra.cli.reach import Where, reached, staged
from emily_infra.errors import EmilyError
from emily_infra.observe import EVERYTHING, Observation, Question
from emily_infra.plan import Plan, from_json, meant_for, plan
from emily_infra.plan.saved import NoPlan
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
        return self.plan.is_noop and not self.reboots(leave)

    def reboots(self, leave: Leave) -> bool:
        """Whether this starts the machine again."""
        return reboots(self.host, self.plan, leave)


def attempt(name: str, saved: Path | None, leave: Leave, where: Where) -> Ready | Outcome:
    """What is to be done to a host, or why that cannot be, as an outcome of its own."""
    try:
        ready = prepare(name, saved, where)
        if not ready.is_idle(leave):
            ready.order(leave)
    except EmilyError as error:
        return failure(error)
    except typer.Exit:  # its findings are said already
        return Outcome(Verdict.REFUSED, "it cannot be built; its findings stand above")
    return ready


def summary(found: Ready | Outcome, leave: Leave) -> str:
    """What would be done, or why nothing can be."""
    if isinstance(found, Ready):
        reboot = ", with a reboot" if found.reboots(leave) else ""
        return f"{verdict(found.plan)}{reboot}"
    word = {Verdict.UNREACHABLE: "cannot be reached"}.get(found.verdict, found.verdict.value)
    return f"{word}: {found.detail}"


def prepare(name: str, saved: Path | None, where: Where) -> Ready:
    """Build and plan, or take a plan that was saved; look at the host in either case."""
    root, host = sound(name)
    if saved:
        return _saved(root, host, saved, where)
    with _EVALUATIONS:
        built = built_system(root, host, where)
    seen = asked(host, Question(expected=built.toplevel, wants=EVERYTHING), where)
    clock = time.time()
    with _EVALUATIONS:
        made = plan(host, built, seen, means(clock))
    return Ready(host, made, seen, staged(host, where))


def asked(host: Host, question: Question, where: Where) -> Observation:
    """What the host is; OutOfReach, and nothing was changed, where it does not answer."""
    with reached():
        return look(host, question, where)


def _saved(root: Path, host: Host, file: Path, where: Where) -> Ready:
    made = from_json(_text(file, host), str(file))
    meant_for(made, host.name)
    again = f"make the plan again: emily-infra plan {host.name} --out {file}"
    if not Path(made.toplevel).exists():
        raise Refused(f"{made.toplevel} is not in the store any more", hint=again)
    described = Path(made.toplevel) / "etc/emily/source/host.yaml"
    if described.is_file() and described.read_bytes() != (root / host.source.file).read_bytes():
        raise StalePlan(f"{host.source.file} has changed since the plan was made", hint=again)
    seen = asked(host, Question(expected=made.toplevel), where)
    still_holds(host, made, seen)
    return Ready(host, made, seen, staged(host, where))


def _text(file: Path, host: Host) -> str:
    make = f"emily-infra plan {host.name} --out {file}"
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise NoPlan(f"{file}: it is no text", hint=f"make a plan with: {make}") from error
    except IsADirectoryError as error:
        hint = f"name the file that this wrote: emily-infra plan {host.name} --out FILE"
        raise NoPlan(f"{file} is a folder", hint=hint) from error
    except OSError as error:
        why = error.strerror or str(error)
        raise NoPlan(f"{file} cannot be read: {why}", hint=f"make a plan with: {make}") from error
