"""WireGuard interfaces, run by systemd-networkd."""

from collections.abc import Mapping

from emily_infra.spec.host import Host, HostSpec
from emily_infra.spec.topology import secret_file
from emily_infra.spec.wireguard import Peer, WireGuard


def lower(host: Host) -> Mapping[str, object] | None:
    """What modules/wireguard.nix.j2 prints, or nothing where the host has no tunnel."""
    spec = host.spec
    if not spec.wireguard:
        return None
    return {
        "tunnels": {name: _tunnel(spec, body) for name, body in sorted(spec.wireguard.items())},
        "networks": [f"40-{name}" for name in sorted(spec.wireguard)],
        "fallbacks": [
            f"{credential}:missing"
            for name, body in sorted(spec.wireguard.items())
            for credential in _credentials(name, body)
        ],
    }


def _tunnel(spec: HostSpec, tunnel: WireGuard) -> Mapping[str, object]:
    return {
        "ips": [str(tunnel.address)],
        "listenPort": tunnel.port,
        "privateKeyFile": secret_file(spec, tunnel.private_key),
        "mtu": tunnel.mtu,
        "dynamicEndpointRefreshSeconds": tunnel.refresh.seconds if tunnel.refresh else 0,
        "peers": [_peer(spec, name, peer) for name, peer in sorted(tunnel.peers.items())],
    }


def _peer(spec: HostSpec, name: str, peer: Peer) -> Mapping[str, object]:
    return {
        "name": name,
        "publicKey": peer.public_key,
        "allowedIPs": [str(network) for network in peer.allowed_ips],
        **({"endpoint": peer.endpoint} if peer.endpoint else {}),
        **({"persistentKeepalive": peer.keepalive.seconds} if peer.keepalive else {}),
        **(
            {"presharedKeyFile": secret_file(spec, peer.preshared_key)}
            if peer.preshared_key
            else {}
        ),
    }


def _credentials(name: str, tunnel: WireGuard) -> list[str]:
    """The names under which NixOS hands the keys of an interface to networkd."""
    shared = [
        f"wireguard-{name}-{peer}-preshared-key"
        for peer, body in sorted(tunnel.peers.items())
        if body.preshared_key
    ]
    return [f"wireguard-{name}-private-key", *shared]
