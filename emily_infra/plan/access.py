"""The way in: which interface, zone, port and key carry this connection, and what becomes of them.

An open session usually survives; what counts is whether the next one comes in, because a deploy is
confirmed over a new connection.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from emily_infra.observe import Observation
from emily_infra.observe.network import SshConnection
from emily_infra.plan.model import Access, Need, Reboot, Touch, UnitAction, UnitChange
from emily_infra.render import network
from emily_infra.render.wireguard import lower as lower_tunnels
from emily_infra.spec.host import Host, HostSpec
from emily_infra.spec.policy import HOST, opened
from emily_infra.spec.topology import AnyNetwork, addresses, interface, networks, zone_of
from emily_infra.spec.wireguard import Peer

_DAEMONS = {
    "sshd.service": "open sessions stay, a new one waits for a second",
    "sshd.socket": "open sessions stay, a new one waits for a second",
    "nftables.service": "the firewall is loaded anew; open connections stay",
    "systemd-networkd.service": "addresses stay while it restarts",
}
_DISTURBS = (UnitAction.RESTART, UnitAction.STOP)


@dataclass(frozen=True)
class Way:
    """How one connection comes in, as a spec has it."""

    spec: HostSpec
    client: IPv4Address | IPv6Address
    link: str
    """The interface that it arrives on."""

    @property
    def zone(self) -> str | None:
        """The zone of the client."""
        if self.client.is_link_local:
            return next((z for z in self.spec.network.zones if self._at(z) == self.link), None)
        return zone_of(self.spec, _alone(self.client))

    def _at(self, zone: str) -> str:
        return interface(self.spec.network.zones[zone])

    @property
    def links(self) -> set[str]:
        """Every interface that it needs: the zone's, its card, and under a tunnel the ways out."""
        zone = self.spec.network.zones.get(self.zone or "")
        if zone is None:
            return {self.link}
        under = [zone]
        if zone.wireguard:
            under += [each for each in self.spec.network.zones.values() if each.is_outward]
        return {self.link, *map(interface, under), *(each.on for each in under if each.on)}

    @property
    def peers(self) -> dict[str, Peer]:
        """The peers of the tunnel that may send from the client's address."""
        zone = self.spec.network.zones.get(self.zone or "")
        tunnel = self.spec.wireguard.get((zone and zone.wireguard) or "")
        inside = _alone(self.client)
        return {
            name: peer
            for name, peer in (tunnel.peers if tunnel else {}).items()
            if any(_within(inside, each) for each in peer.allowed_ips)
        }

    def closed(self, address: str) -> str:
        """Why a new connection to an address of the host would not come in; else nothing."""
        port = self.spec.system.ssh.port
        if self.client.is_loopback:
            return ""
        if self.zone is None:
            return f"no zone of host.yaml leads to {self.client}"
        if port not in opened(self.spec, self.zone, HOST).tcp:
            return f"allow has no line that lets {self.zone} ({self.client}) reach ssh, port {port}"
        own = [str(each.ip) for each in addresses(self.spec, self.zone)]
        zone = self.spec.network.zones[self.zone]
        learned = zone.address == "dhcp" or zone.address6 == "auto"
        if address not in own and not learned:
            known = ", ".join(own) or "none"
            return f"{address} is no address of {self.zone}, where {self.client} comes in: {known}"
        return ""


def _alone(address: IPv4Address | IPv6Address) -> AnyNetwork:
    return ip_network(address)


def _within(inner: AnyNetwork, outer: AnyNetwork) -> bool:
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def access(
    old: Host | None, new: Host, observation: Observation, units: Sequence[UnitChange], boot: Reboot
) -> Access:
    """What the plan does to the connection that the observation came over."""
    connection = observation.network.ssh_connection
    if connection is None or _client(connection) is None:
        return _without_ssh(new, observation)
    cuts = tuple(_cuts(old, new, observation, connection))
    touches = tuple(_touches(old, new, connection, units))
    if boot.need is Need.FIRST:
        touches += ("the machine starts again",)
    touch = Touch.CUT if cuts else Touch.TOUCHED if touches else Touch.UNTOUCHED
    via = _via(old or new, connection)
    spec = new.spec
    return Access(touch, via, cuts or touches, str(spec.deploy.address), spec.system.ssh.port)


def _without_ssh(new: Host, observation: Observation) -> Access:
    spec = new.spec
    where = str(spec.deploy.address), spec.system.ssh.port
    if observation.network.ssh_connection is None and observation.knows("way_in"):
        return Access(Touch.UNTOUCHED, "no SSH: this machine itself", (), *where)
    return Access(Touch.TOUCHED, "unknown", ("the host could not say how we came in",), *where)


def _via(host: Host, connection: SshConnection) -> str:
    way = _way(host, connection)
    zone = f"zone {way.zone}, " if way.zone else ""
    link = connection.interface or "an interface that does not have this address"
    return f"{zone}{link}: {way.client} to {connection.server} port {connection.server_port}"


def _way(host: Host, connection: SshConnection) -> Way:
    client = _client(connection)
    assert client, "without an address there is no way to look at"
    return Way(host.spec, client, connection.interface)


def _client(connection: SshConnection) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(connection.client.partition("%")[0].removeprefix("::ffff:"))
    except ValueError:
        return None


