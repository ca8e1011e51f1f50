"""Interfaces, tunnels, the firewall, and the way by which we came in."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from emily_infra.observe.answer import Answer
from emily_infra.observe.values import Record, json_of, member, number, records, word


@dataclass(frozen=True)
class Interface:
    """A network interface with its addresses, such as `10.10.0.2/24`."""

    name: str
    mac: str
    permanent_mac: str
    carrier: bool
    kind: str
    """vlan, wireguard, bridge and so on; empty for a card."""
    vlan: int | None
    parent: str
    mtu: int
    addresses: tuple[str, ...]


@dataclass(frozen=True)
class SshConnection:
    """The connection that carried the question."""

    client: str
    client_port: int
    server: str
    server_port: int
    interface: str
    """The interface that has the server's address; empty where none has."""


@dataclass(frozen=True)
class Handshake:
    """When a peer of a tunnel was last heard: seconds since 1970, 0 for never."""

    interface: str
    peer: str
    at: int


@dataclass(frozen=True)
class Network:
    """What the machine says of its network."""

    interfaces: tuple[Interface, ...] = ()
    ssh_connection: SshConnection | None = None
    handshakes: tuple[Handshake, ...] = ()
    firewall: str = ""
    """Table inet emily as nft prints it without counters; empty where it is not loaded."""
    firewall_wished: str = ""
    """The table of the question, as the same nft prints it."""

    @property
    def firewall_digest(self) -> str:
        """Changes with every rule; empty where the table is not loaded."""
        return hashlib.sha256(self.firewall.encode()).hexdigest() if self.firewall else ""

    def named(self, name: str) -> Interface | None:
        """An interface."""
        return next((each for each in self.interfaces if each.name == name), None)


def network(answer: Answer) -> Network:
    """Everything that the machine says of its network."""
    interfaces = answer.read("interfaces", _interfaces)
    return Network(
        interfaces=interfaces,
        ssh_connection=_way_in(answer.read("way_in", str.split), interfaces),
        handshakes=tuple(_handshakes(answer.read("handshakes", str.splitlines))),
        firewall=answer.read("table", str.strip),
        firewall_wished=answer.read("wished_table", str.strip),
    )


def _interfaces(text: str) -> tuple[Interface, ...]:
    found = (_interface(each) for each in records(json_of(text)) if word(each, "ifname"))
    return tuple(sorted(found, key=lambda each: each.name))


def _interface(record: Record) -> Interface:
    flags = member(record, "flags")
    link = member(record, "linkinfo")
    data = member(link, "info_data")
    return Interface(
        name=word(record, "ifname"),
        mac=word(record, "address"),
        permanent_mac=word(record, "permaddr") or word(record, "address"),
        carrier=isinstance(flags, list) and "LOWER_UP" in flags,
        kind=word(link, "info_kind"),
        vlan=number(member(data, "id")) if word(link, "info_kind") == "vlan" else None,
        parent=word(record, "link"),
        mtu=number(member(record, "mtu")) or 0,
        addresses=tuple(
            f"{word(each, 'local')}/{number(member(each, 'prefixlen'))}"
            for each in records(member(record, "addr_info"))
            if word(each, "local")
        ),
    )


def _way_in(words: list[str], interfaces: tuple[Interface, ...]) -> SshConnection | None:
    if len(words) != 4:
        return None
    client, client_port, server, server_port = words
    server = server.partition("%")[0].removeprefix("::ffff:")
    holders = [
        each.name
        for each in interfaces
        if any(address.partition("/")[0] == server for address in each.addresses)
    ]
    ports = number(client_port) or 0, number(server_port) or 0
    return SshConnection(client, ports[0], server, ports[1], holders[0] if holders else "")


def _handshakes(lines: list[str]) -> Iterator[Handshake]:
    for line in lines:
        interface, _, rest = line.partition("\t")
        peer, _, when = rest.partition("\t")
        if peer:
            yield Handshake(interface, peer, number(when) or 0)
