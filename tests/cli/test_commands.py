"""The other commands, and what holds for all of them."""

import json
import subprocess
import sys
from pathlib import Path as FilePath

import jsonschema
import pytest
import yaml

from emily_infra.check.catalogue import catalogue
from emily_infra.errors import EmilyError
from emily_infra.findings import Explanation, Path
from emily_infra.spec.codes import EXPLANATIONS
from emily_infra.spec.load import parse
from emily_infra.spec.source import read
from tests.cli.command import emily, project, text_of
from tests.hosts import ROOT, as_host, shipped

COMMANDS = (
    "init", "check", "render", "show", "status", "drift", "generations", "history", "capacity",
    "explain", "schema",
)  # fmt: skip


def test_help_names_every_command(tmp_path: FilePath) -> None:
    done = emily(tmp_path, "--help")

    assert all(f"  {name} " in done.out for name in COMMANDS)
    assert "..." not in done.out.partition("Commands:")[2]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_that_fits_the_terminal(tmp_path: FilePath, command: str) -> None:
    done = emily(tmp_path, command, "--help")

    assert done.code == 0
    assert max(map(len, done.out.splitlines())) <= 80


def test_the_version_is_printed(tmp_path: FilePath) -> None:
    assert emily(tmp_path, "--version").out.startswith("emily-infra ")


@pytest.mark.parametrize("arguments", [["--nope"], ["nope"], ["show"], ["check", "--fail-on", "x"]])
def test_wrong_usage_is_exit_code_1_with_a_way_to_help(
    tmp_path: FilePath, arguments: list[str]
) -> None:
    done = emily(tmp_path, *arguments)

    assert done.code == 1
    assert "Usage: emily-infra" in done.err


def test_outside_of_a_project_the_way_to_begin_is_named(tmp_path: FilePath) -> None:
    done = emily(tmp_path, "check")

    assert done.code == 1
    assert "emily-infra init HOST" in done.err


def test_a_misspelt_host_is_met_with_the_near_one(tmp_path: FilePath) -> None:
    done = emily(project(tmp_path, pebble=text_of("pebble")), "check", "peble")

    assert "did you mean pebble?" in done.err


def test_a_starter_passes_check_and_renders(tmp_path: FilePath) -> None:
    assert emily(tmp_path, "init", "new-box").code == 0

    done = emily(tmp_path, "check")

    assert done.code == 0
    assert emily(tmp_path, "render").code == 0


def test_a_starter_never_overwrites(tmp_path: FilePath) -> None:
    project(tmp_path, box="mine")

    done = emily(tmp_path, "init", "box")

    assert done.code == 1
    assert (tmp_path / "hosts/box/host.yaml").read_text() == "mine"


def test_two_starters_have_two_host_ids(tmp_path: FilePath) -> None:
    emily(tmp_path, "init", "one")
    emily(tmp_path, "init", "two")

    ids = {p.read_text().partition("host_id: ")[2][:8] for p in tmp_path.glob("hosts/*/host.yaml")}

    assert len(ids) == 2


@pytest.mark.parametrize("name", ["ember", "pebble"])
def test_a_resolved_spec_is_itself_a_host_yaml_that_means_the_same(name: str) -> None:
    done = emily(ROOT, "show", name, "--resolved")

    assert as_host(name, done.out).spec == shipped(name).spec


@pytest.mark.parametrize("columns", [80, 160])
def test_the_overview_fits_the_terminal(columns: int) -> None:
    done = emily(ROOT, "show", "ember", columns=columns)

    assert "management" in done.out
    assert "111.75 TB" in done.out
    assert max(map(len, done.out.splitlines())) <= columns


@pytest.mark.parametrize("name", ["ember", "pebble"])
def test_the_json_schema_accepts_the_shipped_hosts(name: str) -> None:
    schema = json.loads(emily(ROOT, "schema").out)

    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(json.dumps(read(name, text_of(name).encode())[0].data)), schema)


def test_the_json_schema_refuses_an_unknown_key() -> None:
    schema = json.loads(emily(ROOT, "schema").out)
    data = yaml.safe_load(text_of("pebble")) | {"sistem": {}}

    with pytest.raises(jsonschema.ValidationError, match="sistem"):
        jsonschema.validate(data, schema)


def test_every_code_has_a_story_with_wrong_and_right(tmp_path: FilePath) -> None:
    listed = emily(tmp_path, "explain").out

    for code in catalogue():
        assert code in listed
    told = emily(tmp_path, "explain", "sto004").out
    assert "wrong" in told
    assert "right" in told


def test_an_unknown_code_is_met_with_a_way_to_the_known_ones(tmp_path: FilePath) -> None:
    assert "with: emily-infra explain" in emily(tmp_path, "explain", "what").err


STORIES = [e for e in EXPLANATIONS if e.code != "YML001"]


@pytest.mark.parametrize("entry", STORIES, ids=lambda entry: entry.code)
def test_the_stories_about_the_file_itself_are_true(entry: Explanation) -> None:
    def complaints(text: str) -> set[Path]:
        _, found = parse("example", "host.yaml", text.encode())
        return {finding.place for finding in found if finding.code == entry.code}

    assert complaints(entry.wrong) - complaints(entry.right)


def test_a_reader_that_leaves_early_sees_no_traceback() -> None:
    command = f"{sys.executable} -m emily_infra schema | head -1"

    done = subprocess.run(
        command, shell=True, cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.stderr == ""


def test_a_full_disk_is_no_bug_of_the_program() -> None:
    with FilePath("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "emily_infra", "explain"],
            cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip

    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert "BUG" not in done.stderr


def test_output_into_a_pipe_has_no_colours() -> None:
    assert "\x1b" not in emily(ROOT, "check").out


def test_hosts_are_completed_in_the_shell() -> None:
    script = "_EMILY_INFRA_COMPLETE=complete_bash COMP_WORDS='emily-infra check pe' COMP_CWORD=2"

    done = subprocess.run(
        f"{script} {sys.executable} -m emily_infra", shell=True, cwd=ROOT, capture_output=True,
        text=True, check=False,
    )  # fmt: skip

    assert done.stdout.split() == ["pebble"]


def test_every_error_of_the_program_has_a_story() -> None:
    def below(error: type[EmilyError]) -> set[str]:
        return {cls.code for cls in error.__subclasses__()}

    assert below(EmilyError) <= catalogue().keys()
