"""`emily-infra backup restore`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emily_infra.backup.faults import DONE, INCOMPLETE
from emily_infra.cli.backup.opening import here
from emily_infra.cli.output import mention, printable, report

if TYPE_CHECKING:
    from emily_infra.backup.restoring.restore import Restored

_WHY = "a folder is where a file was, or a file, or another dataset is mounted there"

What = Annotated[
    str, typer.Argument(metavar="PATH|DATASET", help="Where it was, or a whole dataset.")
]
To = Annotated[
    str,
    typer.Option("--to", metavar="PLACE", help="Its new path, name included; or a new dataset."),
]
At = Annotated[
    datetime | None,
    typer.Option(
        "--at",
        metavar="TIME",
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"],
        help="As it was then (UTC): the newest version that is not younger.",
    ),
]
From = Annotated[
    str, typer.Option("--from", metavar="SNAPSHOT|ID", help="This snapshot, or this copy.")
]
Repository = Annotated[
    str, typer.Option("--repository", metavar="REPO", help="From there, not from this host.")
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace what is there, file by file.")
]
Fits = Annotated[bool, typer.Option("--fits", help="Do not measure the room; it is enough.")]


def restore(
    context: typer.Context,
    what: What,
    to: To,
    at: At = None,
    origin: From = "",
    repository: Repository = "",
    overwrite: Overwrite = False,
    fits: Fits = False,
) -> None:
    """Give back a file, a folder or a dataset, at a place of its own.

    It comes from the newest snapshot of this host that has it, else from a repository. Nothing
    that is there is written over. Exit codes: 0 done, 3 something is in the way of a file, 1 an
    error; after one, what was there is as it was.
    """
    from emily_infra.backup.everywhere import Asked
    from emily_infra.backup.restoring.restore import Onto, Order
    from emily_infra.backup.restoring.restore import restore as restored
    from emily_infra.backup.versions import place, root
    from emily_infra.cli.backup.watching import going

    host = here(context)
    wanted = root(host, what) if what in host.settings.datasets else place(host, Path(what))
    target = to if _is_dataset(to) else str(Path.cwd() / Path(to).expanduser())
    moment = at.replace(tzinfo=UTC) if at else None
    with going("restore") as progress:
        order = Order(
            wanted,
            target,
            Asked(moment, origin, repository),
            Onto.OVERWRITE if overwrite else Onto.NOTHING,
            fits,
            progress,
        )
        done = restored(host, order)
    _print(done)
    raise typer.Exit(INCOMPLETE if done.merged.refused else DONE)


def _is_dataset(place: str) -> bool:
    """POOL/NAME; a path below the folder one is in begins with a dot."""
    return not place.startswith(("/", ".", "~"))


def _print(done: "Restored") -> None:
    from emily_infra.spec.units import approximately

    size = approximately(done.measure.bytes)
    report(
        f"{printable(done.place)}: {done.measure.entries} entries, {size}, from "
        f"{done.version.name} of {done.version.at:%Y-%m-%d %H:%M} UTC"
    )
    if not done.place.startswith("/"):
        report(f"see it: mkdir /mnt/restored && mount -t zfs {done.place} /mnt/restored")
    if done.merged.replaced or done.merged.added:
        report(f"replaced {done.merged.replaced} files, added {done.merged.added}")
    for path in done.merged.refused:
        mention(f"{printable(str(path))}: left as it is: {_WHY}")
