"""A host and its zones as network namespaces, so that a ruleset is tried on real packets.

Each zone is a namespace at the other end of a veth pair whose end in the host has the name that
the ruleset expects, such as vlan10 or wg0: only the carrier is make-believe.
"""

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from emily_infra.render.firewall import ruleset
from emily_infra.spec.host import HostSpec
from emily_infra.spec.topology import OnLink, addresses, interface

_NUMBERS = itertools.count()
NEIGHBOUR = 7
"""The last part of every address outside: 10.10.0.7 is the machine of the zone 10.10.0.0/24."""

_SERVE = """
import selectors, socket, sys
family = socket.AF_INET6 if sys.argv[1] == "6" else socket.AF_INET
waiting = selectors.DefaultSelector()
for word in sys.argv[2:]:
    protocol, port = word.split("/")
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    one = socket.socket(family, kind)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind(("", int(port)))
    if protocol == "tcp":
        one.listen(64)
    waiting.register(one, selectors.EVENT_READ)
print("ready", flush=True)
while True:
    for key, _ in waiting.select():
        if key.fileobj.type == socket.SOCK_DGRAM:
            data, peer = key.fileobj.recvfrom(64)
            key.fileobj.sendto(data, peer)
        else:
            key.fileobj.accept()[0].close()
"""

_TRY = """
import concurrent.futures, json, socket, sys
def echoed(address):
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as one:
        one.settimeout(0.6)
        one.sendto(bytes([8, 0, 0xF7, 0xFE, 0, 1, 0, 0]), (address, 0))
        return one.recv(64)[20] == 0
def answered(target):
    source, protocol, address, port = target
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, kind) as one:
        one.settimeout(0.6)
        if source:
            one.bind((source, 0))
        try:
            if protocol == "icmp":
                return echoed(address)
            one.connect((address, port))
            if protocol == "udp":
                one.send(b"?")
                one.recv(8)
        except OSError:
            return False
        return True
targets = json.loads(sys.argv[1])
with concurrent.futures.ThreadPoolExecutor(64) as pool:
    print(json.dumps(list(pool.map(answered, targets))))
"""


def run(*command: str) -> str:
    """Standard output of a command; a failure shows what the command complained of."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert not done.returncode, f"{' '.join(command)}\n{done.stderr}"
    return done.stdout


def table(spec: HostSpec) -> str:
    """The ruleset as the file that NixOS loads."""
    return f"table inet emily {{\n{ruleset(spec)}}}\n"


@contextmanager
def namespace(name: str) -> Iterator[str]:
    """A fresh network namespace, unlike any other on this machine, and gone afterwards."""
    full = f"emily-{os.getpid()}-{next(_NUMBERS)}-{name}"
    run("ip", "netns", "add", full)
    try:
        run("ip", "-n", full, "link", "set", "lo", "up")
        yield full
    finally:
        run("ip", "netns", "delete", full)


def inside(name: str, *command: str) -> str:
    """Standard output of a command in a namespace."""
    return run("ip", "netns", "exec", name, *command)


_SEGMENT = """
import socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=2) as one:
    print(one.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG))
"""


@dataclass(frozen=True)
class Target:
    """Where a connection is tried; with a source, from that address of the machine."""

    address: str
    port: int
    protocol: str = "tcp"
    source: str = ""


@dataclass(frozen=True)
class World:
    """The host's namespace and that of one machine in each zone."""

    host: str
    zones: dict[str, str]

    def answers(self, zone: str, targets: Iterable[Target]) -> list[bool]:
        """Which targets answer a machine of a zone, in their order."""
        wanted = [(t.source, t.protocol, t.address, t.port) for t in targets]
        found: list[bool] = json.loads(
            inside(self.zones[zone], sys.executable, "-c", _TRY, json.dumps(wanted))
        )
        return found

    def answer(self, zone: str, target: Target) -> bool:
        """Whether one target answers."""
        return self.answers(zone, [target])[0]

    def counted(self, counter: str) -> int:
        """How many packets a named counter of the ruleset has seen."""
        document = json.loads(
            inside(self.host, "nft", "-j", "list", "counter", "inet", "emily", counter)
        )
        found: list[dict[str, Any]] = document["nftables"]
        return sum(entry["counter"]["packets"] for entry in found if "counter" in entry)

    def segment(self, zone: str, target: Target) -> int:
        """The largest TCP segment that a connection from a zone settles on."""
        return int(
            inside(
                self.zones[zone], sys.executable, "-c", _SEGMENT, target.address, str(target.port)
            )
        )

    @contextmanager
    def posing(self, zone: str, address: str) -> Iterator[str]:
        """The machine of a zone with another address beside its own."""
        change = ("ip", "-n", self.zones[zone], "address")
        run(*change, "add", f"{address}/32", "dev", "wire")
        yield address
        run(*change, "delete", f"{address}/32", "dev", "wire")

    @contextmanager
    def serving(self, where: str, sockets: Iterable[str], version: int = 4) -> Iterator[None]:
        """A program in a namespace that answers on every one of the sockets, such as tcp/22."""
        command = [sys.executable, "-c", _SERVE, str(version), *sorted(set(sockets))]
        with subprocess.Popen(
            ["ip", "netns", "exec", where, *command], stdout=subprocess.PIPE, text=True
        ) as server:
            try:
                assert server.stdout
                assert server.stdout.readline() == "ready\n"
                yield
            finally:
                server.kill()


@contextmanager
def world(spec: HostSpec) -> Iterator[World]:
    """The host with its addresses, routes and ruleset, and a machine in each of its zones."""
    with ExitStack() as stack:
        host = stack.enter_context(namespace("host"))
        zones = {name: stack.enter_context(namespace(name)) for name in sorted(spec.network.zones)}
        for name, outside in zones.items():
            _connect(spec, host, name, outside)
        inside(host, "sysctl", "-qw", "net.ipv4.conf.all.forwarding=1")
        _load(host, spec)
        yield World(host, zones)


def _connect(spec: HostSpec, host: str, zone: str, outside: str) -> None:
    found = spec.network.zones[zone]
    link = interface(found)
    pair = ("type", "veth", "peer", "name", "wire", "netns", outside)
    run("ip", "-n", host, "link", "add", link, *pair)
    for name, device in ((host, link), (outside, "wire")):
        run("ip", "-n", name, "link", "set", "dev", device, "up")
    for address in addresses(spec, zone):
        _address(host, link, str(address))
        neighbour = f"{address.network[NEIGHBOUR]}/{address.network.prefixlen}"
        _address(outside, "wire", neighbour)
        run("ip", "-n", outside, "route", "add", "default", "via", str(address.ip))
    for gateway in (found.gateway, found.gateway6):
        if gateway:
            run("ip", "-n", host, "route", "add", "default", "via", str(gateway), "dev", link)


def _address(name: str, device: str, address: str) -> None:
    eager = ("nodad",) if ":" in address else ()
    run("ip", "-n", name, "address", "add", address, "dev", device, *eager)


def _load(host: str, spec: HostSpec) -> None:
    done = subprocess.run(
        ["ip", "netns", "exec", host, "nft", "-f", "-"],
        input=table(spec), capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert not done.returncode, done.stderr


def neighbour(address: OnLink) -> str:
    """The address of the machine that stands in for a zone's."""
    return str(address.network[NEIGHBOUR])
