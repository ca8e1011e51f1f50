"""What a lab knows of itself between two commands, and whose files its commands may touch."""

import json
import socket
from dataclasses import asdict
from pathlib import Path

import pytest

from emily_infra.lab.memory import LOOPBACK, fresh, keep, recall
from emily_infra.lab.places import Files
from tests.cli.command import emily, project, text_of


def a_lab(home: Path, text: str = "") -> Path:
    folder = home / ".cache/emily-infra/lab/labs/pebble"
    folder.mkdir(parents=True)
    (folder / "lab.json").write_text(text)
    return folder


def test_what_was_kept_is_recalled(tmp_path: Path) -> None:
    files, memory = Files(tmp_path), fresh("image")

    keep(files, memory)

    assert recall(files) == memory


def test_a_lab_of_before_a_field_was_added_is_recalled(tmp_path: Path) -> None:
    files, memory = Files(tmp_path), fresh("image")
    old = {name: value for name, value in asdict(memory).items() if name != "exercised"}
    files.memory.write_text(json.dumps(old))

    assert recall(files) == memory


def test_a_port_that_somebody_has_taken_meanwhile_is_chosen_anew() -> None:
    memory = fresh("image")
    with socket.create_server((LOOPBACK, memory.console_port)):
        other = memory.at_free_ports()

    assert memory.at_free_ports() == memory
    assert {other.console_port, other.operator_port}.isdisjoint({memory.console_port, 0})


@pytest.mark.parametrize("text", ["", "{", "[]", '{"image": "x", "colour": "red"}'])
def test_a_memory_that_is_torn_is_told_and_can_be_reset(tmp_path: Path, text: str) -> None:
    folder = a_lab(tmp_path, text)

    asked = emily(tmp_path, "lab", "status", "pebble")
    reset = emily(tmp_path, "lab", "reset", "pebble")

    assert asked.code == 1
    assert "LAB007" in asked.err
    assert "emily-infra lab reset pebble" in asked.err
    assert reset.code == 0
    assert not folder.exists()


@pytest.mark.parametrize("name", ["", ".", "..", "../labs", "/", "pebble/..", "Pebble"])
@pytest.mark.parametrize("command", ["reset", "down", "status", "ssh"])
def test_a_name_that_leads_elsewhere_touches_nothing(
    tmp_path: Path, command: str, name: str
) -> None:
    folder = a_lab(tmp_path)

    done = emily(tmp_path, "lab", command, name)

    assert done.code == 1
    assert "is no name of a host" in done.err
    assert folder.is_dir()


@pytest.mark.parametrize("command", ["reset", "down", "status"])
def test_a_lab_that_is_not_there_is_said_to_be_none(tmp_path: Path, command: str) -> None:
    a_lab(tmp_path)

    done = emily(tmp_path, "lab", command, "pebbel")

    assert done.code == 1
    assert "LAB004" in done.err


def test_commands_for_a_lab_that_is_off_say_so(tmp_path: Path) -> None:
    project(tmp_path, pebble=text_of("pebble"))
    keep(Files(a_lab(tmp_path)), fresh("image"))

    done = emily(tmp_path, "status", "pebble", "--lab")

    assert done.code != 0
    assert "the lab of pebble is off" in done.out + done.err
    assert "emily-infra lab up pebble" in done.out + done.err
