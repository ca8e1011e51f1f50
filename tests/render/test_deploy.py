"""The deploy module as Nix and systemd see it."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from emily_infra.spec.host import Host
from tests.hosts import over, shipped
from tests.render import systemd
from tests.render.evaluated import module

EMBER, PEBBLE = shipped("ember"), shipped("pebble")
every_host = pytest.mark.parametrize("host", [EMBER, PEBBLE], ids=["ember", "pebble"])
THIS_BOOT = Path("/proc/sys/kernel/random/boot_id")


def guard(host: Host) -> Any:
    return module(host, "deploy")["systemd"]["services"]["emily-boot-guard"]


def condition(folder: Path, boot_id: str) -> int:
    """The exit code of the guard's condition for a deploy that was begun in some boot."""
    (folder / "settings").write_text(f"ID='20261121T110203Z-4f2a9c'\nBOOT_ID='{boot_id}'\n")
    written = guard(PEBBLE)["serviceConfig"]["ExecCondition"]
    script = written.removeprefix("/bin/sh -c '").removesuffix("'").replace("$$", "$")
    script = script.replace("/var/lib/emily/deploys/pending", str(folder))
    return subprocess.run(["sh", "-c", script], check=False).returncode


@every_host
def test_every_host_has_the_guard_at_boot_and_only_while_a_deploy_is_open(host: Host) -> None:
    unit = guard(host)

    assert unit["wantedBy"] == ["multi-user.target"]
    assert unit["unitConfig"]["ConditionPathExists"] == "/var/lib/emily/deploys/pending"
    assert unit["unitConfig"]["RequiresMountsFor"] == "/var/lib/emily"


def test_no_switch_restarts_or_stops_the_guard() -> None:
    unit = guard(EMBER)

    assert unit["restartIfChanged"] is False
    assert unit["unitConfig"]["X-StopOnRemoval"] is False


def test_neither_a_dead_network_nor_a_dead_sshd_keeps_the_guard_from_starting() -> None:
    unit = guard(EMBER)

    assert unit["after"] == unit["wants"] == ["boot.mount"]
    assert {"requires", "bindsTo"} & set(unit) == set()


def test_the_boot_does_not_wait_for_the_guards_countdown() -> None:
    assert guard(EMBER)["serviceConfig"]["Type"] == "exec"


def test_a_deploy_of_this_very_boot_is_left_to_its_supervisor(tmp_path: Path) -> None:
    assert condition(tmp_path, THIS_BOOT.read_text().strip()) != 0
    assert condition(tmp_path, "00000000-0000-4000-8000-000000000000") == 0


def test_records_are_for_root_and_metrics_for_the_exporter() -> None:
    folders = module(EMBER, "deploy")["systemd"]["tmpfiles"]["settings"]["emily"]

    assert {path: entry["d"]["mode"] for path, entry in folders.items()} == {
        "/var/lib/emily": "0755",
        "/var/lib/emily/deploys": "0700",
        "/var/lib/emily/metrics": "0755",
    }


def test_the_exporter_reads_the_folder_that_is_made_for_metrics() -> None:
    (read,) = [
        flag.partition("=")[2]
        for flag in module(EMBER, "monitoring")["services"]["prometheus"]["exporters"]["node"][
            "extraFlags"
        ]
        if "textfile" in flag
    ]

    assert read in module(EMBER, "deploy")["systemd"]["tmpfiles"]["settings"]["emily"]


@every_host
def test_systemd_has_nothing_to_say_against_the_guard(host: Host, tmp_path: Path) -> None:
    assert systemd.complaints(module(host, "deploy"), tmp_path) == ""


def test_a_deploy_user_may_become_root_and_send_unsigned_paths() -> None:
    host = over(EMBER, "deploy: { user: colter }")
    system = module(host, "system")

    assert system["security"]["sudo"]["wheelNeedsPassword"] is False
    assert "colter" in system["nix"]["settings"]["trusted-users"]
