"""Layouts of the same disks side by side."""

from collections import Counter
from collections.abc import Iterator

from emily_infra.spec.units import Size
from emily_infra.zfs.layouts import Laid
from emily_infra.zfs.odds import Outlook, outlook
from emily_infra.zfs.prospect import chance, duration
from emily_infra.zfs.resilver import Span
from emily_infra.zfs.table import Fact, Units

RECORDS = tuple(map(Size.parse, ("16KiB", "128KiB", "1MiB")))
NONE = "-"


def column(laid: Laid, record: int, units: Units) -> Iterator[Fact]:
    """What is told of one layout, in the same order for each; RECORD is the smallest recordsize."""
    capacity = laid.capacity
    decimal, binary = units.amounts(capacity.available)
    found = outlook(capacity, record, laid.spares)
    yield Fact("vdevs", vdevs(laid))
    yield Fact("spares left over", str(laid.spares))
    yield Fact(f"usable, {units.decimal}", decimal)
    yield Fact(f"usable, {units.binary}", binary)
    yield Fact(f"parity, {units.decimal}", units.amounts(capacity.parity)[0])
    for size in RECORDS:
        yield Fact(f"fits at {size}, {units.decimal}", units.amounts(capacity.fits(size))[0])
    yield Fact("any may fail", str(weakest(laid)))
    yield Fact("at best", str(sum(top.layout.failures_survived for top in capacity.tops)))
    yield Fact("random reads", f"{capacity.readers:.3g} x a disk")
    yield Fact("resilver", duration(found.resilver) if found.resilver else NONE)
    yield from _odds(found)


def _odds(found: Outlook) -> Iterator[Fact]:
    spans: tuple[tuple[str, Span | None], ...] = (
        ("pool lost by then", found.lost_in_resilver),
        ("record lost by then", found.damaged_in_resilver),
        ("pool lost in a year", found.lost_in_year),
    )
    for name, span in spans:
        best, worst = map(chance, span) if span else (NONE, NONE)
        yield Fact(name, best)
        yield Fact("   at worst", worst)


def weakest(laid: Laid) -> int:
    """How many data disks may fail, whichever they are."""
    return min(top.layout.failures_survived for top in laid.capacity.tops)


def vdevs(laid: Laid) -> str:
    """How many vdevs of how many disks."""
    widths = Counter(top.layout.width for top in laid.capacity.tops)
    return " + ".join(f"{count} of {width}" for width, count in widths.items())


def as_data(laid: Laid, record: int) -> dict[str, object]:
    """The same for a program: bytes, days, odds."""
    capacity = laid.capacity
    found = outlook(capacity, record, laid.spares)
    return {
        "layout": laid.name,
        "vdevs": [top.layout.width for top in capacity.tops],
        "spares": laid.spares,
        "raw": capacity.raw,
        "size": capacity.size,
        "available": capacity.available,
        "parity": capacity.parity,
        "padding": capacity.padding,
        "failures_survived": weakest(laid),
        "failures_at_best": sum(top.layout.failures_survived for top in capacity.tops),
        "fits": {str(size): capacity.fits(size) for size in RECORDS},
        "random_reads": capacity.readers,
        "outlook": outlook_data(found),
    }


def outlook_data(found: Outlook) -> dict[str, dict[str, float] | None]:
    """The ranges by name: days, then odds."""
    spans = {
        "resilver_days": found.resilver,
        "lost_in_resilver": found.lost_in_resilver,
        "damaged_in_resilver": found.damaged_in_resilver,
        "lost_in_year": found.lost_in_year,
    }
    return {name: span and span._asdict() for name, span in spans.items()}


def tables(columns: dict[str, list[Fact]], width: int) -> Iterator[list[str]]:
    """The lines of tables that are at most WIDTH wide; the first layout stands in each of them."""
    first, *others = [_cells(name, facts) for name, facts in columns.items()]
    heads = ["", *(fact.what for fact in next(iter(columns.values())))]
    shown: list[list[str]] = [heads, first]
    for cells in others:
        if sum(map(_wide, (*shown, cells))) > width and len(shown) > 2:
            yield _lines(shown)
            shown = [heads, first]
        shown.append(cells)
    yield _lines(shown)


def _cells(name: str, facts: list[Fact]) -> list[str]:
    return [name, *(fact.text for fact in facts)]


def _wide(cells: list[str]) -> int:
    return max(map(len, cells)) + 2


def _lines(columns: list[list[str]]) -> list[str]:
    heads, *others = columns
    return [
        head.ljust(_wide(heads))
        + "".join(cell.rjust(_wide(cells)) for cell, cells in zip(line, others, strict=True))
        for head, *line in zip(*columns, strict=True)
    ]
