"""Files of systemd-networkd and udev: netdevs, networks and links."""

from collections.abc import Iterator, Mapping

from emily_infra.errors import EmilyError
from emily_infra.lab.system.config import Config, Values
from emily_infra.lab.system.units import section

_NETDEV = {
    "netdevConfig": "NetDev",
    "vlanConfig": "VLAN",
    "wireguardConfig": "WireGuard",
    "bridgeConfig": "Bridge",
    "bondConfig": "Bond",
}
_NETWORK = {
    "matchConfig": "Match",
    "linkConfig": "Link",
    "networkConfig": "Network",
    "dhcpV4Config": "DHCPv4",
    "ipv6AcceptRAConfig": "IPv6AcceptRA",
}
_NETWORK_LISTS = {
    "address": "Address",
    "gateway": "Gateway",
    "dns": "DNS",
    "domains": "Domains",
    "ntp": "NTP",
    "vlan": "VLAN",
    "bond": "Bond",
    "bridge": "Bridge",
    "macvlan": "MACVLAN",
}
_NETWORK_REPEATED = {"addresses": "Address", "routes": "Route"}
_NETDEV_REPEATED = {"wireguardPeers": "WireGuardPeer"}
_LINK = {"matchConfig": "Match", "linkConfig": "Link"}


class UnknownNetworkOption(EmilyError):
    """A network is described by an option that the lab does not write."""

    code = "LAB043"


def files(config: Config) -> dict[str, str]:
    """Every file of /etc/systemd/network by name."""
    network = config.below("systemd", "network")
    texts = {}
    for name, options in network.named("links"):
        texts[f"{name}.link"] = "".join(_sections(options, _LINK, {}, {}))
    for name, options in network.named("netdevs"):
        texts[f"{name}.netdev"] = "".join(_sections(options, _NETDEV, {}, _NETDEV_REPEATED))
    for name, options in network.named("networks"):
        texts[f"{name}.network"] = "".join(
            _sections(options, _NETWORK, _NETWORK_LISTS, _NETWORK_REPEATED)
        )
    return texts


def lower(config: Config) -> Values:
    """What NixOS makes of `systemd.network`: the files, and a networkd that follows them."""
    texts = files(config)
    if not config.flag("networking", "useNetworkd"):
        return {}
    wait = ["--timeout=120", *(["--any"] if _any_interface(config) else [])]
    waiter = f"/usr/lib/systemd/systemd-networkd-wait-online {' '.join(wait)}"
    one = f"/usr/lib/systemd/systemd-networkd-wait-online -i %i {' '.join(wait)}"
    return {
        "environment": {"etc": {f"systemd/network/{n}": {"text": t} for n, t in texts.items()}},
        "systemd": {
            "services": {
                "systemd-networkd": {
                    "aliases": ["dbus-org.freedesktop.network1.service"],
                    "notSocketActivated": True,
                    "stopIfChanged": False,
                    "wantedBy": ["multi-user.target"],
                    "reloadTriggers": [t for n, t in texts.items() if n.endswith(".network")],
                    "restartTriggers": [t for n, t in texts.items() if not n.endswith(".network")],
                },
                "systemd-networkd-wait-online": {
                    "serviceConfig": {"ExecStart": ["", waiter]},
                    "wantedBy": ["network-online.target"],
                },
                "systemd-networkd-wait-online@": {"serviceConfig": {"ExecStart": ["", one]}},
            },
            "sockets": {"systemd-networkd": {"wantedBy": ["sockets.target"]}},
        },
    }


def _any_interface(config: Config) -> bool:
    return config.flag("systemd", "network", "wait-online", "anyInterface")


def _sections(
    options: Config,
    sections: Mapping[str, str],
    lists: Mapping[str, str],
    repeated: Mapping[str, str],
) -> Iterator[str]:
    _refuse_unknown(options, {*sections, *lists, *repeated})
    for option, name in sections.items():
        lines = section(options.below(option).values)
        if name == "Network":
            lines += "".join(
                f"{key}={value}\n" for o, key in lists.items() for value in options.texts(o)
            )
        if lines:
            yield f"[{name}]\n{lines}\n"
    for option, name in repeated.items():
        listed = options.at(option)
        for entry in listed if isinstance(listed, list) else []:
            yield f"[{name}]\n{section(entry)}\n"


def _refuse_unknown(options: Config, known: set[str]) -> None:
    for option in sorted(set(options.values) - known):
        place = ".".join((*options.place, option))
        raise UnknownNetworkOption(
            f"{place} is set, and the lab does not know how to write it",
            hint="add it to emily_infra/lab/system/networkd.py, or leave it out of the module",
        )
