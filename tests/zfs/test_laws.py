"""What holds for every pool there could be."""

from hypothesis import given
from hypothesis import strategies as st

from emily_infra.zfs.capacity import Capacity, predict
from emily_infra.zfs.geometry import Copies, Draid, Layout, Raidz
from emily_infra.zfs.vdev import Top
from tests.zfs.measured import on_disks, on_files

ashifts = st.integers(9, 16)
sizes = st.integers(64 << 20, 30 * 10**12)
"""Bytes of a disk."""
records = st.integers(9, 24).map(lambda power: 1 << power)


@st.composite
def draids(draw: st.DrawFn) -> Draid:
    parity, data, spares = (
        draw(st.integers(1, 3)),
        draw(st.integers(1, 16)),
        draw(st.integers(0, 3)),
    )
    width = parity + data + spares + draw(st.integers(0, 20))
    return Draid(draw(ashifts), width, parity, data, spares)


@st.composite
def raidzs(draw: st.DrawFn) -> Raidz:
    parity = draw(st.integers(1, 3))
    return Raidz(draw(ashifts), draw(st.integers(parity + 1, 30)), parity)


layouts = st.one_of(st.builds(Copies, ashifts, st.integers(1, 6)), raidzs(), draids())


@st.composite
def pools(draw: st.DrawFn) -> Capacity:
    """One to four vdevs, of whatever kind and size, and perhaps a special one."""
    return predict(
        [*draw(st.lists(tops, min_size=1, max_size=4))],
        draw(st.lists(tops, max_size=1)),
    )


tops = st.builds(lambda layout, size: on_disks(layout, 1, size)[0], layouts, sizes)


@given(pools())
def test_the_parts_of_the_disks_add_up_and_none_is_negative(found: Capacity) -> None:
    parts = (
        found.parity, found.padding, found.rounding, found.embedded_log, found.slop,
        found.available,
    )  # fmt: skip

    assert sum(parts) == found.raw
    assert min(parts) >= 0


@given(pools(), records)
def test_what_fits_is_never_more_than_the_disks(found: Capacity, record: int) -> None:
    assert 0 <= found.fits(record) <= found.raw


@given(layouts, sizes, sizes)
def test_larger_disks_make_a_larger_pool(layout: Layout, one: int, other: int) -> None:
    small, large = (predict(on_files(layout, 1, size)) for size in sorted((one, other)))

    # A metaslab is set apart as log once there are 65, and metaslabs grow with the vdev.
    assert large.available + large.embedded_log >= small.available
    assert large.raw >= small.raw


@given(layouts, sizes, st.integers(1, 10))
def test_every_further_vdev_adds_room(layout: Layout, size: int, count: int) -> None:
    fewer, more = (predict(on_files(layout, number, size)) for number in (count, count + 1))

    assert more.available >= fewer.available
    assert more.size >= fewer.size


@given(raidzs(), sizes)
def test_a_wider_raidz_holds_more(layout: Raidz, size: int) -> None:
    wider = Raidz(layout.ashift, layout.width + 1, layout.parity)
    narrow, wide = (predict(on_files(each, 1, size)) for each in (layout, wider))

    assert wide.available + wide.embedded_log >= narrow.available


@given(raidzs(), sizes)
def test_more_parity_never_holds_more(layout: Raidz, size: int) -> None:
    weak, strong = (
        predict(on_files(Raidz(layout.ashift, 31, parity), 1, size)).available
        for parity in (layout.parity, layout.parity + 1)
    )

    assert strong <= weak


@given(tops, records)
def test_a_record_never_takes_less_than_its_own_sectors(top: Top, record: int) -> None:
    block = top.layout.block(record)

    assert block.data << top.layout.ashift >= record
    assert min(block) >= 0
