"""`emily-infra lab`: the machine that a host is rehearsed on."""

import os
from textwrap import fill
from typing import TYPE_CHECKING, Annotated

import typer

from emily_infra.cli.arguments import Host, Json
from emily_infra.cli.output import say, tell, tell_json, width

if TYPE_CHECKING:
    from emily_infra.lab import Lab, Plan, Status

app = typer.Typer(
    name="lab",
    help="Boot a machine that stands in for a host, and rehearse on it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command(short_help="Start the machine.")
def up(
    host: Host,
    memory: Annotated[int, typer.Option(help="MiB that the machine gets.", min=512)] = 2048,
    mirror: Annotated[
        str | None,
        typer.Option(
            envvar="EMILY_LAB_MIRROR",
            help="Where Debian comes from; if not said, what apt here is set up with.",
        ),
    ] = None,
) -> None:
    """Start the lab of HOST: its disks as sparse files, its network cards and the world behind.

    The first time it builds the image of the machine, which takes some minutes.
    """
    from emily_infra.lab import Lab

    lab = Lab(host)
    lab.up(_plan(host, memory), mirror, say)
    status = lab.status()
    _describe(status)
    if status.left_out:
        say(f"{len(status.left_out)} things are not played; see: emily-infra lab status {host}")
    say(f"next: emily-infra apply --lab {host}, or emily-infra lab ssh {host}")


@app.command(short_help="Switch the machine off.")
def down(host: Host) -> None:
    """Switch the lab of HOST off in good order; its disks stay."""
    from emily_infra.lab import Lab

    lab = Lab(host)
    _must_exist(lab)
    lab.down()
    say(f"the lab of {host} is off; its disks stay until: emily-infra lab reset {host}")


@app.command(short_help="Forget everything on the machine.")
def reset(host: Host) -> None:
    """Delete the lab of HOST: the next `up` begins with blank disks and the first generation."""
    from emily_infra.lab import Lab

    lab = Lab(host)
    _must_exist(lab)
    lab.reset()
    say(f"the lab of {host} is gone; begin anew with: emily-infra lab up {host}")


@app.command(short_help="Log in to the machine.")
def ssh(
    host: Host,
    command: Annotated[
        list[str] | None, typer.Argument(help="What to run there; a shell if nothing is named.")
    ] = None,
    console: Annotated[
        bool,
        typer.Option("--console", help="By a way that the host's network cannot cut."),
    ] = False,
) -> None:
    """Log in to the lab of HOST as the operator does, through the host's own network."""
    import shlex

    from emily_infra.lab import Lab

    lab = Lab(host)
    lab.must_run()
    target = lab.console() if console else lab.target()
    # One word is a line for the shell there, as with ssh; several are one command.
    words = [command[0] if len(command) == 1 else shlex.join(command)] if command else []
    program = ["ssh", *target.options(), "-o", "ConnectTimeout=20", target.address, *words]
    os.execvp("ssh", program)  # noqa: S606, S607 (the user's own ssh, in place of this program)


@app.command(short_help="Show how the machine is.")
def status(host: Host, json: Json = False) -> None:
    """Show whether the lab of HOST runs, how to reach it, and what it does not play."""
    from dataclasses import asdict

    from emily_infra.lab import Lab

    found = Lab(host).status()
    if json:
        tell_json(asdict(found))
        return
    _describe(found)
    if found.exercised:
        played = f"played      {len(found.exercised)} options: {', '.join(found.exercised)}"
        tell(fill(played, width(), subsequent_indent=" " * 12, break_on_hyphens=False))
    for line in found.left_out:
        tell(f"not played  {line}")


def _plan(name: str, memory: int) -> "Plan":
    from emily_infra.cli.look import the_host
    from emily_infra.lab import Plan

    root, host = the_host(name)
    return Plan(host, root, memory)


def _must_exist(lab: "Lab") -> None:
    from emily_infra.lab.faults import NotUp

    if not lab.exists:
        raise NotUp(f"{lab.name} has no lab", hint=f"emily-infra lab up {lab.name}")


def _describe(status: "Status") -> None:
    tell(f"lab         {status.name}: {'running' if status.running else 'off'}")
    tell(f"processor   {status.accelerator}, started in {status.boot_seconds:.0f} s")
    tell(f"operator    127.0.0.1:{status.operator_port}")
    tell(f"console     127.0.0.1:{status.console_port}")
    if status.generation:
        tell(f"generation  {status.generation}")
