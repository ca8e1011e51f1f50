"""`emily-infra plan`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emily_infra.cli.arguments import Host, Json
from emily_infra.cli.check import checked
from emily_infra.cli.output import as_text as findings_as_text
from emily_infra.cli.output import complain, say, tell
from emily_infra.cli.reach import Lab, Via
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

    root, described = sound(host)
    made = made_plan(root, described, lab=lab, via=via)
    text = to_json(made)
    if out:
        write(out, text)
    if json:
        tell(text.rstrip("\n"))
    else:
        from emily_infra.cli.planned import as_text

        for line in as_text(made, detailed=detailed):
            tell(line)
        tell("")
        for line in about_reboot(made, described, lab=lab):
            tell(line)
        tell(f"{following(made, described, out, lab=lab, via=via)}")
    raise typer.Exit(0 if made.is_noop else PENDING)


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


def made_plan(root: Path, host: "spec.Host", *, lab: bool, via: str = "") -> "Plan":
    """Build first, then look at the host: one connection, one command."""
    import time

    from emily_infra import plan as planning
    from emily_infra.cli.look import look_to_plan
    from emily_infra.observe import EVERYTHING, Question

    built = built_system(root, host, lab=lab)
    seen = look_to_plan(host, Question(expected=built.toplevel, wants=EVERYTHING), lab=lab, via=via)
    return planning.plan(host, built, seen, _means(time.time()))


def _means(now: float) -> "Means":
    from emily_infra.machine import Local
    from emily_infra.plan import Means, by_nix

    return Means(evaluate=by_nix(Local()), clock=now)


def built_system(root: Path, host: "spec.Host", *, lab: bool) -> "Built":
    """The system that the flake, or the lab's builder, makes of a host."""
    from emily_infra.apply.build import Flake
    from emily_infra.apply.build import Lab as LabSystem

    return (LabSystem(root) if lab else Flake(root)).build(host)


def write(path: Path, text: str) -> None:
    """A plan says much about a host: a file for its owner alone, there as a whole or not at all."""
    import os
    import tempfile

    handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(fresh).replace(path)
    except BaseException:
        Path(fresh).unlink(missing_ok=True)
        raise


def about_reboot(
    made: "Plan", host: "spec.Host", leave: "Leave | None" = None, *, lab: bool
) -> "Iterator[str]":
    """Whether apply starts the machine again, or leaves that to a person, who is told how."""
    from emily_infra.apply.decide import Leave, pending, reboots

    given = leave or Leave()
    allowed = given.reboot or host.spec.deploy.reboot == "allowed"
    if allowed and reboots(host, made, given):
        by = "--reboot" if given.reboot else "deploy.reboot: allowed"
        yield f"apply reboots {host.name} ({by})"
    elif pending(made):
        again = ["emily-infra", "apply", host.name, "--reboot", *(["--lab"] if lab else [])]
        yield f"a reboot stays to be done, when it suits: {' '.join(again)}"


def following(
    made: "Plan", host: "spec.Host", out: Path | None, *, lab: bool, via: str = ""
) -> str:
    """What to type next."""
    import shlex

    from emily_infra.plan import Activation, Weight

    where = [*(["--via", via] if via else []), *(["--lab"] if lab else [])]
    again = shlex.join(["emily-infra", "plan", host.name, *where])
    if made.is_noop:
        return f"next: nothing; {host.name} is as it should be"
    if stops := made.weighing(Weight.STOP):
        return f"next: mend what is refused above ({stops[0].name}), then: {again}"
    command = ["emily-infra", "apply", host.name]
    command += ["--plan", str(out)] if out else []
    command += where
    if made.activation is Activation.REBOOT and host.spec.deploy.reboot == "manual":
        command.append("--reboot")
    if flags := made.weighing(Weight.FLAG):
        for danger in flags:
            command += ["--accept", danger.name]
        return f"next: mend what is refused above; or, knowing better: {shlex.join(command)}"
    return f"next: {shlex.join(command)}"
