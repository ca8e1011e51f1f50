"""Findings that a person accepts stay listed, and only for as long as was said."""

from datetime import date

import pytest

from emily_infra.check import check
from emily_infra.check.acknowledgement import EXPLANATIONS
from emily_infra.check.rule import RULES, Standing
from emily_infra.findings import Explanation, Finding
from emily_infra.spec.host import Host
from tests.hosts import TODAY, codes, findings, over, pebble, shipped

NO_DRILL = "backup: { drill: null }"


def acknowledging(*entries: str, part: str = NO_DRILL) -> Host:
    """pebble without drills, and entries such as `BAK007 at backup`."""
    lines = [f"  - {{ code: {entry.replace(' at ', ', at: ')}" for entry in entries]
    lines = [f"{line}, reason: a drill is set up }}" for line in lines]
    return pebble("\n".join([part, "acknowledge:", *lines]))


def on(day: str, host: Host) -> list[Finding]:
    return check({host.name: host}, date.fromisoformat(day))


def test_an_acknowledged_finding_is_listed_with_its_reason() -> None:
    host = acknowledging("BAK007 at backup")

    [drill] = [finding for finding in findings(host) if finding.code == "BAK007"]

    assert drill.acknowledged == "a drill is set up"
    assert not drill.blocks
    assert not {code for code in codes(host) if code.startswith("ACK")}


def test_an_acknowledgement_holds_until_the_end_of_its_day() -> None:
    host = acknowledging("BAK007 at backup, until: 2027-06-30")

    assert all(f.code != "BAK007" or f.acknowledged for f in on("2027-06-30", host))
    assert any(f.code == "BAK007" and not f.acknowledged for f in on("2027-07-01", host))


def test_an_acknowledgement_that_has_run_out_is_named_with_its_date() -> None:
    host = acknowledging("BAK007 at backup, until: 2026-11-20")

    [over] = [finding for finding in findings(host) if finding.code == "ACK001"]

    assert over.message == "BAK007 at backup was accepted until 2026-11-20"
    assert "acknowledge" in str(over.place)


def test_of_two_acknowledgements_the_one_that_still_holds_counts() -> None:
    host = acknowledging("BAK007 at backup, until: 2020-01-01", "BAK007 at backup")

    assert "BAK007" not in codes(host)
    assert "ACK001" in codes(host)


def test_an_acknowledgement_covers_what_stands_below_its_place() -> None:
    part = "secrets: { old: {}, older: {} }"

    assert "SEC003" not in codes(acknowledging("SEC003 at secrets", part=part))


def test_an_acknowledgement_does_not_cover_a_name_that_only_begins_alike() -> None:
    host = acknowledging("SEC003 at secrets.old", part="secrets: { old: {}, older: {} }")

    left = [f.place for f in findings(host) if f.code == "SEC003" and not f.acknowledged]

    assert left == [("secrets", "older")]


def test_an_acknowledgement_of_one_item_does_not_cover_its_neighbour() -> None:
    entry = 'code: STO004, at: "storage.pools.ember.special[1]", reason: a drill is set up'
    host = over(shipped("ember"), f"acknowledge: [{{ {entry} }}]")

    assert {"STO004", "ACK002"} <= codes(host)


def test_an_acknowledgement_of_something_that_does_not_occur_is_stale() -> None:
    host = acknowledging("BAK007 at backup, until: 2020-01-01", part="")

    [stale] = [finding for finding in findings(host) if finding.code.startswith("ACK")]

    assert stale.code == "ACK002"
    assert stale.message == "BAK007 at backup is acknowledged but does not occur"


def test_a_code_that_no_rule_has_is_named_with_the_nearest_one() -> None:
    host = acknowledging("BAK077 at backup", part="")

    [unknown] = [finding for finding in findings(host) if finding.code == "ACK002"]

    assert unknown.message == "no rule has the code BAK077"
    assert unknown.hint.startswith("did you mean BAK0")


@pytest.mark.parametrize(
    "code", [code for code, rule in RULES.items() if rule.standing is Standing.CONTRADICTION]
)
def test_a_contradiction_cannot_be_acknowledged(code: str) -> None:
    host = acknowledging(f"{code} at samba", part="")

    [refused] = [finding for finding in findings(host) if finding.code.startswith("ACK")]

    assert refused.code == "ACK003"
    assert refused.blocks


def test_an_acknowledged_contradiction_still_blocks() -> None:
    part = "samba: { shares: { home: { dataset: tank/nowhere } } }"
    host = acknowledging("SMB001 at samba.shares.home", part=part)

    assert {"SMB001", "ACK003"} <= {f.code for f in findings(host) if f.blocks}


def test_an_acknowledgement_on_one_host_says_nothing_about_another() -> None:
    one, other = acknowledging("BAK007 at backup"), pebble(NO_DRILL, "other")

    open_ones = [f for f in findings(one, other) if f.code == "BAK007" and not f.acknowledged]

    assert [f.host for f in open_ones] == ["other"]


def test_acknowledgements_about_acknowledgements_are_unknown() -> None:
    host = acknowledging("ACK002 at acknowledge", part="")

    assert [f.message for f in findings(host) if f.code == "ACK002"] == [
        "no rule has the code ACK002"
    ]


@pytest.mark.parametrize("entry", EXPLANATIONS, ids=lambda entry: entry.code)
def test_the_stories_about_acknowledgements_are_true(entry: Explanation) -> None:
    wrong = {f.code: f for f in findings(pebble(entry.wrong))}

    assert wrong[entry.code].severity is entry.severity
    assert wrong[entry.code].location.text.strip()
    assert entry.code not in codes(pebble(entry.right))


def test_every_finding_of_a_rule_has_a_place_that_can_be_acknowledged() -> None:
    for rule in RULES.values():
        problems = rule.check({"pebble": pebble(NO_DRILL)})

        assert all(problem.at for problem in problems), rule.code


def test_the_same_day_gives_the_same_findings() -> None:
    host = acknowledging("BAK007 at backup", "STO004 at storage")

    assert findings(host) == check({host.name: host}, TODAY)
