"""`emily-infra capacity --compare`."""

import textwrap
from collections.abc import Mapping

from emily_infra.cli.output import say, tell, tell_json, width
from emily_infra.errors import EmilyError
from emily_infra.spec.storage import Pool
from emily_infra.spec.units import approximately
from emily_infra.zfs.comparison import as_data, column, tables
from emily_infra.zfs.layouts import Laid, NoLayout, Stock, wanted
from emily_infra.zfs.members import Disks
from emily_infra.zfs.prospect import assumptions
from emily_infra.zfs.table import smallest_record, units

NOW = "now"


class WhichPool(EmilyError):
    """Layouts that could be made of more than one pool."""

    code = "CAP002"


def print_comparison(
    host: str, disks: Disks, pools: Mapping[str, Pool], text: str, *, json: bool
) -> None:
    """Lay out the disks of one pool anew, and print all layouts side by side."""
    names = wanted(text)
    if not pools:
        say(f"{host} has no pools")
        return
    stock = chosen(host, [Stock(name, pool, disks) for name, pool in pools.items()], names)
    layouts = {NOW: stock.present, **{name: stock.groups(name) for name in names}}
    laid = [found for name, data in layouts.items() if (found := stock.lay(name, data))]
    if len(laid) < len(layouts):
        say(f"{stock.name}: a member is not among storage.disks; emily-infra check {host}")
        return
    record = smallest_record(stock.pool)
    if json:
        told = list(assumptions([each.capacity for each in laid], record))
        data = [as_data(each, record) for each in laid]
        tell_json({"pool": stock.name, "layouts": data, "assumptions": told})
    else:
        _print(stock, laid, record)


def chosen(host: str, stocks: list[Stock], names: tuple[str, ...]) -> Stock:
    """The pool of which all these layouts can be made; if none, that with the most disks."""
    able = [stock for stock in stocks if _can(stock, names)]
    if len(able) > 1:
        there = ", ".join(stock.name for stock in able)
        command = f"emily-infra capacity {host} --pool {able[0].name} --compare {','.join(names)}"
        raise WhichPool(
            f"--compare: these layouts can be made of each of the pools {there}", hint=command
        )
    return able[0] if able else max(stocks, key=lambda stock: len(stock.own))


def _can(stock: Stock, names: tuple[str, ...]) -> bool:
    try:
        return all(stock.groups(name) for name in names)
    except NoLayout:
        return False


def _print(stock: Stock, laid: list[Laid], record: int) -> None:
    count, raw = len(stock.own), approximately(laid[0].capacity.raw)
    tell(f"{stock.name}: {count} disks; those in use now have {raw}")
    shown = units(laid[0].capacity.raw)
    columns = {each.name: list(column(each, record, shown)) for each in laid}
    for table in tables(columns, width()):
        tell("\n" + "\n".join(line.rstrip() for line in table))
    notes = list(assumptions([each.capacity for each in laid], record))
    if stock.pool.special:
        weakest = min(vdev.failures_survived for vdev in stock.pool.special)
        notes.insert(0, f"special stays: any {weakest} of it may fail, and a year's odds have it.")
    tell("\n" + "\n".join(textwrap.wrap(" ".join(notes), width())))
