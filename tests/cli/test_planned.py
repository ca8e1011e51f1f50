"""A plan as a person reads it."""

import re
from dataclasses import replace

import pytest

from emily_infra.cli.plan import following
from emily_infra.cli.planned import as_text, verdict
from emily_infra.cli.reach import Where
from emily_infra.observe.deploys import Deploys, Lock
from emily_infra.plan import Plan
from emily_infra.plan import plan as planned
from emily_infra.plan.model import (
    Hazard,
    Step,
    UnitAction,
    UnitChange,
)
from tests.hosts import pebble
from tests.plan.machines import between, built, means, running

FRIEND = "192.168.1.7"
LOCKING_OUT = "network: { allow: [{ from: home, to: host, services: [smb] }] }"


def text(made: Plan, *, detailed: bool = False) -> str:
    return re.sub("\x1b\\[[0-9;]*m", "", "\n".join(as_text(made, detailed=detailed)))


def noop() -> Plan:
    return planned(pebble(), built(pebble()), running(pebble(), mark="b"), means())


def test_the_first_line_is_the_verdict() -> None:
    assert text(noop()).splitlines()[0] == (
        "pebble: nothing to do, it runs what host.yaml describes"
    )


def test_the_verdict_counts_what_a_person_would_ask_for() -> None:
    made = between(pebble(), pebble("storage: { pools: { tank: { datasets: { a: {} } } } }"))
    made = replace(made, units=(UnitChange("sshd.service", UnitAction.RESTART),))

    assert verdict(made) == "1 change, 1 storage step, 1 unit restart or stop, no reboot"


def test_what_cannot_be_undone_is_counted_and_says_how_it_is_asked_for() -> None:
    step = Step("add mirror to tank", Hazard.IRREVERSIBLE, "for good", word="irreversible:tank")
    offer = replace(step, title="enable features", word="upgrade:tank", offered=True)
    made = replace(noop(), steps=(step, offer))

    assert verdict(made) == "1 storage step (1 irreversible), no reboot"
    words = " ".join(text(made).split())
    assert "only on your word: type the pool's name when asked, or --accept irrev" in words
    assert "only if you ask for it: --accept upgrade:tank" in words


def test_what_is_only_offered_leaves_nothing_to_do() -> None:
    offer = Step("enable", Hazard.IRREVERSIBLE, "why", word="upgrade:tank", offered=True)

    assert replace(noop(), steps=(offer,)).is_noop


def test_what_apply_would_refuse_stands_in_the_verdict() -> None:
    made = between(pebble(), pebble(LOCKING_OUT), FRIEND)

    assert verdict(made).startswith("apply would refuse: lock-out, ")


def test_dangers_come_before_changes() -> None:
    lines = text(between(pebble(), pebble(LOCKING_OUT), FRIEND)).splitlines()

    assert lines.index("Watch out") < lines.index("What changes")


def test_the_hint_of_a_danger_leads_to_the_lab_that_was_asked() -> None:
    seen = replace(running(pebble()), deploys=Deploys(lock=Lock("20261121T080000Z-a", "ann", 0)))
    made = planned(pebble("samba: null"), built(pebble("samba: null")), seen, means())

    lines = " ".join(" ".join(as_text(made, Where(lab=True), detailed=False)).split())

    assert "how it ended: emily-infra history pebble --lab" in lines


def test_a_step_that_apply_never_takes_is_said_to_be_one() -> None:
    made = planned(pebble(), built(pebble()), replace(running(pebble()), pools=()), means())

    assert "  destructive: pool tank is not there" in text(made)
    assert "    not run by apply: zpool create" in text(made)


def test_an_untouched_connection_is_named() -> None:
    made = between(pebble(), pebble("system: { memory: { arc: 7GiB } }"), FRIEND)

    assert "  untouched: zone home, lan: 192.168.1.7 to 192.168.1.10 port 22" in text(made)


def test_a_unit_stands_with_its_reason() -> None:
    made = replace(noop(), units=(UnitChange("a.service", UnitAction.RELOAD, ("system.x",)),))

    assert "  ~ reload   a.service  system.x" in text(made)


def test_a_host_cannot_colour_the_screen() -> None:
    seen = running(pebble())
    who = replace(seen.identity, hostname="\x1b[31mnas")

    made = planned(pebble(), built(pebble()), replace(seen, identity=who), means())

    assert "\x1b[31mnas" not in "\n".join(as_text(made, detailed=True))


@pytest.mark.parametrize("columns", ["40", "80", "160"])
def test_prose_keeps_to_the_width(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    made = between(pebble(), pebble(LOCKING_OUT), FRIEND)

    assert max(map(len, text(made).splitlines())) <= int(columns)


def test_next_is_the_apply_of_this_very_plan() -> None:
    made = between(pebble(), pebble("system: { memory: { arc: 7GiB } }"))

    assert (
        following(made, pebble(), None, Where(lab=True)) == "next: emily-infra apply pebble --lab"
    )


def test_next_after_a_refusal_is_to_mend_it() -> None:
    made = between(pebble(), pebble(LOCKING_OUT), FRIEND)
    seen = replace(running(pebble()), deploys=Deploys(switching=True))
    locked = planned(pebble("samba: null"), built(pebble("samba: null")), seen, means())

    assert "--accept lock-out" in following(made, pebble(), None, Where())
    assert "emily-infra plan pebble" in following(locked, pebble(), None, Where())


def test_next_to_nothing_is_what_only_a_person_can_do() -> None:
    step = Step("shrink tank", Hazard.IMPOSSIBLE, "raidz keeps its disks")

    assert following(noop(), pebble(), None, Where()) == (
        "next: nothing for apply; pebble is as it should be"
    )
    assert "the storage steps above are yours" in following(
        replace(noop(), steps=(step,)), pebble(), None, Where()
    )