def _cuts(
    old: Host | None, new: Host, observation: Observation, connection: SshConnection
) -> Iterator[str]:
    after = _way(new, connection)
    why = after.closed(_knocked_at(new, connection))
    # Where the old description does not explain this connection either, it comes in by a way that
    # host.yaml does not know, such as a NAT; then nothing can be told from the new one.
    explained = old is None or not _way(old, connection).closed(connection.server)
    if why and explained:
        yield why
    if old:
        yield from _keys_gone(old.spec, new.spec)
        yield from _peers_changed(_way(old, connection), after)
    yield from _card_gone(old, new, after, observation)


def _knocked_at(new: Host, connection: SshConnection) -> str:
    """The address of today while it stays; else where host.yaml says that SSH connects to."""
    own = {str(each.ip) for zone in new.spec.network.zones for each in addresses(new.spec, zone)}
    return connection.server if connection.server in own else str(new.spec.deploy.address)


def _keys_gone(old: HostSpec, new: HostSpec) -> Iterator[str]:
    before, after = _keys(old, new.deploy.user), _keys(new, new.deploy.user)
    if before and not before & after:
        yield f"none of the keys that {new.deploy.user} logs in with today stays"


def _keys(spec: HostSpec, user: str) -> set[str]:
    """Keys without their comments."""
    admins = spec.system.admins
    named = admins.values() if user == "root" else [a for n, a in admins.items() if n == user]
    if user == "root" and spec.deploy.user != "root":
        return set()
    return {" ".join(key.split()[:2]) for admin in named for key in admin.keys}


def _peers_changed(before: Way, after: Way) -> Iterator[str]:
    if before.peers and not after.peers:
        yield f"no peer of a tunnel may send from {after.client} any more"
    for name, peer in sorted(after.peers.items()):
        known = before.peers.get(name)
        if known and known.public_key != peer.public_key:
            yield f"peer {name} gets another key: this tunnel is dead until the other end has it"


def _card_gone(old: Host | None, new: Host, way: Way, observation: Observation) -> Iterator[str]:
    cards = {card.permanent_mac.lower() for card in observation.network.interfaces if not card.kind}
    for name, uplink in sorted(new.spec.network.uplinks.items()):
        known = old and old.spec.network.uplinks.get(name)
        changed = not known or known.mac != uplink.mac
        if name in way.links and changed and cards and uplink.mac.lower() not in cards:
            yield f"no card has {uplink.mac}: from the next boot on there is no {name}"


def _touches(
    old: Host | None, new: Host, connection: SshConnection, units: Iterable[UnitChange]
) -> Iterator[str]:
    if old is None:
        yield "the first deploy: network, firewall and accounts come from host.yaml from now on"
        return
    before, after = _way(old, connection), _way(new, connection)
    if before.zone != after.zone:
        yield f"{after.client} is in zone {after.zone or 'none'} then, in {before.zone} now"
    yield from _links(old, new, before.links | after.links)
    yield from _rules(before, after)
    yield from _ways_to_log_in(old.spec, new.spec)
    for each in units:
        if each.unit in _DAEMONS and each.action in _DISTURBS:
            verb = "stops" if each.action is UnitAction.STOP else "restarts"
            yield f"{each.unit} {verb}: {_DAEMONS[each.unit]}"


def _links(old: Host, new: Host, names: set[str]) -> Iterator[str]:
    before, after = (_settings(host) for host in (old, new))
    for name in sorted(names):
        if before.get(name) != after.get(name):
            how = "goes away" if name not in after else "is configured otherwise"
            yield f"{name} {'is new' if name not in before else how}"


def _settings(host: Host) -> dict[str, list[object]]:
    """Everything that is rendered about each interface."""
    found: dict[str, list[object]] = {}
    context = network.lower(host)
    for kind in ("cards", "vlans", "links"):
        entries: list[network.Card | network.Vlan | network.Link] = context[kind]  # type: ignore[assignment]
        for entry in entries:
            found.setdefault(entry.name, []).append(entry)
    tunnels = (lower_tunnels(host) or {}).get("tunnels", {})
    for name, body in tunnels.items():  # type: ignore[attr-defined]
        found.setdefault(name, []).append(body)
    return found


def _rules(before: Way, after: Way) -> Iterator[str]:
    """What the firewall lets through for the client's zone."""
    if not (before.zone and after.zone):
        return
    ports = [opened(way.spec, way.zone or "", HOST) for way in (before, after)]
    nets = [networks(way.spec, way.zone or "") for way in (before, after)]
    if ports[0] != ports[1]:
        stays = after.spec.system.ssh.port in ports[1].tcp
        ssh = "ssh stays open" if stays else "ssh is none of them"
        yield f"the firewall opens other ports of the host to {after.zone}; {ssh}"
    if nets[0] != nets[1]:
        yield f"{after.zone} has other networks"


def _ways_to_log_in(old: HostSpec, new: HostSpec) -> Iterator[str]:
    if old.system.ssh.port != new.system.ssh.port:
        yield f"sshd moves from port {old.system.ssh.port} to {new.system.ssh.port}"
    if old.deploy.address != new.deploy.address:
        yield f"from now on SSH connects to {new.deploy.address}, not {old.deploy.address}"
    gone = _keys(old, new.deploy.user) - _keys(new, new.deploy.user)
    if gone and _keys(new, new.deploy.user):
        some = "1 key" if len(gone) == 1 else f"{len(gone)} keys"
        yield f"{new.deploy.user} loses {some}: make sure that yours stays"
