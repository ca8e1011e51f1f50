"""What the difference between two versions of a unit asks for, rule by rule."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emily_infra.lab.system.guest.unit import Change, Folder, State, compare, flag, parse

_SERVICE = "[Unit]\nDescription=a\n[Service]\nExecStart=/a\n"


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        (_SERVICE, _SERVICE, Change.NONE),
        (_SERVICE, _SERVICE.replace("=a\n", "=b\n"), Change.NONE),
        (_SERVICE, _SERVICE.replace("=/a", "=/b"), Change.RESTART),
        (_SERVICE, f"{_SERVICE}Restart=always\n", Change.RESTART),
        (f"{_SERVICE}Restart=always\n", _SERVICE, Change.RESTART),
        (_SERVICE, f"{_SERVICE}ExecReload=/r\n", Change.RELOAD),
        (f"{_SERVICE}ExecReload=/r\n", f"{_SERVICE}ExecReload=/s\n", Change.RELOAD),
        (f"{_SERVICE}ExecReload=/r\n", _SERVICE, Change.NONE),
        ("[Unit]\nX-Reload-Triggers=a\n", "[Unit]\nX-Reload-Triggers=b\n", Change.RELOAD),
        ("[Unit]\n", "[Unit]\nX-Reload-Triggers=b\n", Change.RELOAD),
        ("[Unit]\nX-Reload-Triggers=a\n", "[Unit]\n", Change.NONE),
        ("[Unit]\nX-Restart-Triggers=a\n", "[Unit]\nX-Restart-Triggers=b\n", Change.RESTART),
        ("[Unit]\nOnFailure=a\n", "", Change.NONE),
        ("[Unit]\nAfter=a\n", "", Change.RESTART),
        ("", "[Unit]\nX-Reload-Triggers=a\n", Change.RELOAD),
        ("", "[Service]\nExecReload=/r\n", Change.RELOAD),
        ("", "[Service]\nExecStart=/r\n", Change.RESTART),
        ("", "[Unit]\nOnFailure=a\n[Service]\nExecReload=/r\n", Change.RESTART),
        ("[Service]\n", "", Change.RESTART),
        ("[Mount]\nOptions=ro\n", "[Mount]\nOptions=rw\n", Change.RELOAD),
        ("[Mount]\nWhat=a\n", "[Mount]\nWhat=b\n", Change.RESTART),
        ("[Mount]\nWhat=a\n", "[Mount]\nWhat=a\nOptions=rw\n", Change.RESTART),
        ("[Install]\nWantedBy=a\n", "[Install]\nWantedBy=b\n", Change.NONE),
    ],
)
def test_a_change_asks_for_what_nixos_does(old: str, new: str, change: Change) -> None:
    assert compare(parse(old), parse(new)) is change


def test_an_empty_value_forgets_those_before_it() -> None:
    unit = parse("[Service]\nExecStart=/a\n", "[Service]\nExecStart=\nExecStart=/b\n")

    assert unit["Service"]["ExecStart"] == ["/b"]


def test_comments_are_no_settings() -> None:
    assert parse("# a=b\n[Unit]\n;c=d\nAfter=e\n") == {"Unit": {"After": ["e"]}}


@pytest.mark.parametrize(("word", "meant"), [("true", True), ("1", True), ("no", False)])
def test_the_last_of_several_words_counts(word: str, *, meant: bool) -> None:
    unit = parse(f"[Unit]\nX-OnlyManualStart=yes\nX-OnlyManualStart={word}\n")

    assert flag(unit, "Unit", "X-OnlyManualStart", default=True) is meant


_KEYS = st.sampled_from(["Description", "After", "ExecStart", "ExecReload", "X-Reload-Triggers"])
_UNITS = st.dictionaries(
    st.sampled_from(["Unit", "Service", "Mount"]),
    st.dictionaries(_KEYS, st.lists(st.sampled_from("ab"), min_size=1, max_size=2), min_size=1),
)


@given(_UNITS)
def test_a_unit_does_not_differ_from_itself(unit: dict[str, dict[str, list[str]]]) -> None:
    assert compare(unit, unit) is Change.NONE


@given(_UNITS, _UNITS)
def test_whoever_runs_another_command_is_restarted(
    one: dict[str, dict[str, list[str]]], other: dict[str, dict[str, list[str]]]
) -> None:
    commands = [unit.get("Service", {}).get("ExecStart") for unit in (one, other)]

    if commands[0] != commands[1]:
        assert compare(one, other) is Change.RESTART


def _folder(tmp_path: Path) -> Folder:
    for name in ("own", "vendor"):
        (tmp_path / name).mkdir()
    return Folder(tmp_path / "own", tmp_path / "vendor")


def test_a_drop_in_adds_to_a_unit_of_the_distribution(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    (tmp_path / "vendor/a.service").write_text("[Service]\nExecStart=/a\n")
    (tmp_path / "own/a.service.d").mkdir()
    (tmp_path / "own/a.service.d/overrides.conf").write_text("[Service]\nUser=b\n")

    assert folder.read("a.service") == {"Service": {"ExecStart": ["/a"], "User": ["b"]}}
    assert folder.describes("a.service")


def test_a_unit_that_is_linked_to_nothing_is_masked(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    (tmp_path / "own/a.service").symlink_to("/dev/null")

    assert folder.state("a.service") is State.MASKED
    assert folder.state("b.service") is State.MISSING


def test_an_instance_is_its_template(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    (tmp_path / "own/a@.service").write_text("[Service]\nExecStart=/a\n")

    assert folder.read("a@x.service") == {"Service": {"ExecStart": ["/a"]}}
    assert folder.state("a@x.service") is State.PRESENT
