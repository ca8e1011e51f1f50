"""The monitoring module as NixOS would see it, held against Prometheus's own programs."""

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from emily_infra.render.templates import modules_folder
from emily_infra.spec import topology
from emily_infra.spec.host import Host
from emily_runtime.mind.families import FAMILIES, NAMED_ELSEWHERE
from tests.hosts import ROOT, over, pebble, shipped
from tests.render.evaluated import module

RULES = modules_folder() / "rules.yml"
EMBER = shipped("ember")
ADDRESSES = ("listenAddress", "http_addr")


def run(*command: str | Path) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def prometheus(host: Host) -> Any:
    return module(host, "monitoring")["services"]["prometheus"]


def rules(host: Host) -> str:
    """The one rule file."""
    (text,) = prometheus(host)["rules"]
    return str(text)


def promised(host: Host) -> dict[str, Any]:
    groups = yaml.safe_load(rules(host))["groups"]
    found = [rule for group in groups if group["name"] == "promises" for rule in group["rules"]]
    return {" ".join([r["record"], *r["labels"].values()]): r["expr"] for r in found}


def bound(value: Any) -> set[str]:
    """Every address that a module tells a program to listen on."""
    if not isinstance(value, dict):
        return set()
    below = {address for item in value.values() for address in bound(item)}
    return below | {value[key] for key in ADDRESSES if key in value}


def test_a_host_without_monitoring_has_no_such_module() -> None:
    with pytest.raises(KeyError):
        module(shipped("pebble"), "monitoring")


def test_only_grafana_leaves_the_loopback() -> None:
    services = module(EMBER, "monitoring")["services"]

    assert bound(services["prometheus"]) == {"127.0.0.1"}
    assert bound(services["grafana"]) == {"10.10.0.2"}


def test_every_exporter_is_told_an_address_and_opens_no_port() -> None:
    exporters = prometheus(EMBER)["exporters"]

    assert set(exporters) == set(topology.exporters(EMBER.spec))
    assert all(e["listenAddress"] and e["openFirewall"] is False for e in exporters.values())


def test_exporters_of_a_zone_are_read_at_its_address_and_wait_for_it() -> None:
    host = over(EMBER, "monitoring: { exporters: zone }")
    values = module(host, "monitoring")
    targets = {
        s["job_name"]: s["static_configs"][0]["targets"] for s in prometheus(host)["scrapeConfigs"]
    }

    assert targets["node"] == ["10.10.0.2:9100"]
    assert targets["prometheus"] == ["127.0.0.1:9090"]
    unit = values["systemd"]["services"]["prometheus-wireguard-exporter"]
    assert unit["after"] == unit["wants"] == ["network-online.target"]
    assert unit["startLimitIntervalSec"] == 0


def test_the_runtime_is_read_at_the_address_it_is_served_on() -> None:
    (runtime,) = (s for s in prometheus(EMBER)["scrapeConfigs"] if s["job_name"] == "runtime")

    assert runtime["static_configs"][0]["targets"] == ["10.30.0.2:8470"]
    assert "authorization" not in runtime


def test_an_address_of_version_6_is_bracketed_where_a_port_follows() -> None:
    host = pebble(
        "monitoring: { zone: home, exporters: zone }\n"
        "network: { zones: { home: { address: null, address6: 'fd00::10/64', gateway: null } } }"
    )

    exporters = prometheus(host)["exporters"]

    assert exporters["node"]["listenAddress"] == "[fd00::10]"
    assert "[fd00::10]:9100" in str(prometheus(host)["scrapeConfigs"])


def test_a_learned_address_is_read_through_loopback() -> None:
    host = pebble(
        "monitoring: { zone: home, exporters: zone }\n"
        "network: { zones: { home: { address: dhcp, gateway: null } } }"
    )

    assert prometheus(host)["exporters"]["node"]["listenAddress"] == "0.0.0.0"
    assert "127.0.0.1:9100" in str(prometheus(host)["scrapeConfigs"])


def test_alertmanager_is_no_cluster() -> None:
    assert prometheus(EMBER)["alertmanager"]["extraFlags"] == ["--cluster.listen-address="]


def test_no_secret_stands_in_the_module_only_the_files_that_systemd_hands_over() -> None:
    values = module(EMBER, "monitoring")
    services = values["systemd"]["services"]
    security = values["services"]["grafana"]["settings"]["security"]

    assert services["alertmanager"]["serviceConfig"]["LoadCredential"] == [
        "notify:/run/secrets/alert-webhook"
    ]
    assert services["grafana"]["serviceConfig"]["LoadCredential"] == [
        "admin-password:/run/secrets/grafana-admin",
        "secret-key:/run/secrets/grafana-key",
    ]
    assert security["secret_key"] == "$__file{/run/credentials/grafana.service/secret-key}"


