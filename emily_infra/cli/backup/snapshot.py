"""`emily-infra backup snapshot`."""

from typing import TYPE_CHECKING, Annotated

import typer

from emily_infra.backup.occasion import Occasion
from emily_infra.cli.arguments import Json
from emily_infra.cli.backup.kept import ended, run_data
from emily_infra.cli.backup.opening import here
from emily_infra.cli.output import report, tell_json

if TYPE_CHECKING:
    from emily_infra.backup.upkeep import Run

Wait = Annotated[
    float, typer.Option("--wait", metavar="SECONDS", min=0, help="How long for another run to end.")
]


def snapshot(
    context: typer.Context,
    reason: Annotated[
        Occasion,
        typer.Option("--reason", help="policy: what is due. apply: everything, at once."),
    ] = Occasion.POLICY,
    wait: Wait = 60.0,
    json: Json = False,
) -> None:
    """Take a snapshot of all datasets that are due, and let go what no policy keeps any more.

    All of a pool are taken at one instant. With --reason apply everything is taken, due or not,
    and nothing goes. Exit codes: 0 done, 3 done but something needs a look, 7 another run is at
    work, 1 an error.
    """
    from emily_infra.backup.upkeep import Order, upkeep

    runs = upkeep(here(context), Order(occasion=reason, wait=wait))
    if json:
        tell_json([run_data(run) for run in runs])
    else:
        for run in runs:
            report(_line(run))
    raise typer.Exit(ended(runs))


def _line(run: "Run") -> str:
    gone = sum(len(done.destroyed) for done in run.expired)
    words = [f"{len(run.taken)} taken as {run.taken[0].name}" if run.taken else "none was due"]
    if run.trouble and not run.taken:
        words = ["none taken"]
    words += [f"{gone} expired"] if gone else []
    waiting = sum(done.waiting for done in run.expired)
    words += [f"{waiting} wait until the pool is whole"] if waiting else []
    return f"{run.pool}: {', '.join(words)}"
