"""`emily-infra backup prune`."""

from typing import TYPE_CHECKING, Annotated

import typer

from emily_infra.cli.arguments import Json
from emily_infra.cli.backup.init import Repository
from emily_infra.cli.backup.opening import here
from emily_infra.cli.backup.verify import Wait
from emily_infra.cli.output import report, tell, tell_json

if TYPE_CHECKING:
    from emily_infra.backup.prune import Pruned


def prune(
    context: typer.Context,
    repository: Repository,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show which copies stay, why, and which go.")
    ] = False,
    wait: Wait = 7200.0,
    json: Json = False,
) -> None:
    """Forget the copies of this host that no rule keeps, and remove their data.

    Nothing goes while the newest copy is old or not complete. Copies of other hosts and jobs are
    never touched. Exit codes: 0 done, 7 somebody else works on it, 1 nothing went, or an error.
    """
    from emily_infra.backup.prune import prune as pruned
    from emily_infra.backup.prune import would_prune

    host = here(context)
    done = would_prune(host, repository) if dry_run else pruned(host, repository, wait=wait)
    if json:
        tell_json(_data(repository, done))
    elif dry_run:
        _show(done)
        tell(f"{repository}: {done.gone} of {len(done.fates)} copies would go")
    else:
        report(f"{repository}: {done.gone} of {len(done.fates)} copies forgotten")
        for line in done.said:
            report(f"  {line}")


def _show(done: "Pruned") -> None:
    from emily_infra.cli.look import cell, show, table

    shown = table("copy", "of", "kept as")
    for fate in done.fates:
        why = ", ".join(fate.reasons)
        shown.add_row(
            cell(fate.copy.id[:8]),
            cell(f"{fate.copy.time:%Y-%m-%d %H:%M:%SZ}"),
            cell(why) if why else cell("goes", "red"),
        )
    show(shown)


def _data(repository: str, done: "Pruned") -> dict[str, object]:
    return {
        "repository": repository,
        "copies": [
            {"id": fate.copy.id, "time": fate.copy.time.isoformat(), "reasons": fate.reasons}
            for fate in done.fates
        ],
        "said": done.said,
    }