def test_grafana_finds_its_dashboard_and_the_dashboard_its_data() -> None:
    values = module(EMBER, "monitoring")
    provision = values["services"]["grafana"]["provision"]
    (source,) = provision["datasources"]["settings"]["datasources"]
    (provider,) = provision["dashboards"]["settings"]["providers"]
    ((name, file),) = values["environment"]["etc"].items()

    assert f"/etc/{name}".startswith(provider["options"]["path"] + "/")
    assert set(re.findall(r'"type": "prometheus", "uid": "([^"]+)"', file["text"])) == {
        source["uid"]
    }
    assert source["url"] == "http://127.0.0.1:9090"


def test_durations_are_written_as_prometheus_reads_them() -> None:
    host = over(EMBER, "monitoring: { interval: 1min, retention: 52w }")

    assert prometheus(host)["globalConfig"]["scrape_interval"] == "1m"
    assert prometheus(host)["retentionTime"] == "52w"


def test_alerts_know_what_the_host_has_promised() -> None:
    found = promised(EMBER)

    assert found["emily_promised_backup_seconds s3"] == f"vector({26 * 3600})"
    assert found["emily_promised_snapshot_seconds ember/code"] == "vector(7200)"
    assert found["emily_promised_snapshot_seconds ember/models"] == f"vector({26 * 3600})"
    assert found["emily_promised_snapshots ember/code"] == "vector(70)"
    assert found["emily_promised_prune_seconds s3"] == f"vector({7 * 26 * 3600})"
    assert found["emily_promised_verified_seconds s3"] == f"vector({28 * 26 * 3600})"
    assert found["emily_promised_pool ember"] == "vector(1)"
    assert not any("ember/nix" in name for name in found)


def test_nobody_promises_to_prune_where_nothing_can_be_deleted() -> None:
    host = over(EMBER, "backup: { offsite: { s3: { append_only: true } } }")

    assert not any("prune" in name for name in promised(host))
    assert "emily_promised_verify_seconds s3" in promised(host)


def test_only_a_tunnel_that_is_kept_alive_may_be_called_dead() -> None:
    silent = over(EMBER, "wireguard: { wg0: { peers: { minnesota: { keepalive: null } } } }")

    assert any(name.startswith("emily_promised_tunnel") for name in promised(EMBER))
    assert not any(name.startswith("emily_promised_tunnel") for name in promised(silent))


def test_the_rules_that_ship_are_valid() -> None:
    run("promtool", "check", "rules", RULES)


@pytest.mark.parametrize(
    "host",
    [EMBER, over(EMBER, "monitoring: { exporters: zone }"), pebble("monitoring: { zone: home }")],
    ids=["ember", "in a zone", "pebble"],
)
def test_prometheus_accepts_its_configuration(host: Host, tmp_path: Path) -> None:
    values = prometheus(host)
    (tmp_path / "rules").write_text(rules(host))
    configuration = {
        "global": values["globalConfig"],
        "scrape_configs": values["scrapeConfigs"],
        "alerting": {"alertmanagers": values["alertmanagers"]},
        "rule_files": ["rules"],
    }
    (tmp_path / "prometheus.yml").write_text(json.dumps(configuration))

    assert "SUCCESS" in run("promtool", "check", "config", tmp_path / "prometheus.yml")


@pytest.mark.parametrize("told", ["notify: null", "notify: secret:a, heartbeat: secret:b"])
def test_alertmanager_accepts_its_configuration(told: str, tmp_path: Path) -> None:
    host = over(EMBER, f"monitoring: {{ {told} }}")
    text = json.dumps(prometheus(host)["alertmanager"]["configuration"])
    assert "$" not in text  # NixOS sends it through envsubst
    version = re.findall(r"version (\d+)\.(\d+)", run("amtool", "--version"))[0]
    if tuple(map(int, version)) < (0, 26):  # knows no url_file yet; a URL stands in for it
        text = text.replace('"url_file": "/run', '"url": "http://localhost/run')
    (tmp_path / "alertmanager.yml").write_text(text)

    assert "SUCCESS" in run("amtool", "check-config", tmp_path / "alertmanager.yml")


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ("alertname=Watchdog severity=none", "heartbeat"),
        ("alertname=OomKill severity=critical", "operators"),
        ("alertname=UnitFailed severity=warning", "operators"),
    ],
)
def test_an_alert_goes_where_it_should(labels: str, receiver: str, tmp_path: Path) -> None:
    configuration = prometheus(over(EMBER, "monitoring: { notify: null }"))["alertmanager"]
    file = tmp_path / "alertmanager.yml"
    file.write_text(json.dumps(configuration["configuration"]))

    found = run("amtool", "config", "routes", "test", f"--config.file={file}", *labels.split())

    assert found.strip() == receiver


