"""`emily-infra backup list`."""

from typing import Annotated

import typer

from emily_infra.cli.arguments import Json
from emily_infra.cli.backup.opening import here
from emily_infra.cli.output import tell_json


def listed(
    context: typer.Context,
    dataset: Annotated[
        str, typer.Argument(metavar="DATASET", help="One dataset; all if none is named.")
    ] = "",
    json: Json = False,
) -> None:
    """List the snapshots of each dataset, the newest first."""
    from emily_infra.backup.catalogue import snapshots
    from emily_infra.backup.here import named
    from emily_infra.cli.look import cell, show, table

    host = here(context)
    if dataset:
        named(host.settings.datasets, dataset, "dataset")
    wanted = [dataset] if dataset else sorted(host.settings.datasets)
    found = [each for path in wanted for each in reversed(snapshots(host, path))]
    if json:
        tell_json([
            {"dataset": each.dataset, "snapshot": each.name, "created": each.creation.isoformat(),
             "held": each.holds > 0, "mine": each.mine} for each in found
        ])  # fmt: skip
        return
    shown = table("dataset", "snapshot", "created", "")
    for each in found:
        notes = ["held"] * bool(each.holds) + ["not ours"] * (not each.mine)
        created = f"{each.creation:%Y-%m-%d %H:%M:%SZ}"
        shown.add_row(cell(each.dataset), cell(each.name), cell(created), cell(", ".join(notes)))
    show(shown)
