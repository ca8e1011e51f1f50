"""The units of the backup as Nix and systemd see them."""

import json
import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from emily_infra.render.backup import lower
from emily_infra.render.host_json import settings
from emily_infra.spec.host import Host
from emily_infra.spec.source import Data
from tests.hosts import as_host, over, pebble, shipped
from tests.render import systemd
from tests.render.evaluated import module

LOCAL = "backup: { offsite: { shed: { repository: /mnt/usb/backup } } }"
SFTP = "backup: { offsite: { shed: { repository: 'sftp:backup@barn:/srv/pebble' } } }"
RUNS = ["emily-drill", "emily-offsite-shed", "emily-prune-shed", "emily-verify-shed"]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMLJfwPy36ovZsZCCGlRv16ASbvh9vW9APmDO7yx10Ab"
BARN = f"""
    backup:
      replicas:
        barn: {{ address: barn.example.org, host_key: {KEY}, key: secret:barn, into: tank/pebble,
                datasets: [tank/home] }}
    secrets: {{ barn: {{}} }}
"""
QUIESCE = """
    backup:
      quiesce:
        home: { before: dump.service, after: go-on.service, datasets: [tank/home] }
"""
FULL = """
    backup:
      drill: { schedule: weekly, full: monthly }
      checks: { ledger: { dump: /srv/home/ledger.dump, query: select true } }
"""
MOST = {"drill": 3.3, "notify": 1.8, "offsite": 2.9, "prune": 2.3, "replicate": 2.8,
        "snapshot": 2.0, "verify": 2.3}  # fmt: skip
"""What `systemd-analyze security` may find at most; the rest is what root needs for ZFS."""


def backup(host: Host) -> Any:
    return module(host, "backup")


def service(part: str, name: str) -> Any:
    return backup(pebble(part))["systemd"]["services"][name]


def config(part: str, name: str) -> Any:
    return service(part, name)["serviceConfig"]


@pytest.mark.parametrize(
    "host",
    [shipped("ember"), pebble(BARN), pebble(QUIESCE), pebble(FULL)],
    ids=["ember", "barn", "quiesce", "full"],
)
def test_systemd_has_nothing_to_say_against_the_units(host: Host, tmp_path: Path) -> None:
    assert systemd.complaints(backup(host), tmp_path) == ""


def test_systemd_would_speak_up_about_a_misspelt_setting(tmp_path: Path) -> None:
    unit = {"serviceConfig": {"ProtectSystm": "strict"}}

    said = systemd.complaints({"systemd": {"services": {"wrong": unit}}}, tmp_path)

    assert "ProtectSystm" in said


def test_a_whole_drill_is_begun_by_a_timer_of_its_own() -> None:
    values = backup(pebble(FULL))["systemd"]

    assert values["services"]["emily-drill-full"]["serviceConfig"]["ExecStart"].endswith(
        "emily-infra backup drill --full"
    )
    timer = values["timers"]["emily-drill-full"]["timerConfig"]
    assert timer["OnCalendar"] == "*-*-01 00:00:00 UTC"


def test_a_drill_of_a_share_waits_while_everything_is_restored() -> None:
    units = backup(pebble(FULL))["systemd"]["services"]

    assert "emily-drill-full.service" in units["emily-drill"]["after"]
    assert "emily-drill.service" not in units["emily-drill-full"]["after"]


def test_a_whole_drill_can_run_a_database_as_another_user_and_end_it() -> None:
    unit = backup(pebble(FULL))["systemd"]["services"]["emily-drill-full"]

    rights = set(unit["serviceConfig"]["CapabilityBoundingSet"].split())
    assert {"CAP_SETUID", "CAP_SETGID", "CAP_KILL"} <= rights
    assert any("postgresql" in str(tool) for tool in unit["path"])


def test_a_whole_drill_makes_device_nodes_and_opens_none() -> None:
    unit = backup(pebble(FULL))["systemd"]["services"]["emily-drill-full"]["serviceConfig"]

    assert "CAP_MKNOD" in unit["CapabilityBoundingSet"]
    assert unit["DeviceAllow"] == ["/dev/zfs rw", "block-* m", "char-* m"]
    assert unit["DevicePolicy"] == "closed"


