"""`emily-infra backup verify`."""

from typing import Annotated

import typer

from emily_infra.cli.arguments import Json
from emily_infra.cli.backup.init import Repository
from emily_infra.cli.backup.opening import here
from emily_infra.cli.output import report, tell_json

Wait = Annotated[
    float, typer.Option(metavar="SECONDS", help="How long to wait for who else works on it.")
]


def verify(
    context: typer.Context, repository: Repository, wait: Wait = 7200.0, json: Json = False
) -> None:
    """Check a repository, and read back the share of its data that waits longest.

    An error is read twice before it counts. Exit codes: 0 all is well, 4 data is lost (the packs
    and files are named), 7 somebody else works on it, 1 it could not be read.
    """
    from emily_infra.backup.verify import verify as verified

    done = verified(here(context), repository, wait=wait)
    if json:
        tell_json(
            {"repository": repository, "shares": done.shares, "of": done.of,
             "oldest": done.oldest.isoformat()}
        )  # fmt: skip
        return
    read = " and ".join(f"{share}/{done.of}" for share in done.shares)
    report(
        f"repository {repository}: checked, and share {read} read; "
        f"all was read since {done.oldest:%Y-%m-%d %H:%MZ}, or waits since then"
    )
