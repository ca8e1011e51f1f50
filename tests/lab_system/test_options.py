"""Every option has an answer, and the list of those that are left out does not grow in silence."""

import pytest

from emily_infra.lab.system import answers as of_host
from emily_infra.lab.system.options import TABLE, UnknownOption, answers, without_left_out
from tests.hosts import shipped

_BOTH = {
    "boot.kernelPackages",
    "boot.kernelParams",
    "boot.loader.efi",
    "boot.zfs.forceImportAll",
    "boot.zfs.forceImportRoot",
    "fileSystems./",
    "fileSystems./boot",
    "networking.firewall",
    "security.sudo.execWheelOnly",
    "services.openssh.openFirewall",
    "services.samba.nmbd",
    "services.samba.openFirewall",
    "services.samba.winbindd",
    "users.mutableUsers",
}
_EMBER = {
    "boot.loader.systemd-boot.extraInstallCommands",
    "fileSystems./nix",
    "fileSystems./var/lib",
    "i18n.extraLocales",
    "services.grafana",
    "services.prometheus.alertmanager.openFirewall",
    "services.prometheus.exporters.node.openFirewall",
    "services.prometheus.exporters.smartctl",
    "services.prometheus.exporters.systemd",
    "services.prometheus.exporters.wireguard",
    "services.prometheus.exporters.zfs",
    "swapDevices",
    "systemd.services.grafana",
}


def left_out(name: str) -> dict[str, str]:
    return {each.option: each.reason for each in of_host(shipped(name)).left_out}


def test_ember_leaves_out_these_options_and_no_others() -> None:
    assert set(left_out("ember")) == _BOTH | _EMBER


def test_pebble_leaves_out_these_options_and_no_others() -> None:
    found = set(left_out("pebble"))

    assert found == (_BOTH | {"zramSwap"}) - {"fileSystems./", "fileSystems./boot"}


def test_every_option_that_is_left_out_says_why() -> None:
    assert all(reason for reason in left_out("ember").values())


def test_the_network_of_a_host_is_exercised() -> None:
    played = set(of_host(shipped("ember")).exercised)

    assert {"systemd.network.netdevs", "networking.nftables.tables", "services.samba.settings",
            "networking.wireguard.interfaces", "systemd.services"} <= played  # fmt: skip


def test_an_option_that_stands_in_no_line_stops_the_build() -> None:
    with pytest.raises(UnknownOption, match=r"services\.avahi is set"):
        answers({"services": {"avahi": {"enable": True}}}, {})


def test_a_new_key_beside_known_ones_stops_the_build_too() -> None:
    with pytest.raises(UnknownOption, match=r"services\.samba\.usershares"):
        answers({"services": {"samba": {"enable": True, "usershares": {"enable": True}}}}, {})


def test_the_longest_line_decides() -> None:
    services = {"grafana": {"wants": ["a"]}, "other": {"wants": ["b"]}}

    found = answers({"systemd": {"services": services}}, {})

    assert found.exercised == ("systemd.services",)
    assert [one.option for one in found.left_out] == ["systemd.services.grafana"]


def test_what_is_left_out_is_gone_before_anything_is_lowered() -> None:
    values = {"systemd": {"services": {"grafana": {}, "other": {}}}, "swapDevices": [{}]}

    assert without_left_out(values) == {"systemd": {"services": {"other": {}}}}


def test_no_line_of_the_table_is_below_one_that_is_left_out() -> None:
    dropped = [line for line, reason in TABLE.items() if reason]

    assert not [(a, b) for a in dropped for b in TABLE if b.startswith(f"{a}.")]
