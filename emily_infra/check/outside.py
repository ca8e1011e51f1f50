"""Rules about the world beyond the zones: what the host needs of it, and what it shows to it."""

import re
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from emily_infra.check.rule import Problem, host_rule
from emily_infra.findings import Path, Severity
from emily_infra.spec.host import Host, HostSpec
from emily_infra.spec.policy import HOST

_INSIDE = frozenset(
    {
        "alertmanager", "blackbox-exporter", "litellm", "llama", "loki", "mlflow", "node-exporter",
        "postgresql", "prometheus", "smartctl-exporter", "smb", "systemd-exporter",
        "wireguard-exporter", "zenoh", "zfs-exporter",
    }
)  # fmt: skip
"""Services that trust their network: attacked from everywhere, or without a login."""


def machine(repository: str) -> str:
    """The machine in a repository's address; nothing for a folder or a provider's own scheme."""
    scheme, _, rest = repository.partition(":")
    if scheme == "sftp":
        found = re.match(r"(?://)?[^@/]+@([^:/\s]+)", rest)
        return found[1] if found else ""
    if scheme in ("s3", "rest"):
        try:
            return urlsplit(rest).hostname or ""
        except ValueError:
            return ""
    return ""


@host_rule(
    "NET021", Severity.WARNING,
    wrong="network: { dns: [] }",
    right="network: { dns: [192.168.1.1] }",
)  # fmt: skip
def names_can_be_looked_up(host: Host) -> Iterator[Problem]:
    """Nothing answers for the names that the host needs

    A repository, a replica, the far end of a tunnel and the receiver of alerts are found by their
    names, and without a resolver every look-up fails: there is no copy, no tunnel and no word about
    it. dhcp and auto bring a resolver along; fixed addresses need network.dns.
    """
    spec = host.spec
    learned = any(z.address == "dhcp" or z.address6 == "auto" for z in spec.network.zones.values())
    needed = next(_names(spec), None)
    if needed and not spec.network.dns and not learned:
        zones = sorted(spec.network.zones.items())
        router = next((str(zone.gateway) for _, zone in zones if zone.gateway), "9.9.9.9")
        yield Problem(
            at=("network",),
            message=f"{needed} is a name, and no resolver is known to look it up",
            hint=f"add to network: dns: [{router}]",
        )


def _names(spec: HostSpec) -> Iterator[str]:
    """Every name of another machine."""
    machines = [machine(one.repository) for _, one in sorted(spec.backup.offsite.items())]
    machines += [replica.address for _, replica in sorted(spec.backup.replicas.items())]
    for _, tunnel in sorted(spec.wireguard.items()):
        endpoints = (peer.endpoint or "" for _, peer in sorted(tunnel.peers.items()))
        machines += [endpoint.rpartition(":")[0].strip("[]") for endpoint in endpoints]
    yield from (name for name in machines if name and not _is_address(name))


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


_PUBLIC = """
    deploy: {{ address: 9.9.8.2 }}
    network:
      uplinks: {{ wan: {{ mac: "52:54:00:00:00:11" }} }}
      zones: {{ wan: {{ on: wan, address: 9.9.8.2/24 }} }}
      services: {{ {name}: {{ tcp: [{port}] }} }}
      allow:
        - {{ from: home, to: host, services: [ssh, smb] }}
        - {{ from: wan, to: host, services: [{name}] }}
"""


@host_rule(
    "NET022", Severity.WARNING,
    wrong=_PUBLIC.format(name="postgresql", port=5432),
    right=_PUBLIC.format(name="shop", port=8443),
)  # fmt: skip
def the_internet_is_let_in(host: Host) -> Iterator[Problem]:
    """A service for the house is open to the internet

    The host's own address in this zone is a public one, so that `from` means every machine of the
    world. SMB, databases, metrics and model servers are searched for all day; some ask for no
    password. Let such a service be reached through a tunnel, or from a zone inside.
    """
    for place, name, address in _public(host.spec):
        if name in _INSIDE:
            yield Problem(
                at=place,
                message=f"{name} is open to the internet: {address} is a public address",
                hint=f"take {name} out of the line; people from outside come in by a tunnel",
            )


def _public(spec: HostSpec) -> Iterator[tuple[Path, str, str]]:
    """What may be reached by a public address: the place, the service, the address.

    IPv4 only: a public IPv6 address says nothing about what a router in front of it lets through.
    """
    for index, line in enumerate(spec.network.allow):
        zone = spec.network.zones.get(line.source)
        own = [each for each in zone.static if each.version == 4] if zone else []
        if line.to == HOST and own and own[0].ip.is_global and not own[0].ip.is_multicast:
            for position, name in enumerate(line.services):
                yield ("network", "allow", index, "services", position), name, str(own[0].ip)
