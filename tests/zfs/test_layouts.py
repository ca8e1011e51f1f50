"""Layouts of a pool's own disks."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emily_infra.spec.host import HostSpec
from emily_infra.zfs.capacity import capacity
from emily_infra.zfs.comparison import RECORDS, as_data, column, tables
from emily_infra.zfs.geometry import Copies, Draid, Raidz
from emily_infra.zfs.layouts import Laid, NoLayout, Stock, wanted
from emily_infra.zfs.table import units
from tests.hosts import over, shipped

COMPARED = ("raidz2x7x2", "raidz3x14x1", "mirror", "mirror3", "stripe", "draid2:5d:14c:1s")


def stock(spec: HostSpec | None = None, name: str = "ember") -> Stock:
    storage = (spec or shipped("ember").spec).storage
    return Stock(name, storage.pools[name], storage.disks)


def laid(name: str) -> Laid:
    found = stock().lay(name, stock().groups(name))
    assert found
    return found


def test_the_present_layout_written_out_is_the_present_pool() -> None:
    mine = stock()
    known = capacity(mine.pool, mine.disks)

    now = mine.lay("now", mine.present)

    assert now
    assert now.capacity == known
    assert laid("raidz2x7x2").capacity == known


@pytest.mark.parametrize("name", ["mirror", "raidz1x2x1", "stripe"])
def test_a_pool_of_partitions_is_compared_too(name: str) -> None:
    mine = stock(name="rpool")

    assert mine.lay(name, mine.groups(name))


@pytest.mark.parametrize(
    ("name", "shape", "count", "spares"),
    [
        ("raidz1x5x2", Raidz(12, 5, 1), 2, 4),
        ("mirror", Copies(12, 2), 7, 0),
        ("mirror3", Copies(12, 3), 4, 2),
        ("mirrorx4x3", Copies(12, 4), 3, 2),
        ("stripe", Copies(12, 1), 14, 0),
        ("draid", Draid(12, 14, 1, 8, 0), 1, 0),
        ("draid2:5d:14c:1s", Draid(12, 14, 2, 5, 1), 1, 0),
        ("draid3:2s:11c", Draid(12, 11, 3, 6, 2), 1, 3),
    ],
)
def test_a_layout_is_what_it_says(name: str, shape: object, count: int, spares: int) -> None:
    found = laid(name)

    assert [top.layout for top in found.capacity.tops] == [shape] * count
    assert found.spares == spares


def test_disks_are_taken_in_their_order_and_spares_last() -> None:
    part = "storage: { disks: { ata-X: { size: 12TB } }, pools: { ember: { spares: [ata-X] } } }"

    groups = stock(over(shipped("ember"), part).spec).groups("raidz1x5x3")

    assert groups[0].members == tuple(f"ata-HDD_{index}" for index in range(1, 6))
    assert groups[2].members[-1] == "ata-X"


@pytest.mark.parametrize(
    ("name", "says", "hint"),
    [
        ("", "'' is no layout", "raidz2x7x2"),
        ("raidz", "is no layout", "raidz2x7x2"),
        ("raidz4x7x2", "is no layout", "raidz2x7x2"),
        ("RAIDZ2x7x2", "is no layout", "raidz2x7x2"),
        ("raidz2x7", "is no layout", "KINDxWIDTHxCOUNT"),
        ("raidz2x-7x2", "is no layout", "raidz2x7x2"),
        ("mirror1", "is no layout", "mirror3"),
        ("raidz2x" + "9" * 5_000 + "x1", "is no layout", "raidz2x7x2"),
        ("\x1b[31mred", "is no layout", "raidz2x7x2"),
        ("raidz1x1x2", "a raidz1 of 1 disk does not exist", "raidz1x2x2"),
        ("raidz3x3x1", "a raidz3 of 3 disks does not exist", "raidz3x4x1"),
        ("raidz2x0x1", "a raidz2 of 0 disks", "raidz2x3x1"),
        ("mirrorx1x14", "a mirror of 1 disk", "mirrorx2x14"),
        ("raidz2x7x0", "has no vdev", "raidz2x7x1"),
        ("raidz2x7x3", "takes 21 disks, and ember has 14", "fewer vdevs"),
        ("raidz1x256x1", "no raidz1 wider than 255", "raidz1x255x1"),
        ("raidz2x9999x9999", "no raidz2 wider than 255", "raidz2x255"),
        ("raidz2x200x9999", "takes 1999800 disks", "fewer vdevs"),
        ("draid2:5d:15c", "takes 15 disks", "narrower"),
        ("draid2:5d:6c", "6 disks are less than 5 + 2 + 0", "at least d"),
        ("draid2:0d", "stripes without data", "draid2:1d"),
        ("draid2:5d:5d", "says one number twice", "c is all disks"),
        ("draid1:1d:300c", "no dRAID wider than 255", "several"),
        ("draid2:0c", "are less than", "at least d"),
    ],
)
def test_what_cannot_be_laid_is_said_with_what_to_do(name: str, says: str, hint: str) -> None:
    with pytest.raises(NoLayout) as error:
        stock().groups(name)

    assert says in str(error.value)
    assert str(error.value).startswith("--compare: ")
    assert "\x1b" not in str(error.value)
    assert hint in error.value.hint


@given(st.text(alphabet="raidzmostpe0123456789xcs:d,- \n٣", max_size=24))
def test_whatever_is_written_is_a_layout_or_an_error(text: str) -> None:
    for name in wanted(text):
        with suppress(NoLayout):
            found = stock().lay(name, stock().groups(name))
            assert found
            assert found.capacity.available >= 0


def test_a_layout_that_is_named_twice_is_shown_once() -> None:
    assert wanted(" mirror, raidz2x7x2 ,mirror") == ("mirror", "raidz2x7x2")


def test_a_hundred_layouts_are_too_many() -> None:
    with pytest.raises(NoLayout, match="100 layouts"):
        wanted(",".join(f"raidz2x{width}x1" for width in range(100)))


def test_reads_are_as_many_as_vdevs_or_copies() -> None:
    readers = [laid(name).capacity.readers for name in COMPARED]

    assert readers == [2, 1, 14, 12, 14, pytest.approx(13 / 7)]


def test_columns_say_what_the_data_says() -> None:
    found = laid("raidz2x7x2")

    told, data = dict(column(found, 16 << 10, units(found.capacity.raw))), as_data(found, 16 << 10)

    assert told["usable, TB"] == "111.75"
    assert told["vdevs"] == "2 of 7"
    assert told["any may fail"] == "2"
    assert data["available"] == found.capacity.available
    assert data["fits"] == {str(size): found.capacity.fits(size) for size in RECORDS}


@pytest.mark.parametrize("width", [40, 80, 160])
def test_tables_fit_the_terminal_and_each_has_the_present_layout(width: int) -> None:
    mine = stock()
    now = mine.lay("now", mine.present)
    assert now
    every = [now, *map(laid, COMPARED)]

    found = list(
        tables(
            {each.name: list(column(each, 16 << 10, units(now.capacity.raw))) for each in every},
            width,
        )
    )

    assert all(lines[0].split()[0] == "now" for lines in found)
    assert [name for lines in found for name in lines[0].split()[1:]] == list(COMPARED)
    if width > 40:  # a column of labels and two layouts take more than that
        assert max(len(line) for lines in found for line in lines) <= width
