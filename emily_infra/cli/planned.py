"""A plan as a person reads it: the verdict first, then dangers, changes, and what to type next."""

import shlex
import textwrap
from collections import Counter
from collections.abc import Iterator

import typer

from emily_infra.cli.options_text import cropped, files, sign
from emily_infra.cli.output import printable, width
from emily_infra.cli.reach import Where
from emily_infra.plan.model import (
    Activation,
    Cause,
    Change,
    Danger,
    FieldChange,
    Hazard,
    Need,
    PackageChange,
    Plan,
    Sign,
    Step,
    Touch,
    UnitAction,
    Weight,
)  # fmt: skip
from emily_infra.spec.units import approximately

_MANY = 12
_CAUSES = {
    Cause.TOOLKIT: "emily-infra itself renders this otherwise now; no field changed",
    Cause.BY_HAND: "files beside host.yaml, changed by hand",
    Cause.WORDS: "host.yaml reads otherwise and says the same",
    Cause.PROGRAMS: "the same description; nixpkgs or the flake is another",
    Cause.FIRST: "the first deploy: the host does not say what it was made from",
}
_ACTIONS = {
    UnitAction.STOP: Sign.REMOVED,
    UnitAction.RESTART: Sign.CHANGED,
    UnitAction.RELOAD: Sign.CHANGED,
    UnitAction.START: Sign.ADDED,
}
_COLOURS = {Weight.STOP: "red", Weight.FLAG: "red", Weight.WARN: "yellow"}
_HERE = Where()
_HAZARDS = {Hazard.SAFE: "green", Hazard.DISRUPTIVE: "yellow", Hazard.IRREVERSIBLE: "magenta"}


def as_text(plan: Plan, where: Where = _HERE, *, detailed: bool) -> Iterator[str]:
    """Everything but the last line, which is for whoever knows how this was called."""
    first = textwrap.wrap(f"{plan.host}: {verdict(plan)}", width(), subsequent_indent="  ")
    yield from (typer.style(line, bold=True) for line in first)
    yield from _part("Watch out", _dangers(plan, where))
    yield from _part("What changes", _changes(plan, detailed=detailed))
    yield from _part("Units", _units(plan, detailed=detailed))
    yield from _part("Packages", _packages(plan, detailed=detailed))
    yield from _part("Storage", _storage(plan, where, detailed=detailed))
    yield from _part("Reboot", _reboot(plan))
    yield from _part("Your connection", _access(plan))
    yield from _part("Not known", (line for note in plan.notes for line in _wrapped(note, 2)))
    if detailed:
        yield from _part("Files", (_painted(line) for line in plan.diff))


def verdict(plan: Plan) -> str:
    """What apply would do, in one line."""
    told = sum(not step.hazard.runs for step in plan.steps)
    if plan.is_noop and told:
        return f"nothing to do for apply; {_counted(told, 'storage step')} left to a person, below"
    if plan.is_noop:
        return "nothing to do, it runs what host.yaml describes"
    refused = plan.weighing(Weight.STOP) or plan.weighing(Weight.FLAG)
    words = ["apply would refuse: " + ", ".join(each.name for each in refused)] if refused else []
    match plan.activation:
        case Activation.COMMIT:
            words.append("it runs already, only profile and boot loader are to follow")
        case Activation.SWITCH | Activation.REBOOT:
            words.append(_counted(sum(len(c.fields) or 1 for c in plan.changes), "change"))
    if plan.to_run:
        final = sum(step.hazard is Hazard.IRREVERSIBLE for step in plan.to_run)
        steps = _counted(len(plan.to_run), "storage step")
        words.append(f"{steps} ({final} irreversible)" if final else steps)
    if disturbed := sum(
        each.action in (UnitAction.STOP, UnitAction.RESTART) for each in plan.units
    ):
        words.append(f"{_counted(disturbed, 'unit')} restart or stop")
    if plan.activation is not Activation.COMMIT:
        words.append(
            {Need.NO: "no reboot", Need.LATER: "reboot later", Need.FIRST: "only by a reboot"}[
                plan.reboot.need
            ]
        )
    return ", ".join(words)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _part(title: str, lines: Iterator[str]) -> Iterator[str]:
    body = list(lines)
    if body:
        yield from ("", typer.style(title, bold=True), *body)


def _wrapped(text: str, indent: int) -> list[str]:
    room = " " * indent
    return textwrap.wrap(
        printable(text), width(), initial_indent=room, subsequent_indent=room,
        break_on_hyphens=False, break_long_words=False,
    )  # fmt: skip


def _dangers(plan: Plan, where: Where) -> Iterator[str]:
    for danger in plan.dangers:
        yield f"  {_mark(danger)} {danger.name}"
        yield from _wrapped(danger.message, 4)
        if danger.hint:
            yield from _wrapped(f"hint: {where.said(danger.hint)}", 4)


def _mark(danger: Danger) -> str:
    word = {Weight.STOP: "refused", Weight.FLAG: "refused", Weight.WARN: "warning"}[danger.weight]
    return typer.style(word, fg=_COLOURS[danger.weight], bold=danger.weight is not Weight.WARN)


def _changes(plan: Plan, *, detailed: bool) -> Iterator[str]:
    for change in plan.changes:
        yield from _cause(change)
        shown = () if change.cause is Cause.FIRST and not detailed else change.files
        yield from files(shown, 6, detailed=detailed)


