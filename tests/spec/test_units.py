"""Quantities carry their unit, and mean the same to us and to systemd."""

import os
import re
import subprocess
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from emily_infra.spec.units import Calendar, Duration, Quantity, Rate, Size

QUANTITIES = (Size, Rate, Duration)
every_quantity = pytest.mark.parametrize("kind", QUANTITIES)


@every_quantity
@given(amount=st.integers(0, 2**63 - 1))
def test_what_is_printed_reads_back_as_the_same_amount(kind: type[Quantity], amount: int) -> None:
    assert kind.parse(str(kind(amount))) == amount


@every_quantity
@given(whole=st.integers(0, 4_000), data=st.data())
def test_a_number_with_a_unit_is_that_many(
    kind: type[Quantity], whole: int, data: st.DataObject
) -> None:
    unit = data.draw(st.sampled_from(sorted(kind.units)))

    assert kind.parse(f"{whole}{unit}") == kind.parse(f"{whole} {unit}") == whole * kind.units[unit]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("12TB", 12 * 10**12), ("12TiB", 12 * 2**40), ("1.5GiB", 3 * 2**29), ("0B", 0), ("0.5KB",
        500),
        ("9223372036854775807B", 2**63 - 1), ("8191PiB", 8191 * 2**50), ("0.000001TB", 10**6),
    ],
)  # fmt: skip
def test_a_size_is_exact(text: str, amount: int) -> None:
    assert Size.parse(text) == amount


@pytest.mark.parametrize(
    ("kind", "text", "amount"),
    [
        (Rate, "1Gbps", 10**9), (Rate, "2.5Gbps", 25 * 10**8), (Rate, "56Kbps", 56_000),
        (Duration, "90d", 90 * 86_400_000), (Duration, "1.5h", 5_400_000), (Duration, "25s",
        25_000),
    ],
)  # fmt: skip
def test_a_rate_or_duration_is_exact(kind: type[Quantity], text: str, amount: int) -> None:
    assert kind.parse(text) == amount


@pytest.mark.parametrize(
    ("amount", "text"),
    [(12 * 10**12, "12TB"), (2**40, "1TiB"), (1536, "1536B"), (0, "0B"), (1_024_000, "1000KiB")],
)
def test_a_size_is_printed_in_the_largest_unit_that_divides_it(amount: int, text: str) -> None:
    assert str(Size(amount)) == repr(Size(amount)) == f"{Size(amount)}" == text


@every_quantity
@pytest.mark.parametrize(
    "value",
    [
        12, 12.5, True, None, "12", "", " 12TB", "12 TB ", "12tb", "TB", "-1TB", "+1TB", "1e3TB",
        "0x1TB", "12TB\n", "1,5TB", "1.TB", ".5TB", "1.0000001TB", "\u0661\u0662TB",
        "\uff11\uff12TB",
        "12  TB", "1_0TB", ("12TB",), {"12": "TB"}, "12TB 3GB", "inf", "nanB", "1" * 20 + "B",
        "1" * 100_000 + "B", "B" * 100_000, b"1TB",
    ],
)  # fmt: skip
def test_what_is_no_quantity_is_refused_with_an_example(
    kind: type[Quantity], value: object
) -> None:
    with pytest.raises(PydanticCustomError) as refused:
        kind.parse(value)

    assert (
        kind.example
        in refused.value.message_template.format(**refused.value.context or {})
        + (refused.value.context or {})["hint"]
    )
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0.5B", "not a whole number of B"),
        ("1.0001KB", "not a whole number of B"),
        ("9223372036854775808B", "too large"),
        ("8192PiB", "too large"),
        ("9999999999999999999PB", "too large"),
    ],
)
def test_a_size_that_cannot_be_counted_says_why(text: str, why: str) -> None:
    with pytest.raises(PydanticCustomError, match=why):
        Size.parse(text)


def test_a_bare_number_in_the_file_is_refused_even_where_it_would_fit() -> None:
    for kind in QUANTITIES:
        with pytest.raises(ValidationError, match="12 is not"):
            TypeAdapter(kind).validate_python(12)


@every_quantity
def test_the_schema_takes_what_the_parser_takes(kind: type[Quantity]) -> None:
    pattern = str(TypeAdapter(kind).json_schema()["pattern"])

    for text in (kind.example, f"1.5{next(reversed(kind.units))}", f"1 {next(iter(kind.units))}"):
        assert re.search(pattern, text)
        assert kind.parse(text)
    for text in ("12", "12XB", "-1B"):
        assert not re.search(pattern, text)


def test_seconds_are_rounded_up_so_that_a_limit_is_never_zero() -> None:
    assert [Duration(amount).seconds for amount in (0, 1, 999, 1000, 1001)] == [0, 1, 1, 1, 2]


CALENDARS = (
    "hourly",
    "daily",
    "weekly",
    "monthly",
    "00:00",
    "02:00",
    "23:59",
    "Mon 00:00",
    "Sun 04:05",
)
every_calendar = pytest.mark.parametrize("text", CALENDARS)


def next_elapses(calendar: str, count: int) -> list[str]:
    """The next times in UTC that systemd computes from the beginning of 2027."""
    command = ["systemd-analyze", "calendar", "--base-time=2027-01-01 UTC"]
    command += [f"--iterations={count}", calendar]
    environment = os.environ | {"TZ": "UTC"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return re.findall(r"(?:Next elapse|Iteration #\d+|Iter\. #\d+): \w+ (\S+ \S+) UTC", done.stdout)


@every_calendar
def test_systemd_fires_as_often_as_the_calendar_says(text: str) -> None:
    calendar = Calendar.parse(text)

    times = next_elapses(calendar.on_calendar, 14)

    assert len(times) == 14
    assert longest_gap(times) == timedelta(seconds=calendar.period.seconds)


def longest_gap(times: list[str]) -> timedelta:
    moments = [datetime.fromisoformat(time) for time in times]
    return max(later - earlier for earlier, later in pairwise(moments))


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("02:00", "2027-01-01 02:00:00"),
        ("Sun 04:05", "2027-01-03 04:05:00"),
        ("weekly", "2027-01-04 00:00:00"),
        ("monthly", "2027-02-01 00:00:00"),
    ],
)
def test_systemd_fires_at_the_time_written_in_utc(text: str, first: str) -> None:
    assert next_elapses(Calendar.parse(text).on_calendar, 1) == [first]


@pytest.mark.parametrize(
    "value",
    [
        "", "yearly", "24:00", "2:00", "02:60", "02:00:00", " 02:00", "02:00 ", "Sun",
        "Sun  04:00", "sun 04:00",
        "Sun,Mon 04:00", "Sunday 04:00", "Sun 04:00\n", "*-*-* 02:00", "\uff102:00", "0\u0662:00",
        None, 120, ("02:00",),
        "Sun 04:00 UTC", "daily\n", "x" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_calendar_is_refused_with_examples(value: object) -> None:
    with pytest.raises(PydanticCustomError, match="is not a time of day or week") as refused:
        Calendar.parse(value)

    assert "Sun 04:00" in (refused.value.context or {})["hint"]


@every_calendar
def test_the_schema_takes_every_calendar(text: str) -> None:
    pattern = str(TypeAdapter(Calendar).json_schema()["pattern"])

    assert re.search(pattern, text)
    assert not re.search(pattern, f" {text}")


def test_an_hour_with_an_odd_minute_keeps_it() -> None:
    assert Calendar.parse("Sun 04:05").on_calendar == "Sun *-*-* 04:05:00 UTC"
    assert str(Calendar.parse("Sun 04:05")) == "Sun 04:05"
