"""The runtime's unit as Nix and systemd see it, and its configuration as the service reads it."""

from pathlib import Path
from typing import Any

import pytest

from emily_infra.runtime.places import Colour, Places
from emily_infra.spec.host import Host
from emily_runtime.config import Config, read
from emily_runtime.config.sections import Service
from tests.hosts import over, pebble, shipped
from tests.render import systemd
from tests.render.evaluated import module

EMBER = shipped("ember")
ALONE = "runtime: { token: secret:token }\nsecrets: { token: {} }\n"
NEWER = ("RestartSteps", "RestartMaxDelaySec", "MemoryPressureWatch", "notify-reload")
"""What systemd learned in 253 and 254."""


def unit(host: Host) -> Any:
    return module(host, "runtime")["systemd"]["services"]["emily-runtime@"]


def socket(host: Host) -> Any:
    return module(host, "runtime")["systemd"]["sockets"]["emily-runtime"]


def config(host: Host) -> Any:
    return unit(host)["serviceConfig"]


def configuration(host: Host, folder: Path) -> Config:
    file = folder / "runtime.toml"
    file.write_text(module(host, "runtime")["environment"]["etc"]["emily/runtime.toml"]["text"])
    return read(file)


def test_a_host_without_a_runtime_has_no_such_module() -> None:
    with pytest.raises(KeyError):
        module(shipped("pebble"), "runtime")


def test_the_service_understands_what_is_rendered(tmp_path: Path) -> None:
    found = configuration(EMBER, tmp_path)

    assert found.service == Service("10.30.0.2", 8470, "en")
    assert found.providers == {}


def test_without_a_zone_it_is_served_on_loopback_alone(tmp_path: Path) -> None:
    host = pebble(ALONE)

    assert configuration(host, tmp_path).host == "127.0.0.1"
    assert config(host)["IPAddressAllow"] == ["localhost"]


def test_no_apply_restarts_a_colour() -> None:
    other = over(EMBER, "runtime: { language: ko }")

    assert unit(other) == unit(EMBER)
    services = module(EMBER, "runtime")["systemd"]["services"]
    assert {name for name, each in services.items() if each["restartIfChanged"]} == set()


def test_both_colours_are_handed_the_one_port_and_open_none() -> None:
    values = config(EMBER)

    assert socket(EMBER)["listenStreams"] == ["10.30.0.2:8470"]
    assert values["Sockets"] == "emily-runtime.socket"
    assert values["SocketBindDeny"] == "any"


def test_the_port_is_open_before_a_colour_is_started() -> None:
    starter = module(EMBER, "runtime")["systemd"]["services"]["emily-runtime"]

    assert starter["requires"] == starter["after"] == ["emily-runtime.socket"]


def test_a_caller_starts_the_active_colour_only_where_none_runs() -> None:
    services = module(EMBER, "runtime")["systemd"]["services"]
    starter = services["emily-runtime"]

    # Active, it would count as the one that takes; without Sockets, no colour would.
    assert starter["serviceConfig"] == {"Type": "oneshot"}
    assert socket(EMBER)["socketConfig"]["Service"] == "emily-runtime.service"
    assert config(EMBER)["Sockets"] == "emily-runtime.socket"
    assert "accept" not in {name.lower() for name in socket(EMBER)["socketConfig"]}


def test_a_port_on_an_address_of_version_6_is_bracketed() -> None:
    zone = "home: { address: null, address6: 'fd00::10/64', gateway: null }"
    host = pebble(
        "runtime: { token: secret:token, zone: home }\nsecrets: { token: {} }\n"
        f"network: {{ zones: {{ {zone} }} }}"
    )

    assert socket(host)["listenStreams"] == ["[fd00::10]:8470"]


def test_the_colours_are_one_user_with_one_memory_and_a_control_socket_each() -> None:
    values = config(EMBER)

    assert (values["DynamicUser"], values["User"]) == (True, "emily-runtime")
    assert values["StateDirectory"] == "emily-runtime"
    assert values["RuntimeDirectory"] == "emily-runtime/%i"


def test_pressure_begins_at_three_quarters_of_the_ceiling() -> None:
    values = config(EMBER)
    slices = module(EMBER, "runtime")["systemd"]["slices"]

    assert (values["MemoryHigh"], values["MemoryMax"]) == (3 << 30, 4 << 30)
    assert slices["emily-runtime"]["sliceConfig"]["MemoryMax"] == 4 << 30
    assert values["Slice"] == "emily-runtime.slice"


