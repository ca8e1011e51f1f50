"""What follows from a spec: interfaces of zones, listeners, mounts. Pure; for rules and renders."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network
from typing import NamedTuple

from pydantic import BaseModel

from emily_infra.findings import Path
from emily_infra.spec.host import HostSpec
from emily_infra.spec.network import Service, Zone
from emily_infra.spec.services import REGISTRY
from emily_infra.spec.storage import Dataset

OnLink = IPv4Interface | IPv6Interface
AnyNetwork = IPv4Network | IPv6Network
LOOPBACK = "127.0.0.1"
EVERYWHERE = "*"
LEARNED = "0.0.0.0"  # noqa: S104 - an address from DHCP is not known here; the firewall keeps the zone
GRAFANA_PORT = 3000
EXPORTERS = {"node": 9100, "systemd": 9558, "zfs": 9134, "smartctl": 9633, "wireguard": 9586}
BOOT_PATHS = frozenset(
    {"/", "/nix", "/nix/store", "/var", "/var/log", "/var/lib", "/var/lib/nixos", "/etc", "/usr"}
)
"""What NixOS mounts in the initrd unasked (pathsNeededForBoot in nixos/lib/utils.nix)."""
_REFERENCE = re.compile(r"secret:([a-z][a-z0-9-]{0,62})")


def interface(zone: Zone) -> str:
    """The network interface that a zone's packets use."""
    if zone.wireguard:
        return zone.wireguard
    return f"vlan{zone.vlan}" if zone.vlan else str(zone.on)


def addresses(spec: HostSpec, zone: str) -> tuple[OnLink, ...]:
    """The host's own fixed addresses in a zone."""
    found = spec.network.zones.get(zone)
    if found is None:
        return ()
    if found.wireguard:
        tunnel = spec.wireguard.get(found.wireguard)
        return (tunnel.address,) if tunnel else ()
    return found.static


def networks(spec: HostSpec, zone: str) -> tuple[AnyNetwork, ...]:
    """The networks of a zone's machines: its links, and what its tunnel's peers may send."""
    found = spec.network.zones[zone]
    own = tuple(address.network for address in addresses(spec, zone))
    tunnel = spec.wireguard.get(found.wireguard or "")
    peers = sorted(tunnel.peers.items()) if tunnel else ()
    theirs = (net for _, peer in peers for net in peer.allowed_ips)
    return tuple(dict.fromkeys((*own, *theirs)))


def zone_of(spec: HostSpec, network: AnyNetwork) -> str | None:
    """The zone a machine with such an address comes in by: narrowest match, else the way out."""
    matches = [
        (candidate.prefixlen, zone)
        for zone in spec.network.zones
        for candidate in networks(spec, zone)
        if candidate.version == network.version and network.subnet_of(candidate)  # type: ignore[arg-type]
    ]
    outward = sorted(
        name for name, zone in spec.network.zones.items() if zone.leads_out(network.version)
    )
    return max(matches)[1] if matches else next(iter(outward), None)


def service(spec: HostSpec, name: str) -> Service | None:
    """The ports behind a name: the host's own services first, the registry last."""
    if name in spec.network.services:
        return spec.network.services[name]
    if name == "ssh":
        return Service(tcp=(spec.system.ssh.port,))
    if name == "runtime" and spec.runtime:
        return Service(tcp=(spec.runtime.port,))
    if name == "wireguard" and spec.wireguard:
        return Service(udp=tuple(sorted(tunnel.port for tunnel in spec.wireguard.values())))
    return REGISTRY.get(name)


class Listener(NamedTuple):
    """A program that waits on a port."""

    program: str
    service: str
    address: str
    protocol: str
    port: int
    place: Path


def listeners(spec: HostSpec) -> list[Listener]:
    """Every port that the rendered host opens: on which address, and what asks for it."""
    found = [
        Listener("sshd", "ssh", EVERYWHERE, "tcp", spec.system.ssh.port, ("system", "ssh", "port"))
    ]
    for name, tunnel in sorted(spec.wireguard.items()):
        place: Path = ("wireguard", name, "port")
        found.append(Listener(name, "wireguard", EVERYWHERE, "udp", tunnel.port, place))
    if spec.samba:
        zones = sorted({zone for share in spec.samba.shares.values() for zone in share.zones})
        found += [
            Listener("smbd", "smb", address, "tcp", 445, ("samba",))
            for zone in zones
            if zone in spec.network.zones
            for address in [str(own.ip) for own in addresses(spec, zone)] or [LEARNED]
        ]
    if spec.runtime:
        address = served_on(spec, spec.runtime.zone)
        place = ("runtime", "port")
        found.append(Listener("emily-runtime", "runtime", address, "tcp", spec.runtime.port, place))
    return found + _monitoring(spec)


