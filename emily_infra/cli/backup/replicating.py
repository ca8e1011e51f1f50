"""`emily-infra backup replicate`."""

from typing import TYPE_CHECKING, Annotated

import typer

from emily_infra.cli.arguments import Json
from emily_infra.cli.backup.opening import here
from emily_infra.cli.output import complain, printable, report, report_json

if TYPE_CHECKING:
    from emily_infra.backup.progress import Going
    from emily_infra.backup.replication.courier import Progress
    from emily_infra.backup.replication.replicate import Outcome


def replicate(
    context: typer.Context,
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="A second host of backup.replicas.")
    ],
    anew: Annotated[
        list[str] | None,
        typer.Option(
            "--anew",
            metavar="DATASET",
            help="Send all of DATASET, which was sent before and is gone over there.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Send snapshots to a second ZFS host: what changed since the last one that got there.

    What broke off goes on where it stopped. Nothing over there is ever overwritten or destroyed.
    """
    from emily_infra.backup.here import named
    from emily_infra.backup.replication.faults import SomeBehind
    from emily_infra.backup.replication.replicate import Wish
    from emily_infra.backup.replication.replicate import replicate as replicated
    from emily_infra.cli.backup.watching import going

    host = here(context)
    for dataset in anew or ():
        named(host.settings.datasets, dataset, "dataset")
    with going(target) as told:
        wish = Wish(frozenset(anew or ()), watch=lambda each: told(_going(each)))
        outcomes = replicated(host, target, wish)
    if json:
        report_json([_as_data(each) for each in outcomes])
    else:
        for each in outcomes:
            report(_as_text(each))
    behind = [each for each in outcomes if each.error]
    for error in {id(each.error): each.error for each in behind}.values():
        if error:
            complain(f"{error.code}: {error}", error.hint)
    if behind:
        raise SomeBehind(
            f"{len(behind)} of {len(outcomes)} datasets did not get to {target}",
            hint=f"what stands above says why; then: emily-infra backup replicate {target}",
        )


def _going(progress: "Progress") -> "Going":
    """A snapshot on its way, as any long run is shown."""
    from emily_infra.backup.progress import Going

    now = f"{progress.dataset}@{progress.snapshot}"
    return Going(progress.done, progress.total or 0, now=now)


def _as_text(outcome: "Outcome") -> str:
    newest = f"{outcome.newest:%Y-%m-%d %H:%M:%SZ}" if outcome.newest else "nothing yet"
    sent = f"{outcome.snapshots} sent, {outcome.bytes / 1e6:.1f} MB" if outcome.bytes else "no news"
    word = "behind" if outcome.error else sent
    return printable(f"{outcome.dataset}: {word}; over there: {newest}")


def _as_data(outcome: "Outcome") -> dict[str, object]:
    error = outcome.error
    return {
        "dataset": outcome.dataset,
        "snapshots": outcome.snapshots,
        "bytes": outcome.bytes,
        "newest": outcome.newest.isoformat() if outcome.newest else None,
        "error": {"code": error.code, "message": str(error), "hint": error.hint} if error else None,
    }
