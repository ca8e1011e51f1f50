"""Apply to one host: its plan, one question, and what became of it."""

from dataclasses import replace
from pathlib import Path

from emily_infra.apply.decide import Leave
from emily_infra.apply.schedule import Outcome, Verdict
from emily_infra.cli.apply import How
from emily_infra.cli.deploying import approve, at_best, last_word, one, unchanged, with_word
from emily_infra.cli.output import report, say
from emily_infra.cli.plan import about_reboot
from emily_infra.cli.planned import as_text
from emily_infra.cli.preparing import Ready, attempt, prepare, summary
from emily_infra.cli.reach import road
from emily_infra.cli.stopping import before_any_change
from emily_infra.cli.telling import tell_intention


def single(name: str, saved: Path | None, leave: Leave, how: How) -> int:
    """Plan, or take a plan that somebody has read; ask, apply; the exit code."""
    with before_any_change():
        found = _found(name, saved, leave, how)
        if isinstance(found, Ready):
            leave = _agree(found, leave, how if saved is None else replace(how, yes=True))
    outcome = found if isinstance(found, Outcome) else _carried_out(found, leave, how)
    last_word(name, outcome, how.where, json=how.json)
    if outcome.verdict is Verdict.COMMITTED and not how.json:
        report(how.where.afterwards.said(f"next: emily-infra status {name}"))
    return outcome.exit_code


def _found(name: str, saved: Path | None, leave: Leave, how: How) -> Ready | Outcome:
    """To a person an error is an error; a program gets the lines that a host of many has."""
    if not how.json:
        return prepare(name, saved, how.where)
    found = attempt(name, saved, lambda ready: at_best(ready, leave), how.where)
    tell_intention(name, how.where.said(summary(found, leave)))
    return found


def _agree(ready: Ready, leave: Leave, how: How) -> Leave:
    """Show the plan to whoever is to say yes to it, and its word to what cannot be undone."""
    idle = ready.is_idle(leave)
    if not how.json or not (how.yes or idle):
        for line in as_text(ready.plan, how.where, detailed=False):
            say(line)
        for line in about_reboot(ready.plan, ready.host, how.where, leave):
            say(line)
    if idle:
        return leave
    spoken = with_word(ready, leave)
    reboot = ", with a reboot" if ready.reboots(spoken) else ""
    approve(f"apply this to {ready.host.name}{reboot}?", yes=how.yes)
    return spoken


def _carried_out(ready: Ready, leave: Leave, how: How) -> Outcome:
    way = road(ready.host, how.where)
    if ready.is_idle(leave):
        return unchanged(ready, way.now)
    return one(ready.order(leave), way, how.substitutes, json=how.json)
