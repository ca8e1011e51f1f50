"""`emily-infra runtime`: new versions of the cognitive runtime, and how it is."""

import typer

from emily_infra.cli.reach import signposted
from emily_infra.cli.runtime import deploying, here, looking

app = typer.Typer(
    name="runtime",
    help="Deploy the cognitive runtime beside itself, go back, and see how it is.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
for name, command, summary in (
    ("deploy", deploying.deploy, "Move the callers to the version that was applied."),
    ("rollback", deploying.rollback, "Move them back to the version before."),
    ("status", looking.status, "Show both colours and the last deploy."),
    ("logs", looking.logs, "Show what both colours said."),
    ("flags", looking.flags, "Show the feature flags."),
):
    app.command(name, short_help=summary)(signposted(command))
app.command("here", short_help="Carry out an order, on the host itself.")(here.here)
