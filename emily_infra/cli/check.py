"""`emily-infra check`."""

from typing import TYPE_CHECKING, Annotated

import typer

from emily_infra.cli.arguments import Hosts, Json
from emily_infra.cli.output import as_data, as_text, say, summary, tell, tell_json
from emily_infra.findings import Severity

if TYPE_CHECKING:
    from pathlib import Path

    from emily_infra.findings import Finding
    from emily_infra.spec.host import Host


def check(
    hosts: Hosts = None,
    fail_on: Annotated[
        Severity, typer.Option(help="The least severity that makes the exit code 1.")
    ] = Severity.ERROR,
    json: Json = False,
) -> None:
    """Check host.yaml like source code: every finding with its place, its reason and a way out."""
    _, fleet, findings = checked(hosts or [])
    if json:
        tell_json({"hosts": sorted(fleet), "findings": as_data(findings)})
    else:
        for line in as_text(findings):
            tell(line)
        say(summary(findings, len({f.host for f in findings} | set(fleet))))
    grave = list(Severity)[: list(Severity).index(fail_on) + 1]
    if any(f.severity in grave and f.acknowledged is None for f in findings):
        raise typer.Exit(1)


def checked(names: list[str]) -> "tuple[Path, dict[str, Host], list[Finding]]":
    """The project's root, the named hosts that are well-formed, and everything that is wrong.

    Rules that compare hosts see the whole fleet, even where only one host is asked for.
    """
    from datetime import date
    from pathlib import Path

    from emily_infra import check as rules
    from emily_infra.findings import in_order
    from emily_infra.spec.load import find_root, host_names, load

    root = find_root(Path.cwd())
    loaded = load(root, names)
    others = [name for name in host_names(root) if name not in loaded.fleet] if names else []
    everyone = loaded.fleet | load(root, others).fleet if others else loaded.fleet
    asked = set(names) or None
    found = rules.check(everyone, date.today())
    mine = [f for f in found if asked is None or f.host in asked]
    return root, loaded.fleet, in_order([*loaded.findings, *mine])