def test_the_watchdog_pages_nobody_and_beats_where_a_heartbeat_is_asked_for() -> None:
    host = over(EMBER, "monitoring: { heartbeat: secret:beat }")

    receivers = prometheus(host)["alertmanager"]["configuration"]["receivers"]

    (hook,) = next(r for r in receivers if r["name"] == "heartbeat")["webhook_configs"]
    assert hook["url_file"] == "/run/credentials/alertmanager.service/heartbeat"


def test_every_figure_of_the_backup_is_explained_where_alerts_are_written() -> None:
    sources = (ROOT / "emily_infra" / "backup").rglob("*.py")
    published = {
        name for path in sources for name in re.findall(r'"(emily_\w+)"', path.read_text())
    }
    explained = set(re.findall(r"(?m)^#   (emily_\w+)", RULES.read_text()))

    assert {"emily_snapshot_count", "emily_backup_incomplete"} <= published
    assert published - explained == set()


def test_every_alert_has_a_severity_and_says_where_it_happens() -> None:
    alerts = [r for g in yaml.safe_load(RULES.read_text())["groups"] for r in g["rules"]]

    assert {alert["labels"]["severity"] for alert in alerts} == {"critical", "warning", "none"}
    assert all("{{ $externalLabels.host }}" in a["annotations"]["summary"] for a in alerts)


def test_the_dashboard_asks_questions_that_prometheus_understands(tmp_path: Path) -> None:
    dashboard = json.loads((modules_folder() / "overview.json").read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    records = [{"record": f"panel_{n}", "expr": expr} for n, expr in enumerate(asked)]
    (tmp_path / "rules").write_text(json.dumps({"groups": [{"name": "a", "rules": records}]}))

    run("promtool", "check", "rules", tmp_path / "rules")

    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def told(expr: str) -> set[str]:
    """The runtime's families that are asked for, without what a histogram adds."""
    names = re.findall(r"\b((?:emily|gflownet|allostatic|active|global)_[a-z_]+)\b", expr)
    return {re.sub("_(bucket|count|sum)$", "", name) for name in names}


def test_what_is_asked_about_the_runtime_is_what_it_tells() -> None:
    dashboard = json.loads((modules_folder() / "overview.json").read_text())
    groups = {
        group["name"]: group["rules"] for group in yaml.safe_load(RULES.read_text())["groups"]
    }
    panels = [each for each in dashboard["panels"] if each["title"].startswith("Runtime: ")]
    shown = {name for each in panels for t in each["targets"] for name in told(t["expr"])}
    watched = {name for rule in groups["runtime"] for name in told(rule["expr"])}

    assert shown | watched <= {family.name for family in FAMILIES}
    assert {family.name for family in NAMED_ELSEWHERE} - {"global_workspace_capacity"} <= shown
    assert "gflownet_mode_collapse_total" in watched


def test_the_last_commit_of_every_pool_is_recorded(tmp_path: Path) -> None:
    script = module(EMBER, "monitoring")["systemd"]["services"]["emily-pool-liveness"]["script"]
    for pool, birth in (("ember", 900), ("old", 500)):
        (tmp_path / pool).mkdir()
        rows = f"1 {birth}000000000 C 0 0 0 0 0 1000000000 0 0 1000000000\n2 999000000000 O 0 0 0 0"
        (tmp_path / pool / "txgs").write_text(f"8 1 0x01 4 448 5 6\ntxg birth state\n{rows}\n")
    (tmp_path / "fm").write_text("0 1 0x01 4 1088 5 1000000000000\nname type data\n")
    once = script.replace("/proc/spl/kstat/zfs", str(tmp_path)).replace("sleep 15", "exit")
    now = time.time()

    subprocess.run(["bash", "-euc", once], cwd=tmp_path, check=True)

    told = dict(line.split() for line in (tmp_path / "pools.prom").read_text().splitlines())
    ages = {name: round(now - int(when)) for name, when in told.items()}
    metric = "emily_pool_last_commit_timestamp_seconds"
    assert ages.keys() == {f'{metric}{{pool="{pool}"}}' for pool in ("ember", "old")}
    assert abs(ages[f'{metric}{{pool="ember"}}'] - 98) < 5
    assert abs(ages[f'{metric}{{pool="old"}}'] - 498) < 5
