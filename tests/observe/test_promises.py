"""Promises about backups, held against what a machine wrote down."""

from collections.abc import Mapping

import pytest

from emily_infra.cli.moments import span
from emily_infra.observe.backups import Backups, backups
from emily_infra.observe.promises import broken
from emily_infra.observe.trouble import Weight
from tests.hosts import pebble
from tests.observe.made import seen
from tests.observe.pebble import NOW, SECTIONS

HOUR, DAY = 3600, 86400
KEPT: dict[str, Mapping[str, int]] = {
    "copied": {"shed": NOW - HOUR},
    "drilled": {"shed": NOW - DAY},
    "snapshots": {"tank/home": NOW - HOUR},
}


def told(found: Backups) -> list[tuple[Weight, str]]:
    return [(each.weight, each.message) for each in broken(pebble().spec, found, NOW, span)]


def test_on_a_good_day_every_promise_is_kept() -> None:
    assert told(seen(SECTIONS).backups) == []


@pytest.mark.parametrize(
    ("late", "message"),
    [
        ({"copied": {"shed": NOW - 27 * HOUR}}, "newest copy in shed: 27 h old, promised within"),
        ({"drilled": {"shed": NOW - 9 * DAY}}, "newest drill of shed: 9 days old, promised within"),
        ({"snapshots": {"tank/home": NOW - 3 * HOUR}}, "newest snapshot of tank/home: 3 h old"),
        ({"failed": frozenset({"shed"})}, "the last drill of shed did not give back"),
    ],
)
def test_what_is_late_is_wrong(late: Mapping[str, Mapping[str, int]], message: str) -> None:
    [(weight, said)] = told(Backups(**{**KEPT, **late}))  # type: ignore[arg-type]

    assert weight is Weight.WRONG
    assert said.startswith(message)


def test_what_never_was_is_a_note_for_a_new_host_has_nothing_yet() -> None:
    assert {weight for weight, _ in told(Backups())} == {Weight.NOTE}


def test_figures_that_are_no_numbers_are_passed_over() -> None:
    text = 'emily_backup_last_success_timestamp_seconds{repository="shed"} 1e999\nrubbish\n'

    assert backups({"a.prom": text}) == Backups()
