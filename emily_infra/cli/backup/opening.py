"""The way from the command line to the host that it runs on."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from emily_infra.cli.output import mention

if TYPE_CHECKING:
    from emily_infra.backup.here import Here


def here(context: typer.Context) -> "Here":
    """This host, as the file of --config describes it."""
    from emily_infra.backup.here import Here
    from emily_infra.backup.settings import load

    given = os.environ.get("CREDENTIALS_DIRECTORY")
    return Here(
        load(context.obj),
        tell=mention,
        credentials=Path(given) if given else None,
    )
