"""Which snapshots are sent, and what each of them adds to."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emily_infra.backup import retention
from emily_infra.backup.catalogue import Bookmark, Snapshot
from emily_infra.backup.replication.asking import Copy, There
from emily_infra.backup.replication.choice import Source, base, steps
from emily_infra.backup.replication.faults import NoBase
from emily_infra.backup.settings import Policy

START = datetime(2026, 11, 1, tzinfo=UTC)
NOW = START + timedelta(days=400)
QUARTER = timedelta(minutes=15)


def taken(number: int, at: datetime | None = None, *, mine: bool = True) -> Snapshot:
    when = at or START + number * QUARTER
    name = f"emily-{when:%Y%m%dT%H%M%SZ}"
    return Snapshot("tank/db", name, number + 1, 1000 + number, when, 0, mine)


def there(copies: list[Snapshot], **keep: int) -> There:
    seconds = [int(each.creation.timestamp()) for each in copies]
    return There(
        into="vault/box", exists=bool(copies), settled=True, token=None, sealed=False,
        key_loaded=True, available=1 << 40, keep=Policy(**keep),
        snapshots=tuple(
            Copy(name=each.name, guid=each.guid, creation=at)
            for each, at in zip(copies, seconds, strict=True)
        ),
    )  # fmt: skip


def test_days_over_there_need_few_of_the_quarter_hours_here() -> None:
    day = [taken(number) for number in range(97)]

    chain = steps(Source("tank/db", day, []), there(day[:1], daily=30), NOW)

    assert [step.snapshot.guid for step in chain] == [96, 97]


@given(
    st.integers(1, 300), st.data(), st.fixed_dictionaries({"hourly": st.integers(0, 50),
                                                           "daily": st.integers(0, 9)}),
)  # fmt: skip
def test_the_far_side_ends_with_what_it_would_have_kept_of_all(
    count: int, data: st.DataObject, keep: dict[str, int]
) -> None:
    series = [taken(number) for number in range(count)]
    known = data.draw(st.integers(0, count))

    chain = steps(Source("tank/db", series, []), there(series[:known][-1:], **keep), NOW)

    held = series[:known][-1:] + [step.snapshot for step in chain]
    all_of_them = series[:known][-1:] + series[known:]
    assert kept(held, keep) == kept(all_of_them, keep)
    assert held[-1] == series[-1]


def kept(series: list[Snapshot], keep: dict[str, int]) -> set[str]:
    points = [retention.Point(str(each.guid), each.createtxg, each.creation) for each in series]
    return set(retention.kept({name: count for name, count in keep.items() if count}, points))


def test_each_adds_to_the_one_before() -> None:
    series = [taken(number) for number in range(30)]

    chain = steps(Source("tank/db", series, []), there([], frequent=8), NOW)

    bases = [step.base.full if step.base else None for step in chain]
    assert bases == [None, *(step.snapshot.full for step in chain[:-1])]


def test_a_bookmark_is_as_good_as_its_snapshot() -> None:
    old, new = taken(0), taken(1)
    mark = Bookmark("tank/db", "emily-barn-1", old.guid, old.createtxg, old.creation)

    chain = steps(Source("tank/db", [new], [mark]), there([old], daily=3), NOW)

    assert [step.base and step.base.full for step in chain] == ["tank/db#emily-barn-1"]


def test_what_is_not_ours_is_no_news_but_may_be_a_base() -> None:
    theirs, new = taken(0, mine=False), taken(1)

    chain = steps(Source("tank/db", [theirs, new], []), there([theirs], daily=3), NOW)

    assert [step.base and step.base.guid for step in chain] == [theirs.guid]
    assert steps(Source("tank/db", [theirs], []), there([], daily=3), NOW) == []


def test_what_a_wrong_clock_took_stays_here() -> None:
    good = taken(0)
    ahead, behind = taken(1, NOW + timedelta(days=1)), taken(2, START - timedelta(days=1))

    chain = steps(Source("tank/db", [good, ahead, behind], []), there([good], daily=3), NOW)

    assert chain == []


def test_something_newer_over_there_is_named() -> None:
    old, strange, new = taken(0), taken(50), taken(2)

    with pytest.raises(NoBase, match=f"its own way since {old.name}: {strange.name} came"):
        base(Source("tank/db", [old, new], []), there([old, strange]))
