"""The command line: parse, call, print; nothing else.

What a command needs is imported inside it, so that `--version` and completion stay quick.
"""

import sys
from typing import Annotated, Any

import typer

from emily_infra import __version__
from emily_infra.cli import (
    apply,
    backup,
    capacity,
    check,
    disk,
    drift,
    explain,
    generations,
    history,
    init,
    install,
    lab,
    plan,
    render,
    rollback,
    runtime,
    show,
    status,
    storage,
)
from emily_infra.cli.output import complain, silence
from emily_infra.cli.reach import signposted
from emily_infra.cli.stopping import BY_HAND, Stopped
from emily_infra.errors import EmilyError

app = typer.Typer(
    name="emily-infra",
    help="Describe a NixOS storage-and-AI box in one YAML file; check it, render it.",
    epilog="Begin with: emily-infra init HOST",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command, summary in (
    (init.init, "Write a commented starter host.yaml."),
    (check.check, "Check host.yaml like source code."),
    (render.render, "Render host.yaml to plain NixOS modules."),
    (show.show, "Show what a host is, on one screen."),
    (install.install, "Install a host on blank disks."),
    (plan.plan, "Show what apply would change, and why."),
    (apply.apply, "Make hosts what their host.yaml says."),
    (rollback.rollback, "Put a host back to an older generation."),
    (status.status, "Show how machines are."),
    (drift.drift, "Compare a machine with its host.yaml."),
    (generations.generations, "List a host's generations."),
    (history.history, "Show what a host recorded of deploys."),
    (capacity.capacity, "Say what the pools will hold, to the byte."),
    (explain.explain, "Tell the story behind a finding's code."),
    (show.schema, "Print the JSON Schema of host.yaml."),
):
    app.command(short_help=summary)(signposted(command))
app.add_typer(storage.app, short_help="Create the pools that host.yaml describes.")
app.add_typer(disk.app, short_help="List, find, take out and replace disks.")
app.add_typer(backup.app, short_help="Snapshots, copies and restores, on the host itself.")
app.add_typer(runtime.app, short_help="The cognitive runtime: new versions, and how it is.")
app.add_typer(lab.app, short_help="Rehearse on a machine that stands in for a host.")

UsageError: Any = typer.BadParameter.__bases__[0]
"""Of click, or of the copy of click that typer carries: whichever this typer uses."""


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"emily-infra {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of a bug in this program.")
    ] = False,
) -> None:
    """Hold the options that stand before a command; `run` reads --debug itself."""


def run() -> int:
    """Run one command and return its exit code; an error is two lines, never a traceback."""
    try:
        code: int = app(prog_name="emily-infra", standalone_mode=False) or 0
        sys.stdout.flush()
        if code == BY_HAND:  # typer's own answer to a Ctrl-C
            raise Stopped
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        _report(error)
        return getattr(error, "exit_code", 1) if isinstance(error, EmilyError | Stopped) else 1
    return code


def _report(error: Exception) -> None:
    match error:
        case EmilyError():
            complain(f"{error.code}: {error}", error.hint)
        case UsageError():
            error.show()
        case typer.Abort():
            complain("stopped; no host was changed", "run the same command again")
        case Stopped():
            complain(f"stopped by hand{error.so_far}", "run the same command again")
        case BrokenPipeError():
            silence(sys.stdout)  # the reader has seen enough
        case OSError():
            silence(sys.stdout)
            where = f"{error.filename}: " if error.filename else ""
            hint = "look at the disk and its permissions: df -h"
            complain(f"{where}{error.strerror or error}", hint)
        case _:
            text = f"BUG: {type(error).__name__}: {error}".splitlines()[0]
            complain(text, "this is a fault of emily-infra; run again with --debug and report it")
