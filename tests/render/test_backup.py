"""The units of the backup as Nix and systemd see them."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from emily_infra.render.backup import lower, settings
from emily_infra.spec.host import Host
from emily_infra.spec.source import Data
from tests.hosts import as_host, pebble, shipped
from tests.render import systemd
from tests.render.evaluated import module

LOCAL = "backup: { offsite: { shed: { repository: /mnt/usb/backup } } }"
SFTP = "backup: { offsite: { shed: { repository: 'sftp:backup@barn:/srv/pebble' } } }"
RUNS = ["emily-drill", "emily-offsite-shed", "emily-prune-shed", "emily-verify-shed"]
MOST = {"drill": 3.3, "notify": 1.8, "offsite": 2.9, "prune": 2.3, "snapshot": 2.0, "verify": 2.3}
"""What `systemd-analyze security` may find at most; the rest is what root needs for ZFS."""


def backup(host: Host) -> Any:
    return module(host, "backup")


def service(part: str, name: str) -> Any:
    return backup(pebble(part))["systemd"]["services"][name]


def config(part: str, name: str) -> Any:
    return service(part, name)["serviceConfig"]


def host_json(host: Host) -> Any:
    return json.loads(backup(host)["environment"]["etc"]["emily/host.json"]["text"])


@pytest.mark.parametrize("name", ["ember", "pebble"])
def test_systemd_has_nothing_to_say_against_the_units(name: str, tmp_path: Path) -> None:
    assert systemd.complaints(backup(shipped(name)), tmp_path) == ""


def test_systemd_would_speak_up_about_a_misspelt_setting(tmp_path: Path) -> None:
    unit = {"serviceConfig": {"ProtectSystm": "strict"}}

    said = systemd.complaints({"systemd": {"services": {"wrong": unit}}}, tmp_path)

    assert "ProtectSystm" in said


def test_every_timer_fires_in_utc_when_host_yaml_says() -> None:
    assert systemd.calendars(backup(shipped("ember"))) == {
        "emily-drill": "Mon *-*-* 00:00:00 UTC",
        "emily-offsite-s3": "*-*-* 02:00:00 UTC",
        "emily-prune-s3": "Sun *-*-* 09:00:00 UTC",
        "emily-snapshot": "*-*-* *:00:00 UTC",
        "emily-verify-s3": "*-*-* 06:00:00 UTC",
    }


def test_no_unit_is_more_exposed_than_stated(tmp_path: Path) -> None:
    values = backup(shipped("ember"))

    for name in values["systemd"]["services"]:
        kind = name.split("-")[1].rstrip("@")
        assert systemd.exposure(values, name, tmp_path) <= MOST[kind], name


def test_a_run_missed_while_the_host_was_off_is_made_up_for() -> None:
    timers = backup(pebble())["systemd"]["timers"]

    assert all(timer["timerConfig"]["Persistent"] for timer in timers.values())


def test_every_run_reports_its_failure_and_the_messenger_does_not_report_itself() -> None:
    services = dict(backup(pebble())["systemd"]["services"])
    messenger = services.pop("emily-notify@")

    assert all(unit["onFailure"] == ["emily-notify@%n.service"] for unit in services.values())
    assert "onFailure" not in messenger


def test_a_switch_to_another_generation_stops_no_run() -> None:
    services = dict(backup(pebble())["systemd"]["services"])
    del services["emily-notify@"]

    assert all(unit["restartIfChanged"] is False for unit in services.values())


def test_a_copy_has_a_fresh_snapshot_taken_and_goes_on_if_that_fails() -> None:
    unit = service("", "emily-offsite-shed")

    assert "emily-snapshot.service" in unit["after"]
    assert "emily-snapshot.service" in unit["wants"]
    assert "requires" not in unit


def test_what_is_due_at_once_on_one_repository_runs_one_after_the_other() -> None:
    after = {name: set(service("", name)["after"]) for name in RUNS}

    assert "emily-offsite-shed.service" in after["emily-prune-shed"]
    assert "emily-prune-shed.service" in after["emily-verify-shed"]
    assert "emily-verify-shed.service" in after["emily-drill"]


def test_a_secret_that_is_missing_fails_the_run_instead_of_skipping_it() -> None:
    unit = service("", "emily-offsite-shed")

    assert unit["serviceConfig"]["LoadCredential"] == ["restic-password-shed:/run/secrets/restic"]
    assert "unitConfig" not in unit


def test_the_keys_of_the_provider_are_handed_over_like_the_password() -> None:
    units = backup(shipped("ember"))["systemd"]["services"]

    assert units["emily-drill"]["serviceConfig"]["LoadCredential"] == [
        "restic-password-s3:/run/secrets/restic",
        "restic-environment-s3:/run/secrets/restic-s3",
    ]


def test_upkeep_of_a_repository_has_none_of_roots_capabilities() -> None:
    found = [config("", f"emily-{verb}-shed") for verb in ("prune", "verify")]

    assert [unit["CapabilityBoundingSet"] for unit in found] == ["", ""]
    assert all(unit["PrivateDevices"] for unit in found)


def test_only_the_drill_may_change_owners() -> None:
    able = {name for name in RUNS if "CAP_CHOWN" in config("", name)["CapabilityBoundingSet"]}

    assert able == {"emily-drill"}


def test_snapshots_need_no_network() -> None:
    assert config("", "emily-snapshot")["PrivateNetwork"] is True


def test_a_repository_in_a_folder_is_waited_for_and_may_be_written() -> None:
    unit = service(LOCAL, "emily-offsite-shed")

    assert unit["unitConfig"]["RequiresMountsFor"] == ["/mnt/usb/backup"]
    assert unit["serviceConfig"]["ReadWritePaths"] == ["/mnt/usb/backup"]
    assert unit["serviceConfig"]["RestrictAddressFamilies"] == ["AF_UNIX"]
    assert "network-online.target" not in unit["after"]


def test_a_copy_over_ssh_has_the_program_and_can_read_roots_key() -> None:
    unit = service(SFTP, "emily-offsite-shed")

    assert any(path.endswith("-openssh") for path in unit["path"])
    assert unit["serviceConfig"]["ProtectHome"] == "read-only"


def test_snapshots_are_taken_daily_where_no_policy_keeps_hours() -> None:
    host = pebble("backup: { snapshots: { daily: { hourly: 0 } } }")

    assert systemd.calendars(backup(host))["emily-snapshot"] == "*-*-* 00:00:00 UTC"


def test_a_policy_that_no_dataset_follows_changes_nothing() -> None:
    host = pebble("backup: { snapshots: { daily: { hourly: 0 }, spare: { hourly: 24 } } }")

    assert systemd.calendars(backup(host))["emily-snapshot"] == "*-*-* 00:00:00 UTC"


def test_a_failure_reaches_alertmanager_where_there_is_one_and_the_journal_always() -> None:
    scripts = [
        backup(shipped(name))["systemd"]["services"]["emily-notify@"]["script"]
        for name in ("ember", "pebble")
    ]

    assert ["amtool" in script for script in scripts] == [True, False]
    assert all('echo "<3>$unit failed' in script for script in scripts)


def test_the_command_on_the_host_learns_what_to_copy_and_how_long_to_keep_it() -> None:
    repository = host_json(shipped("ember"))["repositories"]["s3"]

    assert repository["datasets"] == ["ember/code", "rpool/state"]
    assert repository["keep"] == {"daily": 7, "weekly": 4, "monthly": 12, "yearly": 3}
    assert repository["exclude"][0] == "/srv/code/**/.venv"


def test_of_secrets_host_json_holds_names_only() -> None:
    text = json.dumps(host_json(shipped("ember")))

    assert "restic-password-s3" in text
    assert "/run/secrets" not in text


@pytest.mark.parametrize(
    ("verify", "subsets"),
    [
        ('schedule: "06:00", whole_in: 4w', 28),
        ("schedule: Sun 06:00, whole_in: 4w", 4),
        ("schedule: monthly, whole_in: 2w", 1),
        ("schedule: hourly, whole_in: 4w", 256),
    ],
)
def test_the_shares_of_reading_back_add_up_to_everything_in_time(verify: str, subsets: int) -> None:
    host = pebble(f"backup: {{ offsite: {{ shed: {{ verify: {{ {verify} }} }} }} }}")

    assert host_json(host)["repositories"]["shed"]["verify"]["subsets"] == subsets


@pytest.mark.parametrize(("limit", "kib"), [("1Kbps", 1), ("8192bps", 1), ("100Mbps", 12207)])
def test_a_limit_however_small_never_becomes_no_limit(limit: str, kib: int) -> None:
    host = pebble(f"backup: {{ offsite: {{ shed: {{ upload_limit: {limit} }} }} }}")

    assert host_json(host)["repositories"]["shed"]["upload_kib"] == kib


def test_an_address_with_percent_signs_reaches_the_command_as_written() -> None:
    address = "rest:https://b.example.org/a%20b/"
    host = pebble(f'backup: {{ offsite: {{ shed: {{ repository: "{address}" }} }} }}')

    assert host_json(host)["repositories"]["shed"]["url"] == address


def test_the_order_of_keys_in_host_yaml_does_not_matter() -> None:
    data = _shuffled(shipped("ember").source.data)
    shuffled = as_host("ember", yaml.safe_dump(data, sort_keys=False))

    assert _printed(shuffled) == _printed(shipped("ember"))


def _printed(host: Host) -> str:
    return json.dumps(settings(host), sort_keys=True) + repr(lower(host))


def _shuffled(data: Data) -> object:
    if isinstance(data, dict):
        keys = list(data)
        random.Random(1).shuffle(keys)
        return {key: _shuffled(data[key]) for key in keys}
    return [_shuffled(item) for item in data] if isinstance(data, tuple) else data


def test_a_host_without_snapshots_and_copies_has_no_such_module() -> None:
    host = pebble(
        "storage: { pools: { tank: { datasets: { home: { snapshots: none } } } } }\n"
        "backup: { offsite: null, drill: null }"
    )

    assert lower(host) is None
