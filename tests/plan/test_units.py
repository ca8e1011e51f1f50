"""What a switch does to units, case by case as switch-to-configuration decides it."""

import pytest

from emily_infra.observe.units import Unit, Units
from emily_infra.plan.model import UnitAction
from emily_infra.plan.unitfile import Difference, compared, parsed
from emily_infra.plan.units import Switch, escaped, mounts
from tests.hosts import over, pebble, shipped

PLAIN = "[Service]\nExecStart=/bin/a\n"
OTHER = "[Service]\nExecStart=/bin/b\n"


def switched(
    old: dict[str, str], new: dict[str, str], states: dict[str, str] | None = None
) -> dict[str, UnitAction]:
    """What happens to each unit; whatever has an old file runs unless STATES says otherwise."""
    active = dict.fromkeys((n for n in old if ".d/" not in n and "@." not in n), "active")
    loaded = tuple(Unit(n, "loaded", s, "") for n, s in (active | (states or {})).items())
    wanted = frozenset(name for name in new if ".d/" not in name)
    found = Switch(Units(loaded=loaded), old, new, wanted).changes()
    return {each.unit: each.action for each in found}


def difference(old: str, new: str) -> Difference:
    return compared(*(parsed("a.service", "a.service", {"a.service": t}) for t in (old, new)))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (PLAIN, PLAIN, Difference.NONE),
        (PLAIN, OTHER, Difference.RESTART),
        (PLAIN, "[Unit]\nDescription=a\n" + PLAIN, Difference.NONE),
        (PLAIN, "[Unit]\nAfter=b.service\n" + PLAIN, Difference.RESTART),
        (PLAIN, "[Install]\nWantedBy=x.target\n" + PLAIN, Difference.NONE),
        (PLAIN, "[Unit]\nX-Reload-Triggers=1\n" + PLAIN, Difference.RELOAD),
        ("[Unit]\nX-Reload-Triggers=1\n" + PLAIN, PLAIN, Difference.NONE),
        ("[Unit]\nX-Reload-Triggers=1\n" + PLAIN, "[Unit]\nX-Reload-Triggers=2\n" + OTHER,
         Difference.RESTART),
        ("[Mount]\nOptions=ro\n", "[Mount]\nOptions=rw\n", Difference.RELOAD),
        ("[Mount]\nType=ext4\n", "[Mount]\nType=zfs\n", Difference.RESTART),
        ("[Mount]\nType=zfs\n", "[Mount]\nType=zfs\nOptions=rw\n", Difference.RESTART),
        (PLAIN, "# a word\n" + PLAIN, Difference.NONE),
        (PLAIN, PLAIN + "ExecStart=\nExecStart=/bin/a\n", Difference.NONE),
        (PLAIN, PLAIN + "[Timer]\n", Difference.RESTART),
    ],
)  # fmt: skip
def test_two_versions_of_a_unit(old: str, new: str, expected: Difference) -> None:
    assert difference(old, new) is expected


@pytest.mark.parametrize(
    ("name", "words", "expected"),
    [
        ("a.service", "", UnitAction.RESTART),
        ("a.service", "X-StopIfChanged=false\n", UnitAction.RESTART),
        ("a.service", "X-RestartIfChanged=false\n", UnitAction.KEEP),
        ("a.service", "X-ReloadIfChanged=true\n", UnitAction.RELOAD),
        ("a.service", "[Unit]\nRefuseManualStop=true\n", UnitAction.KEEP),
        ("a.service", "[Unit]\nX-OnlyManualStart=true\n", UnitAction.KEEP),
        ("a.timer", "", UnitAction.RESTART),
        ("a.mount", "", UnitAction.RESTART),
        ("nix.mount", "", UnitAction.RELOAD),
        ("-.mount", "", UnitAction.RELOAD),
    ],
)
def test_a_running_unit_whose_file_changed(name: str, words: str, expected: UnitAction) -> None:
    assert switched({name: PLAIN + words}, {name: OTHER + words}) == {name: expected}


@pytest.mark.parametrize("name", ["a.socket", "a.slice", "multi-user.target"])
def test_some_kinds_are_never_restarted(name: str) -> None:
    assert switched({name: PLAIN}, {name: OTHER}) == {}


def test_a_unit_that_goes_is_stopped() -> None:
    assert switched({"a.service": PLAIN}, {}) == {"a.service": UnitAction.STOP}


def test_a_unit_that_goes_may_ask_to_run_on() -> None:
    assert switched({"a.service": "[Unit]\nX-StopOnRemoval=false\n"}, {}) == {}


def test_a_unit_that_does_not_run_is_not_restarted() -> None:
    states = {"a.service": "inactive"}

    assert switched({"a.service": PLAIN}, {"a.service": OTHER}, states) == {}


def test_a_new_unit_that_a_target_wants_is_started() -> None:
    assert switched({}, {"a.service": PLAIN}) == {"a.service": UnitAction.START}


def test_a_new_unit_that_nothing_wants_is_not_started() -> None:
    switch = Switch(Units(), {}, {"a.service": PLAIN}, frozenset())

    assert list(switch.changes()) == []


def test_a_failed_unit_is_tried_again() -> None:
    found = switched({"a.service": PLAIN}, {"a.service": PLAIN}, {"a.service": "failed"})

    assert found == {"a.service": UnitAction.START}


def test_a_socket_is_restarted_with_the_service_that_it_starts() -> None:
    old = {"a.service": PLAIN, "a.socket": "[Socket]\n"}

    found = switched(old, old | {"a.service": OTHER})

    assert found == {"a.service": UnitAction.RESTART, "a.socket": UnitAction.RESTART}


def test_an_instance_follows_its_template() -> None:
    states = {"a@1.service": "active"}

    found = switched({"a@.service": PLAIN}, {"a@.service": OTHER}, states)

    assert found["a@1.service"] is UnitAction.RESTART


def test_a_drop_in_counts_as_part_of_the_unit() -> None:
    old = {"a.service": PLAIN}

    found = switched(old, old | {"a.service.d/overrides.conf": "[Service]\nNice=5\n"})

    assert found == {"a.service": UnitAction.RESTART}


def test_a_unit_that_is_not_of_the_system_is_left_alone() -> None:
    assert switched({}, {}, {"session-1.scope": "active", "home.mount": "active"}) == {}


def test_a_new_dataset_is_mounted_and_one_that_goes_is_unmounted() -> None:
    media = "storage: { pools: { tank: { datasets: { media: { mountpoint: /srv/my-media } } } } }"
    old, new = pebble().spec, pebble(media).spec

    (came,), (went,) = mounts(old, new), mounts(new, old)

    assert (came.unit, came.action) == (r"srv-my\x2dmedia.mount", UnitAction.START)
    assert went.action is UnitAction.STOP


def test_a_mount_that_only_gets_other_options_is_remounted() -> None:
    first = "storage: { pools: { ember: { datasets: { code: { needed_for_boot: true } } } } }"
    ember = shipped("ember")

    (change,) = mounts(ember.spec, over(ember, first).spec)

    assert (change.unit, change.action) == ("srv-code.mount", UnitAction.RELOAD)


@pytest.mark.parametrize(
    ("path", "unit"),
    [("/", "-"), ("/srv/a-b", r"srv-a\x2db"), ("/.x", r"\x2ex"), ("/dev/x:1", "dev-x:1"),
     ("/ü", r"\xc3\xbc")],
)  # fmt: skip
def test_a_path_is_escaped_as_systemd_does_it(path: str, unit: str) -> None:
    assert escaped(path) == unit
