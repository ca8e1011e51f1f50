"""`emily-infra backup init`."""

from pathlib import Path
from typing import Annotated

import typer

from emily_infra.cli.backup.opening import here
from emily_infra.cli.output import report

Repository = Annotated[
    str, typer.Argument(metavar="REPOSITORY", help="A name of host.yaml's backup.offsite.")
]


def init(
    context: typer.Context,
    repository: Repository,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Take the one that is there, whatever its id was.")
    ] = False,
    second_password: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A second password that shall open it too."),
    ] = None,
) -> None:
    """Make a new repository where there is none; nothing else ever makes one.

    A second password that is kept elsewhere opens it when the host is gone with the first one.
    """
    from emily_infra.backup.restic.repository import (
        adopt as adopted,
    )
    from emily_infra.backup.restic.repository import (
        give_second_password,
        initialise,
    )

    host = here(context)
    found = adopted(host, repository) if adopt else initialise(host, repository)
    report(f"repository {repository} is {found[:10]}")
    if second_password is not None:
        give_second_password(host, repository, second_password)
        report("it opens with the second password too; keep that far from this host")
    elif not adopt:
        report("keep its password in a second place: without it nobody can read what is there")
