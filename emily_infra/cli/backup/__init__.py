"""`emily-infra backup`: snapshots, copies elsewhere, restores; run on the host itself."""

import signal
from pathlib import Path
from typing import Annotated

import typer

from emily_infra.cli.backup import (
    drilling,
    evidence,
    expire,
    init,
    listing,
    mounting,
    offsite,
    prune,
    receive,
    recovering,
    replicating,
    restoring,
    snapshot,
    standing,
    verify,
)

app = typer.Typer(
    name="backup",
    help="Take snapshots, copy them elsewhere, and prove it by restoring. Runs on the host itself.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def backup(
    context: typer.Context,
    config: Annotated[
        Path, typer.Option("--config", metavar="FILE", help="What this host is told.")
    ] = Path("/etc/emily/host.json"),
) -> None:
    """Hold the option that every command here has."""
    context.obj = config
    # systemd's stop is a Ctrl-C: programs are asked to end, and take their locks away.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


app.command("snapshot", short_help="Take what is due, let go what is not kept.")(snapshot.snapshot)
app.command("expire", short_help="Destroy what no policy keeps any more.")(expire.expire)
app.command("list", short_help="List snapshots and copies.")(listing.listed)
app.command("status", short_help="Show which promises are kept.")(standing.status)
app.command("restore", short_help="Give back a file, a folder or a dataset.")(restoring.restore)
app.command("drill", short_help="Restore a share and compare it.")(drilling.drill)
app.command("mount", short_help="Look around in what was kept.")(mounting.mount)
app.command("evidence", short_help="Show the drills, and verify that log.")(evidence.evidence)
app.command("replicate", short_help="Send snapshots to a second host.")(replicating.replicate)
app.command("receive", short_help="Take in what another host sends.")(receive.receive)
app.command("offsite", short_help="Copy the newest snapshots to a repository.")(offsite.offsite)
app.command("recover", short_help="Bring all data back to an empty host.")(recovering.recover)
app.command("init", short_help="Make a new repository where there is none.")(init.init)
app.command("verify", short_help="Read back a share of a repository.")(verify.verify)
app.command("prune", short_help="Forget old copies and remove their data.")(prune.prune)