def test_every_timer_fires_in_utc_when_host_yaml_says() -> None:
    assert systemd.calendars(backup(shipped("ember"))) == {
        "emily-drill": "Mon *-*-* 00:00:00 UTC",
        "emily-offsite-s3": "*-*-* 02:00:00 UTC",
        "emily-prune-s3": "Sun *-*-* 09:00:00 UTC",
        "emily-snapshot": "*-*-* *:00:00 UTC",
        "emily-verify-s3": "*-*-* 06:00:00 UTC",
    }


def test_no_unit_is_more_exposed_than_stated(tmp_path: Path) -> None:
    values = backup(pebble(BARN))

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


def test_snapshots_are_taken_as_often_as_the_shortest_period_in_use() -> None:
    host = pebble("backup: { snapshots: { daily: { frequent: 8 } } }")

    assert systemd.calendars(backup(host))["emily-snapshot"] == "*-*-* *:00/15:00 UTC"


def test_a_snapshot_has_time_for_the_services_that_it_waits_for() -> None:
    unit = service(QUIESCE, "emily-snapshot")

    assert unit["serviceConfig"]["TimeoutStartSec"] == "30min"
    assert any(path.endswith("-systemd") for path in unit["path"])
    assert config("", "emily-snapshot")["TimeoutStartSec"] == "15min"


def test_what_could_not_be_read_is_no_failed_unit() -> None:
    services = dict(backup(pebble(BARN))["systemd"]["services"])
    del services["emily-notify@"]

    assert {unit["serviceConfig"]["SuccessExitStatus"] for unit in services.values()} == {3}


def test_nothing_is_pruned_where_nothing_can_be_deleted() -> None:
    units = backup(pebble("backup: { offsite: { shed: { append_only: true } } }"))["systemd"]

    assert "emily-prune-shed" not in units["services"] | units["timers"]
    assert "emily-prune-shed.service" not in units["services"]["emily-verify-shed"]["after"]
    assert "emily-offsite-shed.service" in units["services"]["emily-verify-shed"]["after"]


def test_a_replica_is_sent_to_from_a_fresh_snapshot_with_a_key_of_its_own() -> None:
    unit = service(BARN, "emily-replicate-barn")

    assert unit["serviceConfig"]["ExecStart"].endswith("emily-infra backup replicate barn")
    assert unit["serviceConfig"]["LoadCredential"] == ["replica-key-barn:/run/secrets/barn"]
    assert unit["serviceConfig"]["CapabilityBoundingSet"] == "CAP_SYS_ADMIN"
    assert {"network-online.target", "emily-snapshot.service"} <= set(unit["wants"])
    assert any(path.endswith("-openssh") for path in unit["path"])


def test_a_host_with_a_replica_alone_sends_every_night() -> None:
    host = over(pebble(BARN), "backup: { offsite: null, drill: null }")

    assert systemd.calendars(backup(host)) == {
        "emily-replicate-barn": "*-*-* 03:00:00 UTC",
        "emily-snapshot": "*-*-* *:00:00 UTC",
    }


def test_what_is_received_is_expired_where_nothing_else_is_snapshotted() -> None:
    host = pebble(
        "storage: { pools: { tank: { datasets: { home: { snapshots: none } } } } }\n"
        f"backup: {{ offsite: null, drill: null, receives: {{ ember: {{ key: {KEY}, "
        "into: tank/ember, keep: { daily: 30 } } } }"
    )

    assert systemd.calendars(backup(host)) == {"emily-snapshot": "*-*-* 00:00:00 UTC"}


def test_only_what_mounts_snapshots_may_make_a_mount_namespace() -> None:
    services = dict(backup(pebble(BARN))["systemd"]["services"])

    able = {name for name, unit in services.items()
            if unit["serviceConfig"]["RestrictNamespaces"] == "mnt"}  # fmt: skip

    assert able == {"emily-offsite-shed", "emily-drill"}


def test_a_drill_can_sign_its_evidence() -> None:
    assert any(path.endswith("-openssh") for path in service("", "emily-drill")["path"])


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
