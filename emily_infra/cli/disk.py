"""`emily-infra disk`: the life of a disk, from its bay to its bay."""

from typing import TYPE_CHECKING, Annotated

import typer

from emily_infra.cli.arguments import Host, Json
from emily_infra.cli.hands import approve_by_name, confirming, hands_on
from emily_infra.cli.output import report, report_json, say, tell, tell_json, width
from emily_infra.cli.reach import Lab, Via, Where, pasteable, signposted
from emily_infra.cli.stopping import before_any_change, if_stopped

if TYPE_CHECKING:
    from pathlib import Path

    from emily_infra.disks.listing import Row
    from emily_infra.observe import Observation
    from emily_infra.spec import host as spec
    from emily_infra.storage.offline import Leaving

app = typer.Typer(
    name="disk",
    help="List, find, take out and replace the disks of a host.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
Disk = Annotated[str, typer.Argument(metavar="DISK", help="A disk by its name in host.yaml.")]
NewDisk = Annotated[
    str | None,
    typer.Argument(metavar="NEW", help="The new disk by its name under /dev/disk/by-id."),
]
_ROOM = 100
_STYLES = {"well": "green", "MISSING": "red", "OFFLINE": "yellow", "ERRORS": "yellow"}


@app.command("list", short_help="List all disks, with what is left if they fail.")
@signposted
def list_(host: Host, via: Via = "", lab: Lab = False, json: Json = False) -> None:
    """List every disk of HOST: bay, serial, what it is for, how it is, and what could fail yet.

    Also disks that host.yaml does not name. Exit codes: 0 all are well, 1 one is not, 8 out of
    reach.
    """
    from emily_infra.disks.known import known_pools
    from emily_infra.disks.listing import rows

    described, seen = _seen(host, Where(lab, via))
    known_pools(host, seen)
    found = rows(described.spec.storage, seen)
    if json:
        tell_json([_data(row) for row in found])
    else:
        _table(found)
    if not all(row.is_well for row in found):
        raise typer.Exit(1)


@app.command(short_help="Make a disk visible in its bay.")
@signposted
def locate(
    host: Host,
    disk: Disk,
    seconds: Annotated[int, typer.Option(min=1, max=3600, help="How long.")] = 60,
    via: Via = "",
    lab: Lab = False,
) -> None:
    """Light DISK by its enclosure, or by reading from it; says in which bay host.yaml has it."""
    from emily_infra.disks.faults import NoSuchDisk
    from emily_infra.disks.places import Members
    from emily_infra.observe import observe
    from emily_infra.storage.locate import locate as light

    described = _described(host)
    with hands_on(described, Where(lab, via)) as machine:
        found = Members(described.spec.storage, observe(machine)).by_id(disk)
        tell(_bay(described, disk))
        if found is None:
            raise NoSuchDisk(
                f"{host} does not see {disk}: it cannot be lit",
                hint="the bay that stays dark while the others are lit is its own; "
                f"emily-infra disk list {host}",
            )
        say(f"{found.name}, {found.model} {found.serial}: lit for {seconds} s")
        with if_stopped("it stays lit until its time is over"):
            say(f"it was lit by {light(machine, found.name, seconds)}")


@app.command(short_help="Take a disk out of its pools.")
@signposted
def offline(
    host: Host,
    disk: Disk,
    confirm: Annotated[str, confirming("DISK")] = "",
    via: Via = "",
    lab: Lab = False,
    json: Json = False,
) -> None:
    """Take DISK out of its pools so that it may be pulled, as long as they can do without it.

    Refused where redundancy would be lost: counted from the tree of vdevs, from which devices are
    there, and from what a resilver still owes. Exit codes: 0 it is out, 1 refused or an error, 7
    somebody deploys, 8 out of reach, 130 stopped by hand.
    """
    from emily_infra.storage.offline import leaving, look
    from emily_infra.storage.offline import offline as take_out

    where, described = Where(lab, via), _described(host)
    with hands_on(described, where) as machine:
        with before_any_change():
            todo = leaving(described.spec.storage, disk, look(machine, described))
            if not json:
                tell(_bay(described, disk))
                for each in todo:
                    say(_leaving(described, each, where))
            if todo:
                approve_by_name(f"take {disk} out of {host}?", disk, confirm)
        with if_stopped(f"{disk} may be out of some of its pools"):
            if todo:
                take_out(machine, described, disk)
    pools = sorted({each.pool.name for each in todo})
    if json:
        report_json({"disk": disk, "offline": True, "pools": pools})
        return
    out = f"{disk} is out of {', '.join(pools)}" if todo else f"{disk} is out of its pools already"
    report(out)
    for each in todo:
        back = ("zpool", "online", each.pool.name, each.leaf.guid or each.leaf.path)
        report(f"back, if nothing was pulled: {pasteable(described, back, where)}")
    report(where.said(f"next: emily-infra disk replace {host} {disk}"))


def _leaving(host: "spec.Host", each: "Leaving", where: Where) -> str:
    more = f"{each.left} more may fail" if each.left else typer.style(
        "no more may fail", fg="yellow", bold=True)  # fmt: skip
    command = pasteable(host, each.command, where)
    return f"{each.pool.name}: {each.leaf.path} goes, then {more} in its vdev\n  {command}"


@app.command(short_help="Replace a disk by a new one.")
@signposted
def replace(
    host: Host,
    disk: Disk,
    new: NewDisk = None,
    confirm: Annotated[str, confirming("NEW")] = "",
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Leave once the new disk is being filled.")
    ] = False,
    via: Via = "",
    lab: Lab = False,
    json: Json = False,
) -> None:
    """Walk through the replacement of DISK; without NEW, say what to pull and which disks are new.

    With NEW: look at it, let ZFS fill it, follow that, and write it into host.yaml for review. It
    can be left (Ctrl-C) and taken up again by the same command. Exit codes: 0 done, or begun with
    --no-wait, 1 refused or an error, 7 somebody deploys, 8 out of reach, 130 left by Ctrl-C.
    """
    from emily_infra.cli.replacing import Asked, advise, walk

    root, described = _rooted(host)
    asked = Asked(root, described, disk, confirm, Where(lab, via), wait=not no_wait, json=json)
    with hands_on(described, asked.where) as machine:
        if new is None:
            advise(machine, asked)
        else:
            walk(machine, asked, new)


