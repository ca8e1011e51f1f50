"""`emily-infra render`."""

from typing import TYPE_CHECKING, Annotated

import typer

from emily_infra.cli.arguments import Hosts, Json
from emily_infra.cli.check import checked
from emily_infra.cli.output import as_data, as_text, complain, say, summary, tell, tell_json

if TYPE_CHECKING:
    from pathlib import Path

    from emily_infra.findings import Finding
    from emily_infra.render import Rendered


def render(
    hosts: Hosts = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Write nothing; exit 1 with a diff if generated/ is stale."),
    ] = False,
    json: Json = False,
) -> None:
    """Render hosts/HOST/host.yaml to the NixOS modules in hosts/HOST/generated/."""
    from emily_infra.render import render as rendering
    from emily_infra.render.templates import Templates

    root, fleet, findings = checked(hosts or [])
    if any(finding.blocks for finding in findings):
        _refuse(findings, len(fleet), as_json=json)
    templates = Templates(_cache())
    everything = [rendering(fleet[name], templates) for name in sorted(fleet)]
    (_compare if check else _write)(root, everything, json)


def _refuse(findings: "list[Finding]", hosts: int, *, as_json: bool) -> None:
    if as_json:
        tell_json({"written": [], "findings": as_data(findings)})
    else:
        for line in as_text(finding for finding in findings if finding.blocks):
            say(line)
        say(summary(findings, hosts))
        complain("nothing was written", "mend the errors above first")
    raise typer.Exit(1)


def _compare(root: "Path", everything: "list[Rendered]", as_json: bool) -> None:
    from emily_infra.render.folder import diff

    changes = {rendered.host: list(diff(root, rendered)) for rendered in everything}
    stale = sorted(host for host, lines in changes.items() if lines)
    if as_json:
        tell_json({"stale": stale})
    for line in (line for lines in changes.values() for line in lines if not as_json):
        tell(typer.style(line, fg={"+": "green", "-": "red"}.get(line[:1])))
    if stale:
        complain(
            f"generated/ is stale: {', '.join(stale)}", f"emily-infra render {' '.join(stale)}"
        )
        raise typer.Exit(1)
    if not as_json:
        say(f"{len(everything)} up to date")


def _write(root: "Path", everything: "list[Rendered]", as_json: bool) -> None:
    from emily_infra.render.folder import GENERATED, write

    changed = [rendered.host for rendered in everything if write(root, rendered)]
    if as_json:
        tell_json({"written": changed, "findings": []})
        return
    for rendered in everything:
        state = "written" if rendered.host in changed else "unchanged"
        tell(f"hosts/{rendered.host}/{GENERATED}/ {state}: {len(rendered.files)} files")


def _cache() -> "Path | None":
    """Where compiled templates are kept between runs; nowhere if that is not to be had."""
    import os
    from pathlib import Path

    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "emily-infra" / "templates"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return None
    return folder
