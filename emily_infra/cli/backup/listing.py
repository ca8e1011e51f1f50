"""`emily-infra backup list`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from emily_infra.backup.faults import DONE, INCOMPLETE
from emily_infra.cli.arguments import Json
from emily_infra.cli.backup.opening import here
from emily_infra.cli.output import complain, say, tell, tell_json

if TYPE_CHECKING:
    from emily_infra.backup.here import Here
    from emily_infra.backup.versions import Era, Version

Repository = Annotated[
    list[str] | None,
    typer.Option("--repository", metavar="REPO", help="Ask only this one; `here` asks none."),
]


def listed(
    context: typer.Context,
    what: Annotated[
        str,
        typer.Argument(
            metavar="[DATASET|PATH]", help="A dataset, or the path of a file or folder."
        ),
    ] = "",
    repository: Repository = None,
    json: Json = False,
) -> None:
    """List the snapshots of each dataset, or every version of a file or folder, the newest first.

    A path is looked for in all snapshots of this host and in all repositories. Exit codes: 0 done,
    3 a pool or a repository could not be asked, 1 an error.
    """
    host = here(context)
    if what.startswith((".", "/", "~")):
        raise typer.Exit(_versions(host, Path(what).expanduser(), repository, json))
    raise typer.Exit(_snapshots(host, what, json))


def _snapshots(host: "Here", dataset: str, json: bool) -> int:
    from emily_infra.backup.everywhere import snapshots
    from emily_infra.backup.here import named
    from emily_infra.cli.look import cell, show, table

    if dataset:
        named(host.settings.datasets, dataset, "dataset")
    wanted = [dataset] if dataset else sorted(host.settings.datasets)
    found, silent = snapshots(host, wanted)
    for error in silent:
        complain(f"{error.code}: {error}", error.hint)
    code = INCOMPLETE if silent else DONE
    if json:
        tell_json([
            {"dataset": each.dataset, "snapshot": each.name, "created": each.creation.isoformat(),
             "held": each.holds > 0, "mine": each.mine} for each in found
        ])  # fmt: skip
        return code
    shown = table("dataset", "snapshot", "created", "")
    for each in found:
        notes = ["held"] * bool(each.holds) + ["not ours"] * (not each.mine)
        created = f"{each.creation:%Y-%m-%d %H:%M:%SZ}"
        shown.add_row(cell(each.dataset), cell(each.name), cell(created), cell(", ".join(notes)))
    show(shown)
    return code


def _versions(host: "Here", path: Path, asked: list[str] | None, json: bool) -> int:
    from emily_infra.backup.everywhere import search
    from emily_infra.backup.versions import LOCAL, eras, place
    from emily_infra.cli.backup.stepping import steps

    wanted = place(host, path)
    with steps("snapshots looked into") as on_step:
        found = search(host, wanted, asked, on_step)
    rows = eras(found.versions)
    if json:
        tell_json({"path": str(wanted.path), "dataset": wanted.dataset,
                   "versions": [_data(each) for era in rows for each in era.versions],
                   "not asked": found.silent})  # fmt: skip
    elif not rows:
        tell(f"{wanted.path}: nothing that was kept of {wanted.dataset} holds it")
    else:
        _print(rows)
        newest = next((era.newest for era in rows if era.newest.body), None)
        if newest:
            tell("")
            tell("to have one back, here the newest of these:")
            tell(f"  emily-infra backup restore {wanted.path} --from {newest.name} --to NEW")
    for name, why in found.silent.items():
        kind = "" if name == LOCAL else "repository "
        say(f"{kind}{name} could not be asked: {why}")
    return INCOMPLETE if found.silent else DONE


def _data(version: "Version") -> dict[str, object]:
    body = version.body
    return {
        "at": version.at.isoformat(),
        "source": version.source,
        "name": version.name,
        "kind": body.kind if body else None,
        "size": body.size if body else None,
        "modified": body.mtime / 10**9 if body else None,
    }


def _print(rows: "list[Era]") -> None:
    from emily_infra.cli.look import cell, show, table
    from emily_infra.spec.units import approximately

    shown = table("last kept (UTC)", "size", "what changed", "from", "in")
    for era in rows:
        newest, body = era.newest, era.newest.body
        size = approximately(body.size) if body and body.kind == "file" else "-"
        shown.add_row(
            cell(f"{newest.at:%Y-%m-%d %H:%M}"),
            cell(size),
            cell(era.changed, "red" if body is None else ""),
            cell(_short(newest)),
            cell(_places(era)),
        )
    show(shown)


def _short(version: "Version") -> str:
    """The name without the dataset, which all of them have."""
    _, _, snapshot = version.name.partition("@")
    return snapshot or f"{version.source} {version.name[:8]}"


def _places(era: "Era") -> str:
    """How many snapshots and copies hold it, and whose."""
    sources = [each.source for each in era.versions]
    return ", ".join(f"{name} {sources.count(name)}" for name in dict.fromkeys(sorted(sources)))
