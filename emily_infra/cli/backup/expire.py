"""`emily-infra backup expire`."""

from typing import TYPE_CHECKING, Annotated

import typer

from emily_infra.cli.arguments import Json
from emily_infra.cli.backup.kept import ended, run_data
from emily_infra.cli.backup.opening import here
from emily_infra.cli.backup.snapshot import Wait
from emily_infra.cli.output import report, tell, tell_json

if TYPE_CHECKING:
    from emily_infra.backup.expire import Expiry
    from emily_infra.backup.upkeep import Run


def expire(
    context: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what is kept, why, and what would go.")
    ] = False,
    clock_is_right: Annotated[
        bool,
        typer.Option("--clock-is-right", help="You looked: the time of this machine is true."),
    ] = False,
    many: Annotated[
        bool, typer.Option("--many", help="You looked: so many are to go at once.")
    ] = False,
    wait: Wait = 60.0,
    json: Json = False,
) -> None:
    """Destroy the snapshots of ours that no policy keeps any more.

    Never touched: snapshots that are not ours, held ones and cloned ones. Exit codes: 0 done, 3
    some are in use, 7 another run is at work, 1 an error, or something to be looked at first.
    """
    from emily_infra.backup.retention import Leave
    from emily_infra.backup.upkeep import Order, Work, foreseen, upkeep

    said = {Leave.CLOCK: clock_is_right, Leave.MANY: many}
    leave = frozenset(word for word, given in said.items() if given)
    host = here(context)
    runs = (
        foreseen(host, leave)
        if dry_run
        else upkeep(host, Order(Work.EXPIRE, leave=leave, wait=wait))
    )
    if json:
        tell_json([run_data(run) for run in runs])
    elif dry_run:
        _foretell(runs)
    else:
        for done in (each for run in runs for each in run.expired):
            report(_line(done))
    raise typer.Exit(ended(runs))


def _line(done: "Expiry") -> str:
    ours, gone = len(done.plan.ours), len(done.destroyed)
    words = [f"{gone} expired", f"{ours - gone} kept"]
    words += [f"{len(done.spared)} of them in use"] if done.spared else []
    words += [f"{done.waiting} wait until the pool is whole"] if done.waiting else []
    return f"{done.plan.dataset}: {', '.join(words)}"


def _foretell(runs: "list[Run]") -> None:
    from emily_infra.cli.look import cell, show, table

    for done in (each for run in runs for each in run.expired):
        shown = table("snapshot", "created", "kept as")
        plan = done.plan
        gone = 0
        for each in reversed(plan.ours):
            why = ", ".join(plan.verdict.kept.get(str(each.guid), ()))
            spared = done.spared.get(each.full, "")
            expires = not why and not spared
            gone += expires
            shown.add_row(
                cell(each.name),
                cell(f"{each.creation:%Y-%m-%d %H:%M:%SZ}"),
                cell("expires", "red") if expires else cell(why or spared),
            )
        words = "nothing goes before you have looked" if plan.stopped else f"{gone} would go"
        others = f", {plan.foreign} not ours and not touched" if plan.foreign else ""
        tell(f"{plan.dataset}: {len(plan.ours)} of ours, {words}{others}")
        if plan.ours:
            show(shown)
        tell("")