def _rooted(name: str) -> "tuple[Path, spec.Host]":
    from emily_infra.cli.look import the_host

    return the_host(name)


def _described(name: str) -> "spec.Host":
    from emily_infra.cli.look import the_host

    return the_host(name)[1]


def _seen(name: str, where: Where) -> "tuple[spec.Host, Observation]":
    from emily_infra.observe import observe

    described = _described(name)
    with hands_on(described, where) as machine:
        return described, observe(machine)


def _bay(host: "spec.Host", disk: str) -> str:
    body = host.spec.storage.disks.get(disk)
    if body is None:
        return f"{disk}: host.yaml does not name it, so it is not known in which bay it is"
    return f"{disk}: {'no bay in host.yaml' if body.bay is None else f'bay {body.bay}'}"


def _table(found: "tuple[Row, ...]") -> None:
    from emily_infra.cli.look import cell, show, table
    from emily_infra.spec.units import approximately

    # Names under /dev/disk/by-id have both in them; who has no room for a row reads neither.
    also = ("model", "serial") if width() >= _ROOM else ()
    shown = table("bay", "disk", "device", *also, "size", "for", "state", "may fail")
    for row in found:
        disk = row.found
        uses = ", ".join(_use(part.pool, part.role, part.vdev) for part in row.parts)
        left = ", ".join("lost" if part.left < 0 else str(part.left) for part in row.parts)
        errors = sum(part.leaf.errors for part in row.parts)
        state = f"{row.state}: {errors} errors" if errors else row.state
        shown.add_row(
            cell("?" if row.bay is None else row.bay),
            cell(row.name),
            cell(disk.name if disk else ""),
            *(cell(getattr(disk, each, ""), "dim") for each in also),
            cell(approximately(disk.size) if disk else ""),
            cell(uses or ("" if row.declared else "not in host.yaml"), "" if uses else "dim"),
            cell(state, _STYLES.get(row.state, "red")),
            cell(left),
        )
    show(shown)


def _use(pool: str, role: str, vdev: str) -> str:
    return " ".join(filter(None, (pool, "" if role == "data" else role, vdev)))


def _data(row: "Row") -> dict[str, object]:
    disk = row.found
    return {
        "disk": row.name,
        "declared": row.declared,
        "present": disk is not None,
        "bay": row.bay,
        "device": disk.name if disk else None,
        "model": disk.model if disk else None,
        "serial": disk.serial if disk else None,
        "size": disk.size if disk else None,
        "state": row.state,
        "pools": [
            {
                "pool": part.pool, "role": part.role, "vdev": part.vdev or None,
                "path": part.leaf.path, "state": part.leaf.state, "read_errors": part.leaf.read,
                "write_errors": part.leaf.write, "checksum_errors": part.leaf.checksum,
                "may_fail": part.left,
            }
            for part in row.parts
        ],
    }  # fmt: skip
