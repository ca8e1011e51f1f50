"""`emily-infra backup mount`."""

import signal
from pathlib import Path
from typing import Annotated

import typer

from emily_infra.cli.backup.opening import here
from emily_infra.cli.output import mention


def mount(
    context: typer.Context,
    source: Annotated[
        str, typer.Argument(metavar="DATASET@SNAPSHOT|REPOSITORY", help="What to look into.")
    ],
    place: Annotated[Path, typer.Argument(metavar="PLACE", help="An empty or a new folder.")],
) -> None:
    """Show a snapshot, or the copies in a repository, as a folder to look around in, until Ctrl-C.

    Nothing can be changed in it. In a repository, each copy is below ids/ and snapshots/.
    """
    from emily_infra.backup.mounting import repository_shown, snapshot_shown

    host = here(context)
    where = Path.cwd() / place
    try:
        if "@" in source:
            with snapshot_shown(host, source, where) as found:
                mention(f"{where}: {found.full} of {found.creation:%Y-%m-%d %H:%M} UTC, read-only")
                mention("Ctrl-C ends it; meanwhile the snapshot is held")
                signal.pause()
        else:
            mention(f"{where}: the copies in {source}, read-only; Ctrl-C ends it")
            repository_shown(host, source, where)
    except KeyboardInterrupt:
        mention(f"{where}: closed")