def _monitoring(spec: HostSpec) -> list[Listener]:
    if not spec.monitoring:
        return []
    shared = spec.monitoring.zone if spec.monitoring.exporters == "zone" else None
    rows = [
        ("prometheus", "prometheus", LOOPBACK, 9090),
        ("alertmanager", "alertmanager", LOOPBACK, 9093),
    ]
    if spec.monitoring.grafana:
        rows.append(("grafana", "grafana", served_on(spec, spec.monitoring.zone), GRAFANA_PORT))
    rows += [
        (f"{name} exporter", f"{name}-exporter", served_on(spec, shared), EXPORTERS[name])
        for name in exporters(spec)
    ]
    return [
        Listener(program, name, address, "tcp", port, ("monitoring",))
        for program, name, address, port in rows
    ]


def exporters(spec: HostSpec) -> tuple[str, ...]:
    """The exporters that the host's parts call for."""
    wanted = {
        "node": True, "systemd": True, "zfs": bool(spec.storage.pools),
        "smartctl": bool(spec.storage.disks), "wireguard": bool(spec.wireguard),
    }  # fmt: skip
    return tuple(name for name, needed in wanted.items() if needed)


def served_on(spec: HostSpec, zone: str | None) -> str:
    """The address a zone's service binds to: loopback without a zone, every one if learned."""
    if zone is None:
        return LOOPBACK
    own = addresses(spec, zone)
    return str(own[0].ip) if own else LEARNED


@dataclass(frozen=True, order=True)
class Mount:
    """A dataset with the place it is mounted at."""

    mountpoint: str
    path: str
    pool: str
    dataset: Dataset

    @property
    def at_boot(self) -> bool:
        """Whether the initrd mounts it, by its own word or because NixOS needs the path."""
        return self.dataset.needed_for_boot or self.mountpoint in BOOT_PATHS

    @property
    def place(self) -> Path:
        """Where it stands in host.yaml."""
        return ("storage", "pools", self.pool, "datasets", self.path.partition("/")[2])


def datasets(spec: HostSpec) -> dict[str, tuple[str, Dataset]]:
    """Every dataset by its full name, with its pool, in the order of names."""
    found = {
        f"{pool}/{name}": (pool, dataset)
        for pool, body in spec.storage.pools.items()
        for name, dataset in body.datasets.items()
    }
    return dict(sorted(found.items()))


def mounts(spec: HostSpec) -> list[Mount]:
    """Every mounted dataset, by path, so that parents come before children."""
    return sorted(
        (
            Mount(dataset.mountpoint, path, pool, dataset)
            for path, (pool, dataset) in datasets(spec).items()
            if dataset.mountpoint
        ),
        key=lambda mount: (mount.mountpoint, mount.path),
    )


def partitions(spec: HostSpec, use: str) -> list[str]:
    """The device ids of all partitions with one use, such as esp, in the order of names."""
    return sorted(
        f"{disk}-part{number}"
        for disk, body in spec.storage.disks.items()
        for number, partition in body.partitions.items()
        if partition.use == use
    )


def secret_file(spec: HostSpec, reference: str) -> str:
    """The run-time path behind `secret:NAME`."""
    name = reference.removeprefix("secret:")
    declared = spec.secrets.get(name)
    at_login = any(admin.password == reference for admin in spec.system.admins.values())
    folder = "/run/secrets-for-users" if at_login else "/run/secrets"
    return (declared.file if declared else None) or f"{folder}/{name}"


def secret_references(part: object, place: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every `secret:NAME` in a part of the spec: where it stands, and the name."""
    match part:
        case str():
            if found := _REFERENCE.fullmatch(part):
                yield place, found[1]
        case None | int():  # most leaves; asking a model's type first is three times as slow
            return
        case dict():
            for key, value in part.items():
                yield from secret_references(value, (*place, key))
        case tuple():
            for index, value in enumerate(part):
                yield from secret_references(value, (*place, index))
        case BaseModel():
            for field, info in type(part).model_fields.items():
                yield from secret_references(getattr(part, field), (*place, info.alias or field))
