"""`networking.wireguard` as NixOS hands it to networkd: netdevs, networks, keys as credentials."""

from collections.abc import Iterator, Mapping

from emily_infra.lab.system.config import Config, Values
from emily_infra.lab.system.tree import package


def lower(config: Config) -> Values:
    """A tunnel is a netdev of networkd, with a timer that looks endpoints up again."""
    interfaces = dict(config.named("networking", "wireguard", "interfaces"))
    if not interfaces:
        return {}
    refreshed = {n: o for n, o in interfaces.items() if _refresh(o) != "0"}
    credentials = [line for name, one in interfaces.items() for line in _credentials(name, one)]
    return {
        "environment": {
            # A file of its own and no link, because the refresh touches it.
            "etc": {f"systemd/network/40-{name}.netdev": {"mode": "0444"} for name in refreshed}
        },
        "systemd": {
            "network": {
                "netdevs": {f"40-{name}": _netdev(name, one) for name, one in interfaces.items()},
                "networks": {
                    f"40-{name}": {"matchConfig": {"Name": name}, "address": one.texts("ips")}
                    for name, one in interfaces.items()
                },
            },
            "services": {
                "systemd-networkd": {"serviceConfig": {"LoadCredential": credentials}},
                **{f"wireguard-dynamic-refresh-{n}": _service(n) for n in refreshed},
            },
            "timers": {
                f"wireguard-dynamic-refresh-{n}": _timer(n, o) for n, o in refreshed.items()
            },
        },
    }


def _netdev(name: str, options: Config) -> Values:
    device = {"Kind": "wireguard", "Name": name, "MTUBytes": options.at("mtu")}
    peers = options.at("peers")
    return {
        "netdevConfig": device,
        "wireguardConfig": {
            "ListenPort": options.at("listenPort"),
            "PrivateKey": f"@wireguard-{name}-private-key",
            # NixOS routes what a peer may send, and its default table is the main one.
            "RouteTable": "main",
        },
        "wireguardPeers": [_peer(name, Config(p)) for p in peers]
        if isinstance(peers, list)
        else [],
    }


def _peer(interface: str, peer: Config) -> dict[str, object]:
    keys: Mapping[str, object] = {
        "PublicKey": peer.at("publicKey"),
        "AllowedIPs": peer.at("allowedIPs"),
        "Endpoint": peer.at("endpoint"),
        "PersistentKeepalive": peer.at("persistentKeepalive"),
        "PresharedKey": f"@{_preshared(interface, peer)}" if peer.at("presharedKeyFile") else None,
    }
    return {key: value for key, value in keys.items() if value is not None}


def _credentials(name: str, options: Config) -> Iterator[str]:
    yield f"wireguard-{name}-private-key:{options.text('privateKeyFile')}"
    peers = options.at("peers")
    for peer in map(Config, peers if isinstance(peers, list) else []):
        if file := peer.text("presharedKeyFile"):
            yield f"{_preshared(name, peer)}:{file}"


def _preshared(interface: str, peer: Config) -> str:
    return f"wireguard-{interface}-{peer.text('name')}-preshared-key"


def _refresh(options: Config) -> str:
    return options.text("dynamicEndpointRefreshSeconds", default="0")


def _service(name: str) -> Values:
    return {
        "description": f"Wireguard dynamic endpoint refresh ({name})",
        "wants": ["network-online.target"],
        "after": ["network-online.target"],
        "path": [package("iproute2"), package("systemd")],
        "script": f"touch /etc/systemd/network/40-{name}.netdev\nnetworkctl reload\n",
    }


def _timer(name: str, options: Config) -> Values:
    return {
        "description": f"Wireguard dynamic endpoint refresh ({name}) timer",
        "partOf": [f"wireguard-dynamic-refresh-{name}.service"],
        "wantedBy": ["timers.target"],
        "timerConfig": {"OnBootSec": _refresh(options), "OnUnitInactiveSec": _refresh(options)},
    }
