"""`emily-infra backup evidence`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emily_infra.cli.arguments import Json
from emily_infra.cli.backup.opening import here
from emily_infra.cli.output import say, tell, tell_json

if TYPE_CHECKING:
    from emily_infra.backup.examining import Examined

Keys = Annotated[
    list[Path] | None,
    typer.Option("--key", metavar="FILE", help="A public key to trust instead of the host's own."),
]


def evidence(context: typer.Context, key: Keys = None, json: Json = False) -> None:
    """Show what drills found, and verify that nobody changed it since.

    Exit codes: 0 the log is whole, 1 it is not.
    """
    from emily_infra.backup.evidence import folder
    from emily_infra.backup.examining import examine
    from emily_infra.backup.faults import EvidenceBroken
    from emily_infra.backup.signing import KEY

    host = here(context)
    examined = examine(host, key or [KEY])
    if json:
        drills = [line.data for line in examined.entries]
        tell_json({"drills": drills, "faults": examined.faults, "remarks": examined.remarks})
    else:
        _print(examined)
    for remark in examined.remarks:
        say(remark)
    if examined.faults:
        log = folder(host) / "log.jsonl"
        raise EvidenceBroken(
            f"{log} is not as it was written:"
            + "".join(f"\n  {fault}" for fault in examined.faults[:20]),
            hint=f"compare it with the copy of it in a repository: emily-infra backup list {log}",
        )


def _print(examined: "Examined") -> None:
    from emily_infra.cli.look import cell, show, table
    from emily_infra.spec.units import approximately

    if not examined.entries:
        tell("no drill has left a line yet: emily-infra backup drill")
        return
    shown = table("#", "when (UTC)", "repository", "dataset", "files", "size", "verdict", "by")
    for line in examined.entries:
        data = line.data
        verdict = str(data.get("verdict", "?"))
        shown.add_row(
            cell(data.get("number", "?")),
            cell(str(data.get("time", "?"))[:16].replace("T", " ")),
            cell(data.get("repository", "?")),
            cell(data.get("dataset", "?")),
            cell(data.get("files", "?")),
            cell(approximately(int(data.get("bytes", 0)))),
            cell(verdict, "" if verdict == "same" else "red"),
            cell(data.get("by", "?")),
        )
    show(shown)
    if not examined.faults:
        last = examined.entries[-1]
        tell(f"whole: {len(examined.entries)} drills, the last one is {last.digest[:16]}")
