"""`emily-infra show` and `emily-infra schema`."""

from typing import TYPE_CHECKING, Annotated

import typer

from emily_infra.cli.arguments import Host, Json
from emily_infra.cli.check import checked
from emily_infra.cli.output import as_text, complain, say, tell, tell_json

if TYPE_CHECKING:
    from emily_infra.spec import host as spec


def show(
    host: Host,
    resolved: Annotated[
        bool, typer.Option("--resolved", help="Print host.yaml with every default filled in.")
    ] = False,
    json: Json = False,
) -> None:
    """Show what a host is: its network, policy, pools, shares and backups on one screen."""
    found = well_formed(host)
    data = found.spec.model_dump(mode="json", by_alias=True)
    if json:
        tell_json(data)
    elif resolved:
        import yaml

        text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)
        tell(text.rstrip("\n"))
    else:
        from emily_infra.cli.overview import overview

        overview(found)


def well_formed(name: str) -> "spec.Host":
    """The named host; where it is not well-formed its findings are printed and the command ends."""
    _, fleet, findings = checked([name])
    if name not in fleet:
        for line in as_text(finding for finding in findings if finding.blocks):
            say(line)
        complain(f"{name} cannot be read", "mend the errors above first")
        raise typer.Exit(1)
    return fleet[name]


def schema() -> None:
    """Print the JSON Schema of host.yaml, for editors with yaml-language-server."""
    from emily_infra.spec.host import json_schema

    tell_json(json_schema())
