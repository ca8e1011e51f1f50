"""`emily-infra backup drill`."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emily_infra.cli.arguments import Json
from emily_infra.cli.backup.opening import here
from emily_infra.cli.output import mention, printable, report, report_json

if TYPE_CHECKING:
    from emily_infra.backup.evidence import Finding

_SEEDS = 2**53
"""Beyond it programs that read JSON lose digits."""

Repositories = Annotated[
    list[str] | None,
    typer.Argument(metavar="[REPOSITORY]...", help="All of them if none is named."),
]
Seed = Annotated[
    int | None,
    typer.Option("--seed", min=0, max=_SEEDS, help="Draw the files that this seed drew."),
]
Full = Annotated[
    bool, typer.Option("--full", help="Restore everything, and ask the databases in it.")
]
HostKey = Annotated[
    Path | None, typer.Option("--host-key", metavar="FILE", help="Sign with this key instead.")
]


def drill(
    context: typer.Context,
    repositories: Repositories = None,
    seed: Seed = None,
    full: Full = False,
    host_key: HostKey = None,
    json: Json = False,
) -> None:
    """Restore a random share of what is kept, and compare it with the snapshot it came from.

    What comes out is thrown away again, and the verdict is written down, signed: backup evidence.
    Exit codes: 0 all is the same, 4 something differs, 1 something could not be drilled.
    """
    from secrets import randbelow

    from emily_infra.backup.drilling.drill import Plan
    from emily_infra.backup.drilling.drill import drill as drilled
    from emily_infra.backup.faults import DIFFERS, DONE, FAILED
    from emily_infra.backup.here import named
    from emily_infra.backup.signing import KEY
    from emily_infra.cli.backup.watching import going

    host = here(context)
    wanted = repositories or sorted(host.settings.repositories)
    for name in wanted:
        named(host.settings.repositories, name, "repository")
    drawn = randbelow(_SEEDS) if seed is None else seed
    found: list[Finding] = []
    for name in wanted:
        with going(f"drill {name}") as progress:
            plan = Plan(operator(), drawn, full, host_key or KEY, progress)
            found += list(_told(drilled(host, name, plan), quiet=json))
    if json:
        report_json([asdict(each) for each in found])
    verdicts = {each.verdict.value for each in found}
    code = DIFFERS if "differs" in verdicts else FAILED if "could not run" in verdicts else DONE
    raise typer.Exit(code)


def operator() -> str:
    """Who runs this: the person behind sudo, or the unit."""
    if who := os.environ.get("SUDO_USER"):
        return who
    if os.environ.get("INVOCATION_ID"):
        groups = Path("/proc/self/cgroup").read_text().strip().splitlines()
        return groups[-1].rpartition("/")[2] if groups else "a unit"
    return os.environ.get("USER") or "root"


def _told(found: "Iterable[Finding]", *, quiet: bool) -> "Iterator[Finding]":
    from emily_infra.spec.units import approximately

    for each in found:
        if not quiet:
            colour = "green" if each.verdict.value == "same" else "red"
            report(
                f"{each.repository} {printable(each.dataset)}: "
                + typer.style(each.verdict.value, fg=colour)
                + (f", {each.files} files, {approximately(each.bytes)}, {each.seconds} s"
                   f", seed {each.seed}" if each.copy else "")
            )  # fmt: skip
        for line in each.differences:
            mention(f"  {printable(line)}")
        if each.differing > len(each.differences):
            mention(f"  and {each.differing - len(each.differences)} more")
        for name, answer in each.checks.items():
            mention(f"  check {name}: {printable(answer)}")
        if each.why:
            mention(f"  {printable(each.why)}")
        yield each
