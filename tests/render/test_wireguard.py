"""What the rendered WireGuard module means to NixOS, as the Nix interpreter sees it."""

from typing import Any

from emily_infra.render import wireguard
from tests.hosts import over, shipped
from tests.render.evaluated import module


def tunnel(part: str = "") -> Any:
    """The tunnel of ember."""
    host = over(shipped("ember"), part)
    return module(host, "wireguard")["networking"]["wireguard"]["interfaces"]["wg0"]


def test_a_host_without_tunnels_has_no_such_module() -> None:
    assert wireguard.lower(shipped("pebble")) is None


def test_a_tunnel_has_its_address_port_and_key_file() -> None:
    found = tunnel()

    assert (found["ips"], found["listenPort"], found["mtu"]) == (["10.0.0.2/24"], 51820, 1420)
    assert found["privateKeyFile"] == "/run/secrets/wg0"


def test_a_peer_is_told_as_host_yaml_tells_it() -> None:
    assert tunnel()["peers"] == [
        {
            "name": "minnesota",
            "publicKey": "DCFFrHzrByanm9OFf/uvMa8VY+KnaRgRXLe5RbTK6+E=",
            "allowedIPs": ["10.0.0.0/24"],
            "endpoint": "minnesota.example.org:51820",
            "persistentKeepalive": 25,
            "presharedKeyFile": "/run/secrets/wg0-minnesota",
        }
    ]


def test_names_are_looked_up_again_for_the_whole_interface() -> None:
    """NixOS refuses the setting of a single peer when networkd runs the tunnel."""
    found = tunnel()

    assert found["dynamicEndpointRefreshSeconds"] == 300
    assert all("dynamicEndpointRefreshSeconds" not in peer for peer in found["peers"])
    assert tunnel("wireguard: { wg0: { refresh: null } }")["dynamicEndpointRefreshSeconds"] == 0


def test_a_missing_key_file_cannot_keep_the_host_off_the_network() -> None:
    host = over(shipped("ember"), "secrets: { wg0: { file: /srv/keys/wg0 } }")

    services = module(host, "wireguard")["systemd"]["services"]

    assert services["systemd-networkd"]["serviceConfig"]["SetCredential"] == [
        "wireguard-wg0-private-key:missing",
        "wireguard-wg0-minnesota-preshared-key:missing",
    ]
    assert tunnel("secrets: { wg0: { file: /srv/keys/wg0 } }")["privateKeyFile"] == "/srv/keys/wg0"


def test_peers_stand_in_the_order_of_their_names() -> None:
    key = "5ST5QOMoTMlzLVxOmnhsnBbu0jzBBRfXGLKT5xx2CHo="
    part = f"{{ public_key: {key}, allowed_ips: [10.0.0.7/32] }}"

    found = tunnel(f"wireguard: {{ wg0: {{ peers: {{ cabin: {part} }} }} }}")

    assert [peer["name"] for peer in found["peers"]] == ["cabin", "minnesota"]
