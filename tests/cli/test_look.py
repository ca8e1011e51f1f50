"""status, generations, history and drift as processes, over a real SSH connection."""

import getpass
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from emily_infra.cli.drift import files
from tests.cli.command import Done, emily, project, text_of
from tests.cli.served import SSHD, Served, served
from tests.hosts import ROOT, as_host
from tests.observe import made
from tests.observe.pebble import DEPLOY, NEW, OLD, SECTIONS, record, systems

pytestmark = pytest.mark.skipif(SSHD is None, reason="needs sshd")
DEGRADED = (ROOT / "tests/observe/zpool/degraded-2.1.txt").read_text()


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, machine: Served, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in which pebble is the machine behind the daemon."""
    monkeypatch.setenv("PATH", machine.path)
    machine.says(made.printed(SECTIONS))
    there = f"deploy:\n  user: {getpass.getuser()}\n  address: 127.0.0.1"
    text = text_of("pebble").replace("deploy:\n  address: 192.168.1.10", there)
    port = f"system:\n  ssh: {{ port: {machine.port} }}"
    return project(tmp_path, pebble=text.replace("system:", port, 1))


def says(machine: Served, **sections: made.Body) -> None:
    laid = {name.replace("__", "."): body for name, body in sections.items()}
    machine.says(made.printed({**SECTIONS, **laid}))


def test_a_host_that_is_well_is_exit_code_0(folder: Path) -> None:
    done = emily(folder, "status", "pebble")

    assert done.code == 0, done.err
    assert done.out.startswith("pebble  well  NixOS 26.05 (Yarara), up 12 days\n")
    assert "tank  online, 42 % of 3.8 TB used" in done.out
    assert "committed" in done.out


def test_a_host_that_is_not_well_is_exit_code_1(folder: Path, machine: Served) -> None:
    says(machine, pool_status=DEGRADED)

    done = emily(folder, "status", "pebble")

    assert done.code == 1
    assert "! pool tank is DEGRADED" in done.out
    assert "'zpool status -v tank'" in done.out


def test_a_host_that_cannot_be_reached_does_not_hide_the_others(folder: Path) -> None:
    text = (folder / "hosts/pebble/host.yaml").read_text()
    away = re.sub(r"port: \d+", "port: 1", text)
    project(folder, away=away)

    done = emily(folder, "status")

    assert done.code == 1
    assert "away  not seen" in done.out
    assert "pebble  well" in done.out


def test_status_for_a_program(folder: Path, machine: Served) -> None:
    says(machine, pool_status=DEGRADED)

    (host,) = json.loads(emily(folder, "status", "pebble", "--json").out)

    assert (host["host"], host["well"], host["generation"]) == ("pebble", False, 42)
    assert (host["running"], host["booted"], host["default"]) == (NEW, OLD, NEW)
    assert host["at"] == "2026-11-21T11:20:00Z"
    assert host["pools"][0]["health"] == "DEGRADED"


def test_a_host_whose_file_cannot_be_read_is_not_seen_for_a_program_either(folder: Path) -> None:
    project(folder, broken="emily: 1\nwhat: now\n")

    done = emily(folder, "status", "--json")

    hosts = {host["host"]: host for host in json.loads(done.out)}
    assert done.code == 1
    assert (hosts["pebble"]["seen"], hosts["broken"]["seen"]) == (True, False)
    assert hosts["broken"]["error"]["message"].startswith("hosts/broken/host.yaml:")


def test_status_says_what_was_booted_where_something_else_runs(folder: Path) -> None:
    done = emily(folder, "status")

    assert "generation 42, made 3 h ago, running and next at boot, booted: generation 41" in (
        " ".join(done.out.split())
    )


def test_a_pending_reboot_stands_with_the_apply_that_makes_it(
    folder: Path, machine: Served
) -> None:
    says(machine, systems=systems(old_kernel="/nix/store/x-linux-6.12.1/bzImage"))

    done = emily(folder, "status", "pebble")
    (host,) = json.loads(emily(folder, "status", "pebble", "--json").out)

    assert "$ emily-infra apply pebble --reboot" in done.out
    assert host["troubles"][-1]["look"] == ["emily-infra", "apply", "pebble", "--reboot"]


@pytest.mark.parametrize("command", ["status", "history", "generations", "drift"])
def test_a_host_that_is_elsewhere_for_now_is_looked_at_there(
    folder: Path, machine: Served, command: str
) -> None:
    spec = folder / "hosts/pebble/host.yaml"
    spec.write_text(spec.read_text().replace(f"port: {machine.port}", "port: 1"))

    away = emily(folder, command, "pebble")
    there = emily(folder, command, "pebble", "--via", f"127.0.0.1:{machine.port}", columns=160)

    assert away.code == 1
    assert "MAC002" in away.out + away.err
    assert "MAC002" not in there.out + there.err
    assert there.code == (2 if command == "drift" else 0)


@pytest.mark.parametrize(
    ("command", "section"),
    [(("history",), "state"), (("history", "2026"), "state"), (("generations",), "links")],
)
def test_what_a_host_cannot_tell_is_not_told_as_nothing(
    folder: Path, machine: Served, command: tuple[str, ...], section: str
) -> None:
    machine.says(made.printed(SECTIONS, **{section: "hung"}))

    done = emily(folder, command[0], "pebble", *command[1:])

    assert done.code == 1
    assert f"not known: pebble cannot tell {section}: no answer in time" in done.err
    assert "no record" not in done.err
    assert "never been deployed" not in done.err


def test_generations_say_who_made_them_and_which_one_runs(folder: Path) -> None:
    done = emily(folder, "generations", "pebble")

    newest, oldest = (" ".join(line.split()) for line in done.out.splitlines()[1:])
    assert newest == f"42 3 h ago 26.05.2 6.12.41 {DEPLOY} running, default"
    assert oldest == "41 3 h ago 26.05.1 6.12.41 by others booted"


def test_history_says_how_each_deploy_ended_and_why(folder: Path, machine: Served) -> None:
    why = "port 22 was not reached within 60 s"
    says(machine, state=made.texts(record("rolled-back", why=why)))

    done = emily(folder, "history", "pebble", columns=160)

    assert f"rolled-back: {why}" in done.out
    assert "41 -> 42" in done.out


def test_history_of_one_deploy_is_its_events(folder: Path) -> None:
    done = emily(folder, "history", "pebble", "2026")

    assert "colter from minnesota, 2026-11-21T08:00:00Z" in done.out
    assert re.search(r"31 s +activated +status 0", done.out)


def test_an_id_that_no_deploy_has_is_told(folder: Path) -> None:
    done = emily(folder, "history", "pebble", "1999")

    assert done.code == 1
    assert "OBS003" in done.err


def test_drift_is_exit_code_2_and_none_is_0(folder: Path, machine: Served) -> None:
    text = (folder / "hosts/pebble/host.yaml").read_text()
    shutil.copy(ROOT / "hosts/pebble/hardware.nix", folder / "hosts/pebble")
    here = files(folder, as_host("pebble", text))
    says(machine, source=made.archive(here), interfaces=_interfaces())

    clean = emily(folder, "drift", "pebble")
    says(machine, source=made.archive(here), interfaces=_interfaces(), table="")
    drifted = emily(folder, "drift", "pebble")

    assert (clean.code, clean.out) == (0, "")
    assert "as host.yaml says" in clean.err
    assert drifted.code == 2
    assert "it is not loaded" in drifted.out


def test_no_difference_in_half_a_comparison_is_not_called_none(
    folder: Path, machine: Served
) -> None:
    text = (folder / "hosts/pebble/host.yaml").read_text()
    shutil.copy(ROOT / "hosts/pebble/hardware.nix", folder / "hosts/pebble")
    here = files(folder, as_host("pebble", text))
    machine.says(made.printed({**SECTIONS, "source": made.archive(here)}, table="hung"))

    done = emily(folder, "drift", "pebble")

    assert done.code == 1
    assert "pebble: nothing differs in what could be compared" in done.err


def _interfaces() -> made.Body:
    return SECTIONS["interfaces"]


def test_a_cut_answer_is_an_error_with_a_code(folder: Path, machine: Served) -> None:
    machine.says(made.printed(SECTIONS)[:2000])

    done = emily(folder, "drift", "pebble")

    assert done.code == 1
    assert "OBS001" in done.err


@pytest.mark.parametrize("columns", [80, 160])
@pytest.mark.parametrize("command", ["status", "generations", "history", "drift"])
def test_what_is_shown_fits_the_terminal_and_cannot_take_it_over(
    folder: Path, machine: Served, command: str, columns: int
) -> None:
    why = f"\x1b[2J\x07 nothing {'answered ' * 30}"
    says(
        machine,
        state=made.texts(record("rolled-back", why=why)),
        units=json.dumps([{"unit": "evil\x1b[31m\n.service", "active": "failed"}]),
        pool_status=DEGRADED,
        links=made.links(
            ("/run/systemd/system/\x1b[31mx\n.service", ""),
            ("/nix/var/nix/profiles/system-42-link", f"{NEW}\x1b[31m"),
        ),
    )

    done: Done = emily(folder, command, "pebble", columns=columns)

    assert "\x1b" not in done.out
    lines = [line for line in done.out.splitlines() if not line.startswith("    $ ")]
    assert max(map(len, lines)) <= columns
