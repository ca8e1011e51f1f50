"""Who may read what, and who is told."""

import pytest

from emily_infra.findings import Finding
from tests.hosts import codes, findings, over, pebble, shipped

EMBER = shipped("ember")
GRAFANA = "grafana: { admin_password: secret:a, secret_key: secret:b }"


def found(part: str, code: str) -> list[Finding]:
    return [f for f in findings(over(EMBER, part)) if f.code == code]


def allow(*lines: str) -> str:
    return f"network: {{ allow: [{', '.join(lines)}] }}"


SSH = "{ from: management, to: host, services: [ssh, grafana] }"
FOREIGN = "{ from: data, to: host, services: [smb, node-exporter] }"


def test_exporters_on_loopback_are_not_opened_by_any_line() -> None:
    assert not found(allow(SSH, FOREIGN), "MON001")


def test_an_exporter_for_another_zone_is_found_where_it_is_written() -> None:
    part = allow(SSH, FOREIGN) + "\nmonitoring: { exporters: zone }"

    (finding,) = found(part, "MON001")

    assert finding.place == ("network", "allow", 1, "services", 1)
    assert "data" in finding.message


def test_an_exporters_port_under_another_name_is_the_same_port() -> None:
    line = "{ from: data, to: host, services: [stats] }"
    part = f"network: {{ services: {{ stats: {{ tcp: [9134] }} }}, allow: [{SSH}, {line}] }}"

    (finding,) = found(part + "\nmonitoring: { exporters: zone }", "MON001")

    assert "zfs" in finding.message


def test_an_exporter_that_does_not_run_is_nobodys_secret() -> None:
    line = "{ from: data, to: host, services: [wireguard-exporter] }"
    part = "wireguard: null\n" + allow(SSH, line) + "\nmonitoring: { exporters: zone }"

    assert not found(part, "MON001")


def test_a_line_between_zones_opens_nothing_on_the_host() -> None:
    line = "{ from: data, to: ai, services: [node-exporter] }"

    assert not found(allow(SSH, line) + "\nmonitoring: { exporters: zone }", "MON001")


def test_a_dangling_zone_is_said_once() -> None:
    host = over(EMBER, "monitoring: { zone: attic }")

    assert {"MON002"} == {code for code in codes(host) if code.startswith("MON")}


@pytest.mark.parametrize(("zone", "fires"), [("management", False), ("ai", True)])
def test_dashboards_need_a_line_from_their_own_zone(zone: str, fires: bool) -> None:  # noqa: FBT001
    assert bool(found(f"monitoring: {{ zone: {zone} }}", "MON005")) is fires


def test_a_service_of_the_hosts_own_may_open_the_dashboards() -> None:
    part = (
        f"monitoring: {{ zone: home, {GRAFANA} }}\n"
        "network:\n  services: { boards: { tcp: [3000] } }\n"
        "  allow: [{ from: home, to: host, services: [ssh, boards] }]"
    )

    assert "MON005" not in codes(pebble(part))


def test_a_host_without_pools_has_nothing_to_watch() -> None:
    assert "MON004" in codes(pebble())
    assert "MON004" not in codes(pebble("storage: null\nsamba: null\nbackup: null"))


def test_the_host_that_ships_is_watched_and_somebody_is_told() -> None:
    assert not {code for code in codes(EMBER) if code.startswith("MON")}
