"""Every alert that pages somebody, fired and kept silent by promtool on series that we make up."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.hosts import over, shipped
from tests.render.test_monitoring import rules

BARN = """
    backup:
      replicas:
        barn:
          address: barn.example.org
          host_key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMLJfwPy36ovZsZCCGlRv16ASbvh9vW9APmDO7yx10Ab
          key: secret:barn
          into: tank/ember
          datasets: [ember/code]
      receives:
        barn:
          key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMLJfwPy36ovZsZCCGlRv16ASbvh9vW9APmDO7yx10Ab
          into: ember/barn
          keep: { daily: 7 }
    secrets: { barn: {} }
"""
EMBER = over(shipped("ember"), BARN)
KEY = "DCFFrHzrByanm9OFf/uvMa8VY+KnaRgRXLe5RbTK6+E="
TUNNEL = f'wireguard_latest_handshake_delay_seconds{{interface="wg0", public_key="{KEY}"}}'
COPY = 'emily_backup_last_success_timestamp_seconds{repository="s3"}'
SNAPSHOT = 'emily_snapshot_newest_timestamp_seconds{dataset="ember/code"}'
DRILL = 'emily_restore_test_last_success_timestamp_seconds{repository="s3"}'
RESULT = 'emily_restore_test_success{repository="s3"}'
INCOMPLETE = 'emily_backup_incomplete{repository="s3"}'
LACKS = 'emily_backup_files_failed{repository="s3"}'
PRUNED = 'emily_prune_last_success_timestamp_seconds{repository="s3"}'
VERIFIED = 'emily_verify_last_success_timestamp_seconds{repository="s3"}'
OLDEST = 'emily_verify_oldest_timestamp_seconds{repository="s3"}'
STORED = 'emily_repository_bytes{repository="s3"}'
THERE = 'emily_replica_newest_snapshot_timestamp_seconds{target="barn", dataset="ember/code"}'
SENT = 'emily_received_newest_timestamp_seconds{sender="barn"}'
STOPPED = 'emily_snapshot_stopped{dataset="ember/code", reason="clock"}'
GREW = "400000000000x35 {}00000000000x2600"
COUNT = 'emily_snapshot_count{dataset="ember/code"}'
FAILED = 'alertmanager_notifications_failed_total{integration="webhook"}'
VERDICT = 'emily_deploy_last_verdict{{verdict="{}"}}'
POOL = 'node_zfs_zpool_state{{zpool="{}", state="{}"}}'
COMMIT = 'emily_pool_last_commit_timestamp_seconds{pool="ember"}'
SMART = 'smartctl_device_smart_status{device="sda"}'
DISK = 'smartctl_device{device="sda", model_name="HDD", serial_number="S1"}'
AVAILABLE = 'node_filesystem_avail_bytes{mountpoint="/srv", fstype="zfs"}'
SIZE = 'node_filesystem_size_bytes{mountpoint="/srv", fstype="zfs"}'
PENDING = (
    'smartctl_device_attribute{device="sda", attribute_name="Current_Pending_Sector",'
    ' attribute_value_type="raw"}'
)

SERVED = 'emily_http_request_seconds_count{{route="/api/v1/stimulus", status="{}"}}'
BUDGET = 'emily_llm_budget_remaining_dollars{window="hour"}'
RESTARTS = 'node_systemd_service_restart_total{name="emily-runtime@blue.service"}'
FIRES = [
    # Time begins at 0 here, so what happened long ago has a negative time.
    # alert, at, series with their values by the minute (by four where hours are many), its summary
    ("Watchdog", "0m", {}, "Alerting works on ember"),
    ("TargetDown", "6m", {'up{job="node"}': "0x10"}, "the node exporter has not answered"),
    ("TargetDown", "6m", {'up{job="smartctl"}': "0x10"}, "smartctl has not answered"),
    ("UnitFailed", "2m", {'node_systemd_unit_state{name="smbd.service", state="failed"}': "1x5"},
     "smbd.service has failed"),
    ("UnitRestarting", "1h", {'node_systemd_service_restart_total{name="a.service"}': "0+1x60"},
     "a.service restarted 60 times"),
    ("MemoryPressure", "15m", {"node_pressure_memory_stalled_seconds_total": "0+12x20"}, "20%"),
    ("OomKill", "10m", {"node_vmstat_oom_kill": "3x5 4x10"}, "killed 1 processes"),
    ("ClockSkew", "6m", {"node_timex_offset_seconds": "-0.25x10"}, "off by 250ms"),
    ("WireguardStale", "10m", {TUNNEL: "0+60x20"}, "no handshake with minnesota on wg0 for 10m"),
    ("ZpoolNotOnline", "0m", {POOL.format("ember", "degraded"): "1"}, "ember is DEGRADED"),
    ("ZpoolNotOnline", "0m", {POOL.format("ember", "suspended"): "1"}, "ember is SUSPENDED"),
    ("ZpoolMissing", "6m", {POOL.format("rpool", "online"): "1x10"}, "ember is not imported"),
    ("ZpoolStandsStill", "4m", {COMMIT: "10x10"}, "ember has written nothing for 3m 50s"),
    ("ZpoolFull", "11m", {'zfs_pool_allocated_bytes{pool="ember"}': "85x20",
                          'zfs_pool_size_bytes{pool="ember"}': "100x20"}, "ember is 85% full"),
    ("FilesystemFullSoon", "7h", {AVAILABLE: "1000-1x420", SIZE: "2000x420"}, "29% left"),
    ("DiskSmart", "6m", {SMART: "0x10", DISK: "1x10"}, "failing (HDD, serial S1)."),
    ("DiskSmart", "6m", {SMART: "0x10"}, "sda says that it is failing."),
    ("DiskSectors", "1h", {PENDING: "0x30 8x60"}, "Current_Pending_Sector of sda grew by"),
    ("BackupStale", "1m", {COPY: "-97140x5"}, "copy in s3 is 1d 3h 0m 0s old"),
    ("BackupMissing", "27h", {}, "s3 has reported no copy"),
    ("RestoreTestFailed", "0m", {RESULT: "0"}, "from s3 did not give back"),
    ("RestoreTestStale", "1m", {DRILL: "-691140x5"}, "nothing was restored from s3 for 8d"),
    ("SnapshotStale", "20m", {SNAPSHOT: "-9600x30"}, "snapshot of ember/code is 3h 0m 0s old"),
    ("SnapshotMissing", "27h", {}, "ember/code has no snapshot"),
    ("BackupIncomplete", "0m", {INCOMPLETE: "1", LACKS: "3"}, "3 files are missing in the newest"),
    ("BackupIncomplete", "0m", {INCOMPLETE: "1"}, "some files are missing in the newest"),
    ("PruneStale", "1m", {PRUNED: "-691140x5"}, "nothing was forgotten in s3 for 8d"),
    ("VerifyErrors", "0m", {'emily_verify_errors{repository="s3"}': "2"}, "s3 found 2 errors"),
    ("VerifyStale", "1m", {VERIFIED: "-97140x5"}, "nothing of s3 was read back for 1d 3h"),
    ("VerifyBehind", "1m", {OLDEST: "-2678340x5"}, "of s3 was last read back 31d 0h 0m 0s ago"),
    ("UpkeepMissing", "961h", {VERIFIED: "0x20000"}, "s3 has never been pruned or read back"),
    ("RepositoryGrows", "170h", {STORED: GREW.format(7)}, "s3 grew by half within a week"),
    ("LockRemoved", "30m", {'emily_lock_removed_total{repository="s3"}': "0x20 1x20"}, "its lock"),
    ("ReplicaStale", "1m", {THERE: "-97140x5"}, "of ember/code on barn is 1d 3h 0m 0s old"),
    ("ReplicaMissing", "27h", {}, "barn has no snapshot of ember/code"),
    ("ReceivedStale", "1m", {SENT: "-172840x5"}, "that barn sent here is 2d 0h 1m 40s old"),
    ("ReceivedMissing", "27h", {}, "nothing has ever come from barn"),
    ("EvidenceBroken", "0m", {"emily_evidence_valid": "0"}, "restore drills was changed"),
    ("SnapshotsStopped", "0m", {STOPPED: "1"}, "no snapshot of ember/code is expired (clock)"),
    ("SnapshotsTooMany", "2h", {COUNT: "141x150"}, "ember/code has 141 snapshots"),
    ("QuiesceFailed", "0m", {'emily_quiesce_success{hook="ledger"}': "0"}, "ledger did not make"),
    ("DeployLost", "0m", {VERDICT.format("lost"): "1"}, "and so did going back"),
    ("DeployRolledBack", "0m", {VERDICT.format("rolled-back"): "1"}, "history ember says why"),
    ("DeployUnsettled", "190m", {VERDICT.format("open"): "1x200"}, "no verdict after 3 hours"),
    ("RuntimeDown", "3m", {'up{job="runtime"}': "0x10"}, "has not answered for 2 minutes"),
    ("RuntimeRestarting", "10m", {RESTARTS: "0 1 2 3 4x20"}, "blue.service restarted"),
    ("RuntimePressure", "6m", {"emily_pressure_level": "3x10"}, "(step 3 of 4)"),
    ("RuntimeErrors", "12m", {SERVED.format("2xx"): "0+95x20", SERVED.format("5xx"): "0+5x20"},
     "5% of the runtime's requests fail"),
    ("RuntimeBudget", "10m", {BUDGET: "10x5 0.5x20"}, "0.50 dollars are left"),
    ("RuntimeCollapse", "1h", {"gflownet_mode_collapse_total": "0+1x60"}, "60 draws of hypotheses"),
    ("NotifyBroken", "15m", {FAILED: "0+1x20"}, "notifications by webhook failed"),
]  # fmt: skip

SILENT = [
    ("TargetDown", "9m", {'up{job="runtime"}': "0x10"}),
    ("RuntimeRestarting", "10m", {RESTARTS: "0 1x20"}),
    ("RuntimePressure", "6m", {"emily_pressure_level": "2x10"}),
    ("RuntimeErrors", "12m", {SERVED.format("2xx"): "0+999x20", SERVED.format("5xx"): "0+1x20"}),
    ("RuntimeErrors", "12m", {SERVED.format("2xx"): "5x20"}),
    ("RuntimeBudget", "10m", {BUDGET: "10x5 2x20"}),
    ("RuntimeCollapse", "1h", {"gflownet_mode_collapse_total": "0x20 4x40"}),
    ("TargetDown", "4m", {'up{job="node"}': "0x10"}),
    ("TargetDown", "6m", {'up{job="node"}': "1x10"}),
    ("UnitFailed", "2m", {'node_systemd_unit_state{name="a.service", state="failed"}': "0x5"}),
    ("MemoryPressure", "15m", {"node_pressure_memory_stalled_seconds_total": "0+5x20"}),
    ("OomKill", "30m", {"node_vmstat_oom_kill": "3x5 4x30"}),
    ("ClockSkew", "6m", {"node_timex_offset_seconds": "0.04x10"}),
    ("WireguardStale", "10m", {TUNNEL: "120x20"}),
    ("WireguardStale", "20m", {TUNNEL.replace("DCFF", "AAAA"): "0+60x20"}),
    ("ZpoolNotOnline", "0m", {POOL.format("ember", "online"): "1"}),
    ("ZpoolNotOnline", "0m", {POOL.format("ember", "degraded"): "0"}),
    # The zfs exporter may be silent about a pool that hangs, but it is there.
    ("ZpoolMissing", "6m", {POOL.format(name, "suspended"): "1x10" for name in ("ember", "rpool")}),
    ("ZpoolStandsStill", "5m", {COMMIT: "0+60x10"}),
    ("FilesystemFullSoon", "7h", {AVAILABLE: "1000x420", SIZE: "2000x420"}),
    ("DiskSectors", "1h", {PENDING: "8x60"}),
    ("BackupStale", "1m", {COPY: "-90000x5"}),
    ("BackupMissing", "27h", {COPY: "0x600"}),
    ("RestoreTestFailed", "0m", {RESULT: "1"}),
    ("SnapshotStale", "20m", {SNAPSHOT: "-5000x30"}),
    ("DeployRolledBack", "0m", {VERDICT.format("committed"): "1"}),
    ("DeployLost", "0m", {VERDICT.format("rolled-back"): "1"}),
    ("DeployUnsettled", "170m", {VERDICT.format("open"): "1x180"}),
    ("BackupIncomplete", "0m", {INCOMPLETE: "0", LACKS: "0"}),
    ("PruneStale", "1m", {PRUNED: "-650000x5"}),
    ("VerifyErrors", "0m", {'emily_verify_errors{repository="s3"}': "0"}),
    ("VerifyStale", "1m", {VERIFIED: "-90000x5"}),
    ("VerifyBehind", "1m", {OLDEST: "-2500000x5"}),
    ("UpkeepMissing", "961h", {VERIFIED: "0x20000", PRUNED: "0x20000"}),
    ("RepositoryGrows", "170h", {STORED: GREW.format(5)}),
    ("LockRemoved", "30m", {'emily_lock_removed_total{repository="s3"}': "4x40"}),
    ("ReplicaStale", "1m", {THERE: "-90000x5"}),
    ("ReplicaMissing", "27h", {THERE: "0x600"}),
    ("ReceivedStale", "1m", {SENT: "-172000x5"}),
    ("ReceivedMissing", "27h", {SENT: "0x600"}),
    ("EvidenceBroken", "0m", {"emily_evidence_valid": "1"}),
    ("SnapshotsStopped", "0m", {STOPPED: "0"}),
    ("SnapshotsTooMany", "2h", {COUNT: "140x150"}),
    ("QuiesceFailed", "0m", {'emily_quiesce_success{hook="ledger"}': "1"}),
]


def concerning(alert: str) -> str:
    """The rules of ember as far as one alert needs them: all of them take minutes for a month."""
    groups = yaml.safe_load(rules(EMBER))["groups"]
    asked = " ".join(r["expr"] for g in groups for r in g["rules"] if r.get("alert") == alert)
    for group in groups:
        group["rules"] = [
            rule
            for rule in group["rules"]
            if rule.get("alert") == alert or rule.get("record", "-") in asked
        ]
    return json.dumps({"groups": groups})


def promtool(folder: Path, at: str, series: dict[str, str], alert: str) -> str:
    """What promtool has to say of an alert at a time, told to expect none."""
    text = concerning(alert)
    (folder / "rules").write_text(text)
    step = "1m" if at.endswith("m") or int(at[:-1]) < 20 else "4m"  # days take their time
    test = {
        "interval": step,
        "external_labels": {"host": "ember"},
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [{"eval_time": at, "alertname": alert, "exp_alerts": []}],
    }
    # What is recorded is seen for five minutes only.
    seldom = "1h" if step == "4m" and "record" not in text else step
    whole = {"rule_files": ["rules"], "evaluation_interval": seldom, "tests": [test]}
    (folder / "test.yml").write_text(json.dumps(whole))
    command = ["promtool", "test", "rules", str(folder / "test.yml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize(("alert", "at", "series", "summary"), FIRES, ids=lambda v: str(v)[:24])
def test_an_alert_fires_with_its_numbers(
    alert: str, at: str, series: dict[str, str], summary: str, tmp_path: Path
) -> None:
    said = promtool(tmp_path, at, series, alert)

    assert f'alertname="{alert}"' in said
    assert summary in said


@pytest.mark.parametrize(("alert", "at", "series"), SILENT, ids=lambda v: str(v)[:24])
def test_an_alert_stays_silent(alert: str, at: str, series: dict[str, str], tmp_path: Path) -> None:
    assert promtool(tmp_path, at, series, alert) == ""
