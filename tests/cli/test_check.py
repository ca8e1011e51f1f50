"""`emily-infra check` as a person meets it."""

import json
from pathlib import Path

import pytest

from tests.cli.command import emily, project, text_of

BROKEN = (
    text_of("pebble")
    .replace("host_id: 5eb1e000", "host_id: nope\n  host_id: 5eb1e000")
    .replace("size: 4TB, bay: 1", "size: 4, bay: 1")
)


def test_a_sound_host_passes_and_says_so(tmp_path: Path) -> None:
    done = emily(project(tmp_path, pebble=text_of("pebble")), "check")

    assert done.code == 0
    assert "1 host checked" in done.err


def test_faults_of_yaml_and_of_the_model_are_reported_in_one_run(tmp_path: Path) -> None:
    done = emily(project(tmp_path, pebble=BROKEN), "check", "--json")

    assert done.code == 1
    assert {"YML010", "SPC004"} <= {f["code"] for f in json.loads(done.out)["findings"]}


def test_every_broken_host_is_reported_in_one_run(tmp_path: Path) -> None:
    done = emily(
        project(tmp_path, one="emily: 2", two="emily: [", three=text_of("pebble")), "check"
    )

    assert "hosts/one/host.yaml:1:8: error" in done.out
    assert "hosts/two/host.yaml:1:" in done.out


def test_a_finding_shows_the_line_with_the_fault_underlined(tmp_path: Path) -> None:
    done = emily(project(tmp_path, pebble=BROKEN), "check")

    lines = done.out.splitlines()
    where = next(i for i, line in enumerate(lines) if "size: 4, bay: 1" in line)
    marked = lines[where + 1]
    assert lines[where][marked.index("^")] == "4"
    assert marked.count("^") == 1


@pytest.mark.parametrize("columns", [80, 160])
def test_no_line_is_wider_than_the_terminal(tmp_path: Path, columns: int) -> None:
    long = BROKEN.replace("weekly", "a" * 500)

    done = emily(project(tmp_path, pebble=long), "check", columns=columns)

    assert max(len(line) for line in done.out.splitlines()) <= columns


def test_a_rule_that_compares_hosts_sees_the_fleet_even_if_one_is_asked_for(tmp_path: Path) -> None:
    folder = project(tmp_path, one=text_of("pebble"), two=text_of("pebble"))

    done = emily(folder, "check", "one", "--json")

    found = json.loads(done.out)["findings"]
    assert "SYS001" in {f["code"] for f in found}
    assert {f["host"] for f in found} == {"one"}


def test_warnings_can_be_made_to_fail(tmp_path: Path) -> None:
    stale = text_of("pebble") + (
        "acknowledge:\n  - { code: STO004, at: storage, reason: nothing of the kind }\n"
    )
    folder = project(tmp_path, pebble=stale)

    assert emily(folder, "check").code == 0
    assert emily(folder, "check", "--fail-on", "warning").code == 1


def test_an_acknowledged_finding_is_listed_with_its_reason(tmp_path: Path) -> None:
    done = emily(project(tmp_path, ember=text_of("ember")), "check", "ember", columns=160)

    assert done.code == 0
    assert "acknowledged STO004" in done.out
    assert "accepted: two NVMe slots only" in done.out


def test_a_control_character_of_the_file_never_reaches_the_terminal(tmp_path: Path) -> None:
    hostile = text_of("pebble").replace("state_version", '"\\u202e\\x1b[2J"')

    done = emily(project(tmp_path, pebble=hostile), "check")

    assert done.code == 1
    assert not {"\x1b", "\u202e"} & set(done.out + done.err)