def _cause(change: Change) -> Iterator[str]:
    if change.cause is Cause.TOGETHER and len(change.fields) > 1:
        yield "  these only together:"
    for field in change.fields:
        yield cropped(f"  {sign(field.sign)} {_field(field)}")
    if not change.fields:
        yield from _wrapped(_CAUSES.get(change.cause, change.cause.value), 2)


def _field(field: FieldChange) -> str:
    match field.sign:
        case Sign.CHANGED:
            return printable(f"{field.place}: {field.old} -> {field.new}")
        case Sign.ADDED:
            return printable(f"{field.place}: {field.new}")
    return printable(f"{field.place}: {field.old}")


def _units(plan: Plan, *, detailed: bool) -> Iterator[str]:
    kept = [each for each in plan.units if each.action is UnitAction.KEEP]
    rest = [each for each in plan.units if each.action is not UnitAction.KEEP]
    shown = rest if detailed else rest[: 2 * _MANY]
    longest = min(max((len(each.unit) for each in shown), default=0), 44)
    for each in shown:
        why = ", ".join(each.why)
        name = printable(each.unit)
        line = f"  {sign(_ACTIONS[each.action])} {each.action.value:<8} {name:<{longest}}  {why}"
        yield cropped(line.rstrip())
    if len(shown) < len(rest):
        yield f"    and {len(rest) - len(shown)} more (--detailed)"
    if kept:
        names = ", ".join(each.unit for each in kept)
        yield from _wrapped(f"left alone though changed, until a restart by hand: {names}", 2)


def _packages(plan: Plan, *, detailed: bool) -> Iterator[str]:
    found = plan.packages
    if not (found.changes or found.rebuilt):
        return
    first = sorted(found.changes, key=lambda each: each.sign is not Sign.CHANGED)
    for each in first if detailed else first[:_MANY]:
        yield cropped(f"  {sign(each.sign)} {_package(each)}")
    if not detailed and len(first) > _MANY:
        yield f"    and {len(first) - _MANY} more (--detailed)"
    if detailed and found.rebuilt:
        yield from _wrapped(f"rebuilt: {', '.join(found.rebuilt)}", 2)
    count = Counter(each.sign for each in found.changes)
    words = [
        f"{count[kind]} {word}"
        for kind, word in (
            (Sign.CHANGED, "changed"), (Sign.ADDED, "added"), (Sign.REMOVED, "removed"),
        )
        if count[kind]
    ]  # fmt: skip
    words += [f"{len(found.rebuilt)} rebuilt"] if found.rebuilt else []
    words += [f"{approximately(found.copied)} to copy"] if found.copied else []
    yield f"  {', '.join(words)}"


def _package(each: PackageChange) -> str:
    old, new = ", ".join(each.old), ", ".join(each.new)
    return printable(f"{each.name} {old}{' -> ' if old and new else ''}{new}")


def _storage(plan: Plan, where: Where, *, detailed: bool) -> Iterator[str]:
    for step in plan.steps:
        yield from _step(step, where)
    if plan.foreign:
        names = plan.foreign if detailed else plan.foreign[:_MANY]
        more = len(plan.foreign) - len(names)
        rest = f" and {more} more (--detailed)" if more else ""
        yield from _wrapped(f"not in host.yaml, left alone: {', '.join(names)}{rest}", 2)


def _step(step: Step, where: Where) -> Iterator[str]:
    hazard = typer.style(step.hazard.value, fg=_HAZARDS.get(step.hazard, "red"))
    yield f"  {hazard}: {printable(step.title)}"
    yield from _wrapped(where.said(step.why), 4)
    if step.word:
        yield from _wrapped(_asked(step), 4)
    for command in step.commands:
        told = "" if step.hazard.runs else "not run by apply: "
        yield f"    {told}{printable(shlex.join(command))}"
    if step.undo:
        yield from _wrapped(f"undo: {step.undo}", 4)


def _asked(step: Step) -> str:
    if step.offered:
        return f"only if you ask for it: --accept {step.word}"
    return f"only on your word: type the pool's name when asked, or --accept {step.word}"


def _reboot(plan: Plan) -> Iterator[str]:
    match plan.reboot.need:
        case Need.LATER:
            yield "  the switch works without; these count from the next boot on:"
        case Need.FIRST:
            yield "  it cannot be switched while it runs:"
    for reason in plan.reboot.reasons:
        yield from _wrapped(f"- {reason}", 4)


def _access(plan: Plan) -> Iterator[str]:
    way = plan.access
    colour = {Touch.UNTOUCHED: "green", Touch.TOUCHED: "yellow", Touch.CUT: "red"}[way.touch]
    first, *rest = _wrapped(f"{way.touch.value}: {way.via}", 2)
    yield first.replace(way.touch.value, typer.style(way.touch.value, fg=colour), 1)
    yield from rest
    for reason in way.why:
        yield from _wrapped(f"- {reason}", 4)
    if way.touch is not Touch.UNTOUCHED:
        checked = f"checked afterwards at {way.verify_address} port {way.verify_port}"
        yield from _wrapped(checked, 4)


def _painted(line: str) -> str:
    return typer.style(printable(line), fg={"+": "green", "-": "red", "@": "cyan"}.get(line[:1]))
