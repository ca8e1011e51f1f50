"""`emily-infra backup offsite`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from emily_infra.cli.arguments import Json
from emily_infra.cli.backup.opening import here
from emily_infra.cli.output import mention, printable, report, report_json

if TYPE_CHECKING:
    from emily_infra.backup.ledger import Copy
    from emily_infra.backup.offsite import Report


def offsite(
    context: typer.Context,
    repository: Annotated[str, typer.Argument(metavar="REPOSITORY", help="Where to copy to.")],
    now: Annotated[bool, typer.Option("--now", help="Also outside of the hours it has.")] = False,
    accept_shrunk: Annotated[
        bool, typer.Option("--accept-shrunk", help="Much less than before is what there should be.")
    ] = False,
    json: Json = False,
) -> None:
    """Copy the newest snapshots to a repository.

    Exit code 3: it worked, and something is not in the copy.
    """
    from emily_infra.backup.offsite import Request
    from emily_infra.backup.offsite import offsite as copied
    from emily_infra.cli.backup.watching import going

    host = here(context)
    with going(repository) as progress:
        found = copied(host, Request(repository, now, accept_shrunk, progress))
    if json:
        report_json(as_data(found))
    else:
        _tell(found)
    raise typer.Exit(found.exit_code)


def _tell(found: "Report") -> None:
    """The result on stdout; what is amiss with it on stderr."""
    from emily_infra.backup.offsite import Outcome

    match found.outcome:
        case Outcome.CLOSED:
            report(f"{found.repository}: nothing is copied before {found.opens:%H:%MZ}; now: --now")
        case Outcome.STOPPED:
            report(
                f"{found.repository}: its hours are over; the copy goes on at {found.opens:%H:%MZ} "
                "and sends at most the last ten minutes again"
            )
        case Outcome.THERE | Outcome.COPIED:
            assert found.copy
            report(f"{found.repository}: {_sum(found.copy, new=found.outcome is Outcome.COPIED)}")
            for line in _amiss(found, found.copy):
                mention(line)


def _sum(copy: "Copy", *, new: bool) -> str:
    from emily_infra.cli.moments import span
    from emily_infra.spec.units import approximately

    what = f"{copy.counted.files} files, {approximately(copy.counted.bytes)}"
    of = f"as of {copy.oldest:%Y-%m-%d %H:%M:%SZ}"
    if not new:
        return f"{what} {of} are there already"
    added = approximately(copy.counted.added)
    return f"{what} {of}; {added} were added in {span(round(copy.seconds))}"


def _amiss(found: "Report", copy: "Copy") -> Iterator[str]:
    for dataset, why in found.lacking:
        yield f"warning: {dataset} is not in the copy: {printable(why)}"
    for name in found.unreadable:
        yield f"warning: {printable(name)} could not be read"
    if more := copy.unreadable - len(found.unreadable):
        yield f"warning: {more} {'more ' * bool(found.unreadable)}could not be read"
    if copy.verdict == "shrunk":
        yield from _shrunk(found, copy)
    if copy.verdict != "good":
        yield (
            "the copy is kept and marked as incomplete: as long as it is the newest, nothing is "
            "forgotten, and the last good one is "
            + (f"of {found.good.oldest:%Y-%m-%d %H:%M:%SZ}" if found.good else "still to come")
        )


def _shrunk(found: "Report", copy: "Copy") -> Iterator[str]:
    from emily_infra.spec.units import approximately

    before = found.good.counted if found.good else copy.counted
    yield (
        f"warning: {copy.counted.files} files with {approximately(copy.counted.bytes)} are much "
        f"less than the {before.files} with {approximately(before.bytes)} of the last good copy"
    )
    yield (
        "if they were deleted on purpose: "
        f"emily-infra backup offsite {found.repository} --accept-shrunk"
    )


def as_data(found: "Report") -> dict[str, object]:
    """A run for a program."""
    copy = found.copy
    data: dict[str, object] = {
        "repository": found.repository,
        "outcome": found.outcome.name.lower(),
        "opens": found.opens and found.opens.isoformat(),
        "exit_code": found.exit_code,
        "unreadable": list(found.unreadable),
        "lacking": dict(found.lacking),
        "copy": copy and copy.model_dump(mode="json"),
    }
    return data
