"""`emily-infra plan`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emily_infra.cli.arguments import Host, Json
from emily_infra.cli.check import checked
from emily_infra.cli.output import as_text as findings_as_text
from emily_infra.cli.output import complain, say, tell
from emily_infra.cli.reach import Lab, Via, Where
from emily_infra.errors import EmilyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emily_infra.apply.decide import Leave
    from emily_infra.plan import Built, Means, Plan
    from emily_infra.spec import host as spec

PENDING = 2
"""The exit code of a plan with something in it."""


class StaleRender(EmilyError):
    """The committed files are not what host.yaml renders to."""

    code = "PLN004"


def plan(
    host: Host,
    out: Annotated[
        Path | None, typer.Option("--out", help="Also write it to a file, for apply --plan.")
    ] = None,
    detailed: Annotated[
        bool, typer.Option("--detailed", help="All options, units, packages and file diffs.")
    ] = False,
    via: Via = "",
    lab: Lab = False,
    json: Json = False,
) -> None:
    """Show every change that apply would make to HOST, with its cause, its reach and its hazard.

    Builds the system here, asks the host once, changes nothing. Exit codes: 0 nothing to do, 2
    changes pending, 1 an error.
    """
    from emily_infra.plan import to_json

    where = Where(lab, via)
    root, described = sound(host)
    if out:
        _takes_a_file(out)
    made = made_plan(root, described, where)
    text = to_json(made)
    try:
        _show(made, described, where, detailed=detailed) if not json else tell(text.rstrip("\n"))
    finally:  # though nobody reads what is shown to its end, the file was asked for
        if out:
            write(out, text)
    if not json:
        tell(following(made, described, out, where))
    raise typer.Exit(0 if made.is_noop else PENDING)


def _takes_a_file(out: Path) -> None:
    """Before minutes are spent on a build, whether there is a place for what comes of it."""
    wrong = "" if out.parent.is_dir() else f"there is no folder {out.parent}"
    if wrong := wrong or ("it is a folder" if out.is_dir() else ""):
        raise typer.BadParameter(f"{out} cannot be written: {wrong}", param_hint="--out")


def _show(made: "Plan", host: "spec.Host", where: Where, *, detailed: bool) -> None:
    from emily_infra.cli.planned import as_text

    for line in as_text(made, where, detailed=detailed):
        tell(line)
    tell("")
    for line in about_reboot(made, host, where):
        tell(line)


def sound(name: str) -> "tuple[Path, spec.Host]":
    """The project and a host that may be built: no finding blocks it, and it is rendered."""
    from emily_infra.render import render
    from emily_infra.render.folder import diff
    from emily_infra.render.templates import Templates

    root, fleet, findings = checked([name])
    blocking = [finding for finding in findings if finding.blocks]
    if blocking or name not in fleet:
        for line in findings_as_text(blocking):
            say(line)
        complain(f"{name} cannot be built", "mend the errors above first")
        raise typer.Exit(1)
    if next(diff(root, render(fleet[name], Templates())), None):
        raise StaleRender(
            f"hosts/{name}/generated is not what hosts/{name}/host.yaml comes to",
            hint=f"emily-infra render {name} && git diff hosts/{name}",
        )
    return root, fleet[name]


def made_plan(root: Path, host: "spec.Host", where: Where) -> "Plan":
    """Build first, then look at the host: one connection, one command."""
    import time

    from emily_infra import plan as planning
    from emily_infra.cli.look import look_to_plan
    from emily_infra.observe import EVERYTHING, Question

    built = built_system(root, host, where)
    seen = look_to_plan(host, Question(expected=built.toplevel, wants=EVERYTHING), where)
    return planning.plan(host, built, seen, means(time.time()))


def means(now: float) -> "Means":
    """Nix, and the operator's own time when the host was asked."""
    from emily_infra.machine import Local
    from emily_infra.plan import Means, by_nix

    return Means(evaluate=by_nix(Local()), clock=now)


def built_system(root: Path, host: "spec.Host", where: Where) -> "Built":
    """The system that the flake, or the lab's builder, makes of a host."""
    from emily_infra.apply.build import Flake
    from emily_infra.apply.build import Lab as LabSystem

    return (LabSystem(root) if where.lab else Flake(root)).build(host)


def write(path: Path, text: str) -> None:
    """A plan says much about a host: a file for its owner alone, there as a whole or not at all."""
    import os
    import tempfile

    fresh = None
    try:
        handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(fresh).replace(path)
    except OSError as error:  # of a name that nobody has given
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        if fresh:
            Path(fresh).unlink(missing_ok=True)


def about_reboot(
    made: "Plan", host: "spec.Host", where: Where, leave: "Leave | None" = None
) -> "Iterator[str]":
    """Whether apply starts the machine again, or leaves that to a person, who is told how."""
    from emily_infra.apply.decide import Leave, pending, reboots

    given = leave or Leave()
    allowed = given.reboot or host.spec.deploy.reboot == "allowed"
    if allowed and reboots(host, made, given):
        by = "--reboot" if given.reboot else "deploy.reboot: allowed"
        yield f"apply reboots {host.name} ({by})"
    elif pending(made):
        again = f"emily-infra apply {host.name} --reboot"
        yield where.said(f"a reboot stays to be done, when it suits: {again}")


def following(made: "Plan", host: "spec.Host", out: Path | None, where: Where) -> str:
    """What to type next."""
    import shlex

    from emily_infra.plan import Activation, Weight

    if made.is_noop:
        whole = all(step.hazard.runs for step in made.steps)
        left = f"{host.name} is as it should be" if whole else "the storage steps above are yours"
        return f"next: nothing for apply; {left}"
    if stops := made.weighing(Weight.STOP):
        again = f"emily-infra plan {host.name}"
        return where.said(f"next: mend what is refused above ({stops[0].name}), then: {again}")
    command = ["emily-infra", "apply", host.name]
    command += ["--plan", str(out)] if out else []
    if made.activation is Activation.REBOOT and host.spec.deploy.reboot == "manual":
        command.append("--reboot")
    flags = made.weighing(Weight.FLAG)
    for danger in flags:
        command += ["--accept", danger.name]
    first = "mend what is refused above; or, knowing better: " if flags else ""
    return where.said(f"next: {first}{shlex.join(command)}")
