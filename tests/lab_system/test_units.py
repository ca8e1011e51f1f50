"""Units are written as NixOS writes them."""

from typing import Any

import pytest

from emily_infra.lab.system.config import Config
from emily_infra.lab.system.units import UnknownUnitOption, triggers, units


def _service(**options: Any) -> str:
    (unit,) = units(Config({"systemd": {"services": {"a": options}}})).units
    return unit.text


def test_a_list_in_a_section_repeats_its_key() -> None:
    text = _service(serviceConfig={"SystemCallFilter": ["@a", "~@b"]})

    assert "SystemCallFilter=@a\nSystemCallFilter=~@b\n" in text


def test_a_list_of_dependencies_is_one_line() -> None:
    assert "After=x.target y.target\n" in _service(after=["x.target", "y.target"])


def test_a_boolean_is_written_as_a_word() -> None:
    assert "RemainAfterExit=true\n" in _service(serviceConfig={"RemainAfterExit": True})


def test_a_script_is_a_store_path_of_its_own() -> None:
    made = units(
        Config({"systemd": {"services": {"a@": {"script": "run $1", "scriptArgs": "%i"}}}})
    )

    assert "ExecStart=@store:unit-script-a_-start@ %i\n" in made.units[0].text
    assert made.scripts["unit-script-a_-start"].content.endswith("run $1\n")
    assert made.scripts["unit-script-a_-start"].executable


def test_packages_in_path_come_before_those_that_every_unit_has() -> None:
    text = _service(path=["@package:zfs@"])

    assert 'Environment="PATH=@package:zfs@/bin:@package:coreutils@/bin:' in text


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"restartIfChanged": False}, "X-RestartIfChanged=false"),
        ({"reloadIfChanged": True, "restartIfChanged": False}, "X-ReloadIfChanged=true"),
        ({"stopIfChanged": False}, "X-StopIfChanged=false"),
        ({"notSocketActivated": True}, "X-NotSocketActivated=true"),
    ],
)
def test_how_a_change_is_taken_over_stands_in_the_unit(options: dict[str, Any], line: str) -> None:
    assert f"\n{line}\n" in _service(**options)


def test_a_trigger_changes_when_a_text_does_and_a_path_is_its_own() -> None:
    assert triggers(["a"]) != triggers(["b"])
    assert triggers(["@store:smb.conf@"]) == "@store:smb.conf@"


def test_an_option_that_nobody_writes_is_an_error() -> None:
    with pytest.raises(UnknownUnitOption, match=r"systemd\.services\.a\.confinement"):
        _service(confinement={"enable": True})
