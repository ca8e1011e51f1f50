"""The registry of ports: one name for each, so that no two programs meet on one port."""

from emily_infra.spec.network import Service

REGISTRY: dict[str, Service] = {
    "alertmanager": Service(tcp=(9093,)),
    "blackbox-exporter": Service(tcp=(9115,)),
    "dns": Service(tcp=(53,), udp=(53,)),
    "forgejo": Service(tcp=(3001,)),
    "forgejo-ssh": Service(tcp=(2222,)),
    "grafana": Service(tcp=(3000,)),
    "http": Service(tcp=(80,)),
    "https": Service(tcp=(443,)),
    "iperf3": Service(tcp=(5201,), udp=(5201,)),
    "litellm": Service(tcp=(4000,)),
    "llama": Service(tcp=(8090,)),
    "loki": Service(tcp=(3100,)),
    "mlflow": Service(tcp=(5000,)),
    "node-exporter": Service(tcp=(9100,)),
    "ntfy": Service(tcp=(2586,)),
    "ntp": Service(udp=(123,)),
    "postgresql": Service(tcp=(5432,)),
    "prometheus": Service(tcp=(9090,)),
    "restic": Service(tcp=(8000,)),
    "runtime": Service(tcp=(8470,)),
    "smartctl-exporter": Service(tcp=(9633,)),
    "smb": Service(tcp=(445,)),
    "ssh": Service(tcp=(22,)),
    "systemd-exporter": Service(tcp=(9558,)),
    "wireguard": Service(udp=(51820,)),
    "wireguard-exporter": Service(tcp=(9586,)),
    "zenoh": Service(tcp=(7447,), udp=(7447,)),
    "zfs-exporter": Service(tcp=(9134,)),
}
"""Ports by service name, after the table in the operator's guide."""
