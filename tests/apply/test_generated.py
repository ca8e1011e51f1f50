"""The checks that follow from a host.yaml, held against what is rendered from it."""

from typing import Any

import pytest

from emily_infra.apply.check import Blame, Check, Shell, Unit, Weight
from emily_infra.apply.generated import checks, mount_unit
from emily_infra.spec.host import Host
from tests.hosts import over, pebble, shipped
from tests.render.evaluated import evaluated

EMBER, PEBBLE = shipped("ember"), shipped("pebble")
every_host = pytest.mark.parametrize("host", [EMBER, PEBBLE], ids=["ember", "pebble"])


def by_name(host: Host) -> dict[str, Check]:
    return {check.name: check for check in checks(host)}


def script(host: Host, name: str) -> str:
    probe = by_name(host)[name].probe
    assert isinstance(probe, Shell)
    return probe.script


def units(host: Host) -> set[str]:
    return {check.probe.name for check in checks(host) if isinstance(check.probe, Unit)}


def rendered(host: Host, kind: str) -> dict[str, Any]:
    """Units of one kind that our modules define, by name."""
    modules = evaluated(host).values()
    return {
        name: unit
        for module in modules
        for name, unit in module.get("systemd", {}).get(kind, {}).items()
    }


@every_host
def test_every_timer_that_we_render_must_be_armed(host: Host) -> None:
    assert {f"{name}.timer" for name in rendered(host, "timers")} <= units(host)


JOBS = ("dataset-owner-", "emily-dataset-", "emily-runtime")
"""Services that end; a failed one shows."""


@every_host
def test_every_service_that_we_render_to_stay_up_is_checked(host: Host) -> None:
    services = {
        f"{name}.service"
        for name, unit in rendered(host, "services").items()
        if "wantedBy" in unit and not name.startswith(JOBS)
    }

    assert services - units(host) == {"emily-boot-guard.service"}  # rests unless a deploy is open


@every_host
def test_everything_that_is_mounted_is_checked(host: Host) -> None:
    mounted = evaluated(host)["storage"]["fileSystems"]

    assert {mount_unit(path) for path in mounted} <= units(host)


@every_host
def test_every_service_of_monitoring_and_sharing_is_checked(host: Host) -> None:
    services = {"samba-smbd.service"}
    if host.spec.monitoring:
        exporters = evaluated(host)["monitoring"]["services"]["prometheus"]["exporters"]
        services |= {f"prometheus-{name}-exporter.service" for name in exporters}
        services |= {"prometheus.service", "alertmanager.service", "grafana.service"}

    assert services <= units(host)


@every_host
def test_no_two_checks_have_one_name_and_each_has_its_place_in_the_file(host: Host) -> None:
    found = checks(host)

    assert len({check.name for check in found}) == len(found)
    assert all(check.location.line > 1 and check.place for check in found)


@every_host
def test_every_check_is_through_before_the_host_goes_back(host: Host) -> None:
    hasty = over(host, "deploy: { confirm_within: 30s, checks: null }")

    assert all(0 < check.deadline + check.settle <= 15 for check in checks(hasty))


@pytest.mark.parametrize(
    ("path", "unit"),
    [
        ("/", "-.mount"),
        ("/srv/code", "srv-code.mount"),
        ("/srv/nix-cache", r"srv-nix\x2dcache.mount"),
        ("/.hidden", r"\x2ehidden.mount"),
        ("/srv/.x", "srv-.x.mount"),
    ],
)
def test_a_mount_unit_is_named_as_systemd_names_it(path: str, unit: str) -> None:
    assert mount_unit(path) == unit


def test_a_pool_is_asked_for_with_all_its_disks() -> None:
    words = script(EMBER, "pool ember").split()

    assert words[:2] == ["pool", "ember"]
    assert len(words[2:]) == 16
    assert words[-1] == "nvme-B-part5"


def test_a_zone_is_asked_for_with_its_addresses_and_an_untagged_card_for_its_own() -> None:
    assert script(EMBER, "address in data") == "address vlan20 10.20.0.2/24"
    assert script(PEBBLE, "address in home") == "address lan 192.168.1.10/24"


def test_a_learned_address_may_be_any() -> None:
    host = pebble("network: { zones: { home: { address: dhcp, address6: auto, gateway: null } } }")

    assert script(host, "learned IPv4 address in home") == "learned lan 4"
    assert script(host, "learned IPv6 address in home") == "learned lan 6"
    assert "address in home" not in by_name(host)


def test_only_a_peer_that_is_kept_alive_must_have_been_heard_of() -> None:
    silent = over(EMBER, "wireguard: { wg0: { peers: { minnesota: { keepalive: null } } } }")

    assert script(EMBER, "peer minnesota on wg0").endswith("minnesota 205")
    assert by_name(EMBER)["peer minnesota on wg0"].blame is Blame.REGRESSION
    assert "peer minnesota on wg0" not in by_name(silent)


def test_a_share_must_answer_at_its_address_in_every_zone_it_is_offered_in() -> None:
    assert script(EMBER, "SMB at 10.20.0.2") == "tcp 10.20.0.2 445"
    assert script(EMBER, "SMB at 10.0.0.2") == "tcp 10.0.0.2 445"
    assert script(EMBER, "share workspace") == "share workspace /srv/code"


def test_the_runtime_must_say_that_it_is_ready() -> None:
    assert script(EMBER, "runtime answers") == "http 10.30.0.2 8470 /ready"
    assert "emily-runtime.socket" in units(EMBER)


def test_a_dashboard_that_is_slow_to_start_undoes_no_deploy() -> None:
    assert by_name(EMBER)["grafana answers"].weight is Weight.WARNING
    assert by_name(EMBER)["grafana.service"].weight is Weight.CRITICAL


def test_an_own_check_is_taken_as_it_stands() -> None:
    host = pebble("""
deploy:
  checks:
    api:
      command: [curl, -f, "http://localhost/a b"]
      grace: 10s
      interval: 20s
      deadline: 50s
      severity: warning
""")
    own = by_name(host)["api"]

    assert own.probe == Shell("curl -f 'http://localhost/a b'", limit=20.0)
    assert (own.grace, own.interval, own.deadline, own.weight) == (10, 20, 50, Weight.WARNING)
    assert own.place == ("deploy", "checks", "api")


def test_an_own_check_can_not_take_the_name_of_a_generated_one() -> None:
    names = {check.name for host in (EMBER, PEBBLE) for check in checks(host)}

    assert all("." in name or " " in name for name in names - {"code-is-writable"})
