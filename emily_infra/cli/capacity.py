"""`emily-infra capacity`."""

from typing import TYPE_CHECKING

from emily_infra.cli.arguments import Host, Json
from emily_infra.cli.output import say, tell_json, width
from emily_infra.cli.show import well_formed

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from emily_infra.spec.storage import Pool
    from emily_infra.zfs.capacity import Capacity

_SHARES = {
    "available": ("█", "green", "usable"),
    "parity": ("▓", "blue", "parity and copies"),
    "padding": ("▒", "yellow", "padding"),
    "overhead": ("░", "red", "rounding, log, slop"),
}


def capacity(host: Host, json: Json = False) -> None:
    """Say what each pool of HOST will hold, in the bytes that ZFS will report."""
    from rich.console import Console

    from emily_infra.zfs.capacity import capacity as predict

    spec = well_formed(host).spec
    pools = {
        name: (pool, predict(pool, spec.storage.disks)) for name, pool in spec.storage.pools.items()
    }
    if json:
        tell_json({name: _data(*pair) for name, pair in pools.items()})
        return
    console = Console(width=width(), highlight=False)
    for name, (pool, predicted) in pools.items():
        if predicted:
            _print(console, name, pool, predicted)
        else:
            say(f"{name}: a member is not among storage.disks; emily-infra check {host} says which")
    if not pools:
        say(f"{host} has no pools")


def _data(pool: "Pool", predicted: "Capacity | None") -> dict[str, object] | None:
    from emily_infra.zfs.table import rows

    if predicted is None:
        return None
    return {
        "size": predicted.size,
        "failures_survived": predicted.failures_survived,
        "rows": [row._asdict() for row in rows(pool, predicted)],
    }


def _print(console: "Console", name: str, pool: "Pool", predicted: "Capacity") -> None:
    from rich.table import Table

    from emily_infra.zfs.table import rows

    table = Table(title=f"Capacity of {name}", title_justify="left", title_style="bold", box=None)
    for column, justify in (("", "left"), ("TB", "right"), ("TiB", "right"), ("", "left")):
        table.add_column(column, justify=justify, header_style="dim")  # type: ignore[arg-type]
    for row in rows(pool, predicted):
        style = "bold" if row.what == "usable" else None
        decimal, binary = row.amount / 1000**4, row.amount / 1024**4
        table.add_row(row.what, f"{decimal:,.2f}", f"{binary:,.2f}", row.note, style=style)
    console.print(table)
    console.print(_picture(predicted, console.width))


def _picture(predicted: "Capacity", columns: int) -> "Text":
    """The disks as one bar: what can be used, and what the rest is for."""
    from rich.text import Text

    shares = {name: getattr(predicted, name, 0) for name in _SHARES}
    shares["overhead"] = predicted.raw - sum(shares.values())
    bar, legend = Text("\n"), Text("\n")
    for name, (block, colour, words) in _SHARES.items():
        share = shares[name] / predicted.raw
        bar.append(block * round(share * (columns - 2)), colour)
        legend.append(f"{block} ", colour).append(f"{words} {share:.1%}  ")
    return bar + legend + "\n"
