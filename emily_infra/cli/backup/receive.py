"""`emily-infra backup receive`."""

import os
from typing import Annotated

import typer

from emily_infra.cli.backup.opening import here
from emily_infra.cli.output import tell

_REQUEST = "SSH_ORIGINAL_COMMAND"


def receive(
    context: typer.Context,
    sender: Annotated[
        str, typer.Argument(metavar="SENDER", help="A host of backup.receives in host.yaml.")
    ],
) -> None:
    """Take in what SENDER sends. For the authorized_keys of its key, not for people.

    What is asked comes with the SSH connection, and its stream on standard input. A sender can have
    the state of its own datasets told and add snapshots to them: nothing else can be asked.
    """
    from emily_infra.backup.replication.inlet import Inlet
    from emily_infra.backup.replication.receive import answer

    reply = answer(here(context), sender, os.environ.get(_REQUEST, ""), Inlet(0))
    tell(reply.model_dump_json())
