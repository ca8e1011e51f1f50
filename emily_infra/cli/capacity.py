"""`emily-infra capacity`."""

from typing import TYPE_CHECKING, Annotated

import typer

from emily_infra.cli.arguments import Host, Json
from emily_infra.cli.output import printable, say, tell_json, width
from emily_infra.cli.show import well_formed
from emily_infra.errors import EmilyError

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from emily_infra.spec.storage import Pool, Storage
    from emily_infra.zfs.capacity import Capacity
    from emily_infra.zfs.table import Fact

_SHARES = {
    "available": ("█", "green", "usable"),
    "parity": ("▓", "blue", "parity"),
    "padding": ("▒", "yellow", "padding"),
    "overhead": ("░", "red", "overhead"),
}
_OFTEN_NOTHING = ("parity", "padding", "embedded log")


class NoSuchPool(EmilyError):
    """A pool that the host does not have, or one of several that was not named."""

    code = "CAP002"


def capacity(
    host: Host,
    pool: Annotated[
        str | None, typer.Option("--pool", metavar="NAME", help="Only this pool.")
    ] = None,
    compare: Annotated[
        str | None,
        typer.Option("--compare", metavar="LAYOUTS",
                     help="Lay other layouts of the same disks beside it, with commas between: "
                     "raidz2x7x2 (two vdevs of seven), mirror, mirror3, stripe, "
                     "draid2:5d:14c:1s."),
    ] = None,
    json: Json = False,
) -> None:  # fmt: skip
    """Say what each pool of HOST will hold, in the bytes that ZFS will report."""
    storage = well_formed(host).spec.storage
    pools = _chosen(host, storage, pool)
    if compare is not None:
        from emily_infra.cli.comparing import print_comparison

        print_comparison(host, storage.disks, pools, compare, json=json)
    elif json:
        tell_json({name: _data(body, storage) for name, body in pools.items()})
    else:
        for name, body in pools.items():
            _show(host, name, body, storage)
        if not pools:
            say(f"{host} has no pools")


def _chosen(host: str, storage: "Storage", name: str | None) -> "dict[str, Pool]":
    if name is None:
        return dict(storage.pools)
    if name not in storage.pools:
        there = ", ".join(storage.pools) or "none"
        raise NoSuchPool(f"{host} has no pool {printable(name)}", hint=f"its pools: {there}")
    return {name: storage.pools[name]}


def _data(pool: "Pool", storage: "Storage") -> dict[str, object] | None:
    from dataclasses import asdict

    from emily_infra.zfs.capacity import capacity as predict
    from emily_infra.zfs.comparison import outlook_data
    from emily_infra.zfs.odds import outlook
    from emily_infra.zfs.prospect import assumptions
    from emily_infra.zfs.special import demands, small_block_limit, spills
    from emily_infra.zfs.table import rows, smallest_record

    predicted = predict(pool, storage.disks)
    if predicted is None:
        return None
    record, spares = smallest_record(pool), len(pool.spares)
    early, late = spills(pool, predicted)
    special = {
        "size": predicted.special_size,
        "small_block_limit": small_block_limit(predicted.special_size),
        "datasets": [asdict(each) for each in demands(pool, predicted.comfortable)],
        "spill": {"early": early._asdict(), "late": late._asdict()},
    }
    return {
        "size": predicted.size,
        "available": predicted.available,
        "failures_survived": predicted.failures_survived,
        "failures_at_best": predicted.failures_at_best,
        "rows": [row._asdict() for row in rows(pool, predicted)],
        "datasets": {
            name: {
                "recordsize": int(dataset.recordsize),
                "fits": predicted.fits(dataset.recordsize),
                "quota": dataset.quota and int(dataset.quota),
            }
            for name, dataset in pool.datasets.items()
        },
        "special": special if pool.special else None,
        "outlook": outlook_data(outlook(predicted, record, spares)),
        "assumptions": list(assumptions([predicted], record)),
    }


def _show(host: str, name: str, pool: "Pool", storage: "Storage") -> None:
    from rich.console import Console

    from emily_infra.zfs.capacity import capacity as predict
    from emily_infra.zfs.odds import outlook
    from emily_infra.zfs.prospect import assumptions, prospect
    from emily_infra.zfs.table import filling, smallest_record, survival

    predicted = predict(pool, storage.disks)
    if predicted is None:
        _unknown(host, name)
        return
    console = Console(width=width(), highlight=False)
    record, spares = smallest_record(pool), len(pool.spares)
    console.print(_bytes(name, pool, predicted))
    console.print(_picture(predicted, console.width))
    facts = [
        *filling(pool, predicted),
        *survival(predicted),
        *prospect(predicted, outlook(predicted, record, spares)),
    ]
    console.print(_facts(facts))
    console.print(" ".join(assumptions([predicted], record)) + "\n", style="dim")


def _unknown(host: str, name: str) -> None:
    say(f"{name}: a member is not among storage.disks; emily-infra check {host} says which")


def _bytes(name: str, pool: "Pool", predicted: "Capacity") -> "Table":
    from rich.table import Table

    from emily_infra.zfs.table import rows, units

    shown = units(predicted.raw)
    table = Table(title=f"Capacity of {name}", title_justify="left", title_style="bold", box=None)
    table.add_column()
    table.add_column(shown.decimal, justify="right", header_style="dim")
    table.add_column(shown.binary, justify="right", header_style="dim")
    table.add_column(overflow="ellipsis", no_wrap=True)
    for row in rows(pool, predicted):
        if not row.amount and row.what in _OFTEN_NOTHING:
            continue
        style = "bold" if row.what == "usable" else None
        table.add_row(row.what, *shown.amounts(row.amount), row.note, style=style)
    return table


def _facts(facts: "list[Fact]") -> "Table":
    from rich.table import Table

    table = Table(box=None, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column()
    for fact in facts:
        table.add_row(*fact)
    return table


def _picture(predicted: "Capacity", columns: int) -> "Text":
    """The disks as one bar: what can be used, and what the rest is for."""
    from rich.text import Text

    shares = {name: getattr(predicted, name, 0) for name in _SHARES}
    shares["overhead"] = predicted.raw - sum(shares.values())
    bar, legend = Text("\n"), Text("\n")
    for name, (block, colour, words) in _SHARES.items():
        share = shares[name] / predicted.raw
        bar.append(block * round(share * (columns - 2)), colour)
        if shares[name]:
            legend.append(f"{block} ", colour).append(f"{words} {share:.1%}  ")
    return bar + legend + "\n"
