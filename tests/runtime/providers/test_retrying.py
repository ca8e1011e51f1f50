"""A call is made again after a while that is drawn, and not before the provider wants it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emily_runtime.providers.failures import Busy, NoEntry, Rejected
from emily_runtime.providers.retrying import Patience, asked_wait

NOW = 1_795_350_000.0
DATE = "Sun, 22 Nov 2026 12:20:10 GMT"


@given(st.integers(0, 8), st.floats(0, 1, exclude_max=True))
def test_a_wait_is_drawn_below_a_limit_that_doubles(attempt: int, chance: float) -> None:
    patience = Patience(attempts=10, base=0.5, most=8.0, chance=lambda: chance)

    wait = patience.wait(attempt, Busy("claude", ""), 60.0)

    assert wait == chance * min(8.0, 0.5 * 2**attempt)


def test_what_the_provider_asked_for_comes_on_top() -> None:
    patience = Patience(chance=lambda: 0.5)

    assert patience.wait(0, Busy("claude", "", 7.0), 60.0) == 7.25


@pytest.mark.parametrize(
    ("attempt", "failure", "left"),
    [
        (2, Busy("claude", ""), 60.0),
        (0, NoEntry("claude", ""), 60.0),
        (0, Rejected("claude", ""), 60.0),
        (0, Busy("claude", "", 7.0), 6.0),
    ],
)
def test_where_it_makes_no_sense_nothing_is_made_again(
    attempt: int, failure: Busy, left: float
) -> None:
    assert Patience(chance=lambda: 0.0).wait(attempt, failure, left) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("", None),
        ("soon", None),
        ("1e999", None),
        ("nan", None),
        (DATE, 10.0),
        ("Sun, 22 Nov 1970 00:00:00 GMT", 0.0),
        ("Sun, 99 Nov 2026 12:20:10 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert asked_wait({"retry-after": text}, 1_795_350_000.0) == seconds
