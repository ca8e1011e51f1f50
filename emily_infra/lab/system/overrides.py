"""What the lab must say otherwise than the host: its own key, and tunnels that end inside of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from emily_infra.lab.system.config import Values
from emily_infra.spec.host import Host, HostSpec
from emily_infra.spec.topology import secret_file

_INTERFACE_VERSION = "2"
_TIMEOUTS = ("TimeoutSec", "TimeoutStartSec", "TimeoutStopSec", "WatchdogSec")
_SPAN = re.compile(r"(\d+)\s*(min|h|d|s|)\s*")
_SECONDS = {"": 1, "s": 1, "min": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class PeerOverride:
    """The other end of a tunnel, as it is in the lab."""

    public_key: str
    endpoint: str


@dataclass(frozen=True)
class Overrides:
    """Everything in which a lab's system differs from what host.yaml asks for."""

    authorized_keys: tuple[str, ...] = ()
    """SSH keys that may log in as the user who deploys."""
    peers: Mapping[str, PeerOverride] = field(default_factory=dict)
    """By `wg0/minnesota`: tunnel and peer, as host.yaml names them."""
    inhibitors: Mapping[str, str] = field(default_factory=dict)
    """Values whose change asks for a reboot, for rehearsals of one."""
    interface: str = _INTERFACE_VERSION
    """The version of the interface between a system and its init, for rehearsals of a change."""

    patience: int = 1
    """How many times longer a service may take than its unit says, on an emulated processor."""

    def apply(self, host: Values, user: str) -> Values:
        """The host's merged options with the lab's put in place."""
        if self.authorized_keys:
            place = ("users", "users", user, "openssh", "authorizedKeys")
            below = _opened(host, place)
            keys = below.get("keys")
            below["keys"] = [*(keys if isinstance(keys, list) else []), *self.authorized_keys]
        for tunnel, body in _opened(host, ("networking", "wireguard", "interfaces")).items():
            peers = body.get("peers") if isinstance(body, dict) else None
            for peer in peers if isinstance(peers, list) else []:
                if instead := self.peers.get(f"{tunnel}/{peer['name']}"):
                    peer |= {"publicKey": instead.public_key, "endpoint": instead.endpoint}
        return host

    def stretch(self, options: Values) -> Values:
        """The `serviceConfig` of a unit with its timeouts as long as the lab needs them."""
        return options | {
            key: span * self.patience
            for key in _TIMEOUTS
            if self.patience > 1 and (span := _seconds(options.get(key)))
        }


def secret_kinds(host: Host) -> dict[str, str]:
    """Every secret file of a host, and what must stand in it for a service to start."""
    spec = host.spec
    kinds = {secret_file(spec, f"secret:{name}"): "password" for name in spec.secrets}
    return kinds | {secret_file(spec, ref): kind for ref, kind in _special(spec)}


def _special(spec: HostSpec) -> list[tuple[str, str]]:
    found: list[tuple[str | None, str]] = []
    for tunnel in spec.wireguard.values():
        found.append((tunnel.private_key, "wireguard"))
        found += [(peer.preshared_key, "wireguard") for peer in tunnel.peers.values()]
    found += [(admin.password, "hash") for admin in spec.system.admins.values()]
    found += [(store.credentials, "environment") for store in spec.backup.offsite.values()]
    if spec.monitoring:
        found += [(spec.monitoring.notify, "url"), (spec.monitoring.heartbeat, "url")]
    return [(reference, kind) for reference, kind in found if reference]


def _seconds(span: object) -> int:
    """A time span in seconds; nothing for one without end, or that is not understood."""
    text = str(span)
    parts = _SPAN.findall(text)
    whole = "".join(f"{number}{unit}" for number, unit in parts) == text.replace(" ", "")
    return sum(int(number) * _SECONDS[unit] for number, unit in parts) if whole else 0


def _opened(values: Values, place: tuple[str, ...]) -> Values:
    """The set at a place, made where it is missing."""
    for key in place:
        below = values.setdefault(key, {})
        if not isinstance(below, dict):
            return {}
        values = below
    return values
