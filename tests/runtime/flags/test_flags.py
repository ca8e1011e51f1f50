"""A flag is on for the same identities everywhere, always, and only for its share of them."""

import subprocess
import sys
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emily_runtime.config.sections import Flag as Section
from emily_runtime.flags.flag import BUCKETS, Flag, bucket, prefix
from emily_runtime.flags.flags import Flags
from emily_runtime.flags.table import from_config
from emily_runtime.messages import Refused

DAY = date(2026, 11, 22)
RECALL = Flag("recall", 2_500, owner="mind", since=DAY)
IDS = [f"id-{number}" for number in range(100_000)]
SAID = """
from datetime import date
from emily_runtime.flags.flag import Flag
from emily_runtime.flags.flags import Flags
flags = Flags([Flag("recall", 2_500, owner="mind", since=date(2026, 11, 22))])
print(sum(flags.is_on("recall", f"id-{number}") << number for number in range(500)))
"""


def on(flag: Flag) -> set[str]:
    flags = Flags([flag])
    return {identity for identity in IDS if flags.is_on(flag.name, identity)}


@pytest.mark.parametrize("share", [0, 1, 100, 2_500, 9_999, 10_000])
def test_of_a_hundred_thousand_its_share_gets_it(share: int) -> None:
    got = len(on(replace(RECALL, share=share)))

    # four standard deviations of a binomial
    odds = share / BUCKETS
    assert abs(got - 1e5 * odds) <= 4 * (1e5 * odds * (1 - odds)) ** 0.5
    assert abs(got - 1e5 * odds) <= 1_000


def test_whoever_has_it_keeps_it_when_the_share_grows() -> None:
    tenth, quarter, half = (on(replace(RECALL, share=share)) for share in (1_000, 2_500, 5_000))

    assert tenth < quarter < half


def test_flags_fall_independently_of_one_another() -> None:
    both = on(RECALL) & on(replace(RECALL, name="recall2"))

    assert abs(len(both) - 6_250) <= 4 * 77


def test_five_processes_say_the_same() -> None:
    said = {
        subprocess.run([sys.executable, "-c", SAID], capture_output=True, check=True).stdout
        for _ in range(5)
    }

    here = Flags([RECALL])
    assert said == {b"%d\n" % sum(here.is_on("recall", IDS[at]) << at for at in range(500))}


@pytest.mark.parametrize(
    ("flag", "identity", "expected"),
    [("a", "b", 9151), ("recall", "가", 7162), ("a", "\ud800", 2709)],
)
def test_the_buckets_are_those_of_every_release(flag: str, identity: str, expected: int) -> None:
    assert bucket(prefix(flag), identity) == expected


@given(st.text(min_size=1), st.integers(0, BUCKETS))
def test_is_on_says_what_the_bucket_says(identity: str, share: int) -> None:
    flags = Flags([replace(RECALL, share=share)])

    assert flags.is_on("recall", identity) == (bucket(prefix("recall"), identity) < share)


def test_whoever_has_no_identity_is_in_no_share_but_the_whole() -> None:
    nearly, wholly = (Flags([replace(RECALL, share=share)]) for share in (BUCKETS - 1, BUCKETS))

    assert not nearly.is_on("recall", "")
    assert wholly.is_on("recall", "")


def test_somebody_may_be_named() -> None:
    flags = Flags([replace(RECALL, share=0, identities=frozenset({"ada"}))])

    assert flags.is_on("recall", "ada")
    assert not flags.is_on("recall", "bob")


def test_the_kill_switch_beats_everything() -> None:
    flag = replace(RECALL, share=BUCKETS, identities=frozenset({"ada"}))
    flags = Flags([flag])
    assert flags.is_on("recall", "ada")

    flags.reload([replace(flag, killed=True)])

    assert not flags.is_on("recall", "ada")
    assert not flags.is_on("recall", "bob")


def test_a_reload_that_is_refused_changes_nothing() -> None:
    flags = Flags([replace(RECALL, share=BUCKETS)])

    with pytest.raises(Refused):
        flags.reload([replace(RECALL, share=0), Flag("other", 10_001, owner="x", since=DAY)])

    assert flags.is_on("recall", "ada")


def test_a_flag_that_does_not_exist_is_off_and_remembered() -> None:
    flags = Flags([RECALL])

    assert not flags.is_on("recal", "ada")
    assert flags.unknown == {"recal"}
    flags.reload([replace(RECALL, name="recal")])
    assert not flags.unknown


def test_a_flag_has_an_age_and_is_old_after_a_while() -> None:
    older = replace(RECALL, name="older", since=date(2026, 1, 1))
    flags = Flags([RECALL, replace(RECALL, name="new", since=date(2027, 2, 1)), older])

    assert flags.all["recall"].age_days(date(2026, 12, 2)) == 10
    assert [flag.name for flag in flags.old(date(2027, 2, 20))] == ["older", "recall"]


def test_the_configuration_counts_in_percent() -> None:
    (flag,) = from_config({"recall": Section(12.34, ("ada",), owner="mind", since="2026-11-22")})

    assert flag == Flag("recall", 1_234, frozenset({"ada"}), owner="mind", since=DAY)


@pytest.mark.parametrize(
    ("section", "code"),
    [
        (Section(12.345, owner="mind", since="2026-11-22"), "EMY-6002"),
        (Section(1, owner="", since="2026-11-22"), "EMY-6003"),
        (Section(1, owner="mind"), "EMY-6003"),
        (Section(1, owner="mind", since="2026-02-30"), "EMY-6004"),
    ],
)
def test_what_a_flag_cannot_be_is_refused(section: Section, code: str) -> None:
    with pytest.raises(Refused) as refused:
        Flags(from_config({"recall": section}))

    assert refused.value.code == code
    assert "recall" in refused.value.told("ko")