def test_offline_it_exchanges_packets_with_its_callers_only() -> None:
    values = config(over(EMBER, "network: { zones: { management: { gateway: null } } }"))

    for each in (values, socket(EMBER)["socketConfig"]):
        assert each["IPAddressDeny"] == "any"
        assert each["IPAddressAllow"] == ["localhost", "10.30.0.0/24"]


def test_a_zone_that_the_policy_lets_in_is_not_kept_out_by_the_unit() -> None:
    lines = [f"{{ from: {zone}, to: host, services: [runtime] }}" for zone in ("ai", "data")]

    values = config(over(EMBER, f"network: {{ allow: [{', '.join(lines)}] }}"))

    assert values["IPAddressAllow"] == ["localhost", "10.30.0.0/24", "10.20.0.0/24"]


@pytest.mark.parametrize(
    "part",
    [
        "runtime: { providers: { anthropic: { model: m, price: { read: 1, written: 1 } } } }",
        "runtime: { zone: management }",
        "network: { zones: { ai: { address: dhcp } } }",
    ],
    ids=["a provider", "a way out", "a learned address"],
)
def test_callers_from_anywhere_or_a_provider_leave_it_open(part: str) -> None:
    assert "IPAddressDeny" not in config(over(EMBER, part))


@pytest.mark.parametrize("host", [EMBER, pebble(ALONE)], ids=["ember", "pebble"])
def test_systemd_has_nothing_to_say_against_the_unit(host: Host, tmp_path: Path) -> None:
    names = ("emily-runtime@blue.service", "emily-runtime-pin@blue.service")

    said = systemd.complaints(module(host, "runtime"), tmp_path, *names).splitlines()

    assert [line for line in said if not any(name in line for name in NEWER)] == []


def test_systemd_finds_the_service_well_sealed(tmp_path: Path) -> None:
    systemd.write(module(EMBER, "runtime"), tmp_path)
    systemd.instance("emily-runtime@blue.service", tmp_path)

    assert systemd.exposure(module(EMBER, "runtime"), "emily-runtime@blue", tmp_path) <= 1.5


def test_systemd_finds_whoever_deploys_well_sealed(tmp_path: Path) -> None:
    assert systemd.exposure(module(EMBER, "runtime"), "emily-runtime-deploy", tmp_path) <= 2.5


def test_a_deploy_that_was_cut_off_goes_on_and_no_apply_waits_for_it() -> None:
    services = module(EMBER, "runtime")["systemd"]["services"]
    deploys = services["emily-runtime-deploy"]

    assert deploys["wantedBy"] == ["multi-user.target"]
    assert deploys["unitConfig"]["ConditionPathExists"] == Places().order
    assert deploys["serviceConfig"]["Type"] == "exec"
    assert deploys["serviceConfig"]["Restart"] == "on-failure"


def test_a_deploy_finds_what_nixos_gives_no_unit_by_itself() -> None:
    deploys = module(EMBER, "runtime")["systemd"]["services"]["emily-runtime-deploy"]

    # sh, and curl; beside them it runs rm, cat, mv, readlink and systemctl.
    assert [path.rpartition("-")[2] for path in deploys["path"]] == ["bash", "curl"]


def test_who_deploys_looks_where_the_units_put_things() -> None:
    places, values = Places(), config(EMBER)
    services = module(EMBER, "runtime")["systemd"]["services"]

    assert f"{places.pinned(Colour.BLUE)}/bin/".replace("blue", "%i") in values["ExecStart"]
    assert places.pinned_settings(Colour.BLUE).replace("blue", "%i") in values["ExecStart"]
    assert places.control(Colour.BLUE) == "/run/emily-runtime/blue/control.sock"
    assert places.active in services["emily-runtime"]["script"]
    pins = services["emily-runtime-pin@"]["serviceConfig"]["StateDirectory"]
    assert places.colours == f"/var/lib/{pins}"


def test_it_never_gives_up_and_never_spins() -> None:
    values = config(EMBER)

    assert unit(EMBER)["startLimitIntervalSec"] == 0
    assert (values["Restart"], values["RestartSteps"], values["RestartMaxDelaySec"]) == (
        "always",
        8,
        "1min",
    )
