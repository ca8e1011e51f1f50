"""The checks that follow from a host.yaml, and the operator's own."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace

from emily_infra.apply.check import Blame, Check, Shell, Unit, Weight
from emily_infra.findings import Path
from emily_infra.render import backup, storage
from emily_infra.spec import shares, topology
from emily_infra.spec.deploy import OwnCheck
from emily_infra.spec.host import Host, HostSpec
from emily_infra.spec.network import Zone
from emily_infra.spec.units import Duration

_HANDSHAKE_LIVES = 180
"""Seconds after which WireGuard gives up a session; a peer in use has made a new one by then."""
_SMB = 445
_USUAL = Duration.parse("2min")
"""The time to confirm in that the deadlines of checks are made for; a longer one stretches them."""


@dataclass(frozen=True)
class _Wanted:
    """A check before it knows where in the file it stands."""

    name: str
    place: Path
    probe: Unit | Shell
    deadline: float = 60.0
    weight: Weight = Weight.CRITICAL
    blame: Blame = Blame.CHANGED


def checks(host: Host) -> tuple[Check, ...]:
    """Everything that must hold on a host after a deploy, the way in first."""
    spec = host.spec
    sources = (_system, _network, _tunnels, _storage, _samba, _backup, _monitoring, _runtime)
    generated = (_generated(host, wanted) for source in sources for wanted in source(spec))
    own = (_own(host, name, body) for name, body in sorted(spec.deploy.checks.items()))
    return (*generated, *own)


def _generated(host: Host, wanted: _Wanted) -> Check:
    check = Check(
        name=wanted.name,
        place=wanted.place,
        location=host.source.locate(wanted.place),
        probe=wanted.probe,
        weight=wanted.weight,
        blame=wanted.blame,
    )
    deploy = host.spec.deploy
    slower = max(1.0, deploy.confirm_within / _USUAL)
    patience = deploy.patience / 1000 - check.settle
    probe = check.probe
    if isinstance(probe, Shell):
        probe = replace(probe, limit=probe.limit * slower)
    return replace(check, probe=probe, deadline=min(wanted.deadline * slower, patience))


def _own(host: Host, name: str, own: OwnCheck) -> Check:
    place: Path = ("deploy", "checks", name)
    interval = own.interval / 1000
    return Check(
        name=name,
        place=place,
        location=host.source.locate(place),
        probe=Shell(shlex.join(own.command), limit=max(interval, 10.0)),
        grace=own.grace / 1000,
        interval=interval,
        deadline=own.deadline / 1000,
        weight=Weight(own.severity),
        blame=Blame.ALWAYS,
    )


def _unit(name: str, place: Path) -> _Wanted:
    return _Wanted(name, place, Unit(name))


def _shell(*words: str, unit: str = "") -> Shell:
    return Shell(shlex.join(words), unit=unit)


def _system(_: HostSpec) -> Iterator[_Wanted]:
    yield _unit("sshd.service", ("system", "ssh"))
    yield _unit("nix-daemon.socket", ("system", "nix"))
    yield _unit("nix-gc.timer", ("system", "nix", "collect_garbage"))
    yield _Wanted("time from a server", ("system",), _shell("synchronised"), 20, Weight.WARNING,
                  Blame.REGRESSION)  # fmt: skip


def _network(spec: HostSpec) -> Iterator[_Wanted]:
    yield _unit("systemd-networkd.service", ("network",))
    yield _unit("nftables.service", ("network", "allow"))
    yield _Wanted("firewall rules", ("network", "allow"), _shell("firewall", "emily"))
    used = {zone.on for zone in spec.network.zones.values()}
    for name in sorted(set(spec.network.uplinks) & used):
        place: Path = ("network", "uplinks", name)
        probe = _shell("carrier", name)
        yield _Wanted(f"line of {name}", place, probe, blame=Blame.REGRESSION)
    for name, zone in sorted(spec.network.zones.items()):
        if zone.on in spec.network.uplinks:
            yield from _addresses(name, zone)


def _addresses(name: str, zone: Zone) -> Iterator[_Wanted]:
    place: Path = ("network", "zones", name)
    interface = topology.interface(zone)
    if fixed := [str(address) for address in zone.static]:
        yield _Wanted(f"address in {name}", place, _shell("address", interface, *fixed))
    learned = {"4": zone.address == "dhcp", "6": zone.address6 == "auto"}
    for version in (family for family, wanted in learned.items() if wanted):
        probe = _shell("learned", interface, version)
        yield _Wanted(f"learned IPv{version} address in {name}", place, probe)


def _tunnels(spec: HostSpec) -> Iterator[_Wanted]:
    for name, tunnel in sorted(spec.wireguard.items()):
        place: Path = ("wireguard", name)
        yield _Wanted(f"tunnel {name}", place, _shell("address", name, str(tunnel.address)))
        if tunnel.refresh and any(peer.endpoint for peer in tunnel.peers.values()):
            yield _unit(f"wireguard-dynamic-refresh-{name}.timer", (*place, "refresh"))
        for peer, body in sorted(tunnel.peers.items()):
            if body.keepalive:  # without one a peer may be silent for days, and well
                age = str(_HANDSHAKE_LIVES + body.keepalive.seconds)
                probe = _shell("handshake", name, body.public_key, peer, age)
                at: Path = (*place, "peers", peer)
                yield _Wanted(f"peer {peer} on {name}", at, probe, 90, blame=Blame.REGRESSION)


def _storage(spec: HostSpec) -> Iterator[_Wanted]:
    for name, pool in sorted(spec.storage.pools.items()):
        members = [disk for _, _, vdev in pool.vdevs for disk in vdev.disks]
        probe = _shell("pool", name, *members, *pool.cache, *pool.spares)
        yield _Wanted(f"pool {name}", ("storage", "pools", name), probe)
    places = {mount.mountpoint: mount.place for mount in topology.mounts(spec)}
    for entry in storage.file_systems(spec):
        yield _unit(mount_unit(entry.path), places.get(entry.path, ("storage", "disks")))
    for mount in topology.mounts(spec):
        if mount.dataset.mounted_by == "zfs":
            probe = _shell("mounted", mount.path, mount.mountpoint)
            yield _Wanted(f"dataset {mount.path}", mount.place, probe)
    if spec.storage.pools:
        yield _unit("zfs-scrub.timer", ("storage", "scrub"))
    if spec.storage.pools and storage.trim(spec):
        yield _unit("zpool-trim.timer", ("storage", "trim"))


def mount_unit(path: str) -> str:
    r"""The name of a path's mount unit: / becomes -, and - becomes \x2d (systemd-escape(1))."""
    inner = path.strip("/").replace("-", r"\x2d").replace("/", "-")
    hidden = rf"\x2e{inner[1:]}" if inner.startswith(".") else inner
    return f"{hidden or '-'}.mount"


def _samba(spec: HostSpec) -> Iterator[_Wanted]:
    if not spec.samba:
        return
    server = "samba-smbd.service"
    yield _unit(server, ("samba",))
    yield _unit("emily-samba-users.service", ("samba", "users"))
    for name, share in shares.shares(spec):
        place: Path = ("samba", "shares", name)
        found = shares.dataset_of(spec, share)
        folder = (found.mountpoint if found else None) or "/var/empty"
        known = _shell("share", name, folder, unit=server)
        yield _Wanted(f"share {name}", place, known)
    answers = {entry.address for entry in topology.listeners(spec) if entry.port == _SMB}
    for address in sorted(_reachable(address) for address in answers):
        probe = _shell("tcp", address, str(_SMB), unit=server)
        yield _Wanted(f"SMB at {address}", ("samba",), probe)


def _reachable(address: str) -> str:
    """Where a program that listens on an address is found from the host itself."""
    anywhere = address in (topology.LEARNED, topology.EVERYWHERE)
    return topology.LOOPBACK if anywhere else address


def _backup(spec: HostSpec) -> Iterator[_Wanted]:
    for name in backup.timers(spec):
        yield _unit(f"{name}.timer", ("backup",))


_READY = {"prometheus": "/-/ready", "alertmanager": "/-/ready", "grafana": "/api/health"}


def _monitoring(spec: HostSpec) -> Iterator[_Wanted]:
    place: Path = ("monitoring",)
    for entry in topology.listeners(spec):
        if entry.place != place:
            continue
        exporter = entry.program.removesuffix(" exporter")
        unit = f"{exporter}.service"
        if exporter != entry.program:
            unit = f"prometheus-{exporter}-exporter.service"
        yield _unit(unit, place)
        if path := _READY.get(entry.program):  # replaying its log, it may need minutes
            words = ("http", _reachable(entry.address), str(entry.port), path)
            probe = _shell(*words, unit=unit)
            yield _Wanted(f"{entry.program} answers", place, probe, weight=Weight.WARNING)
    if spec.monitoring and spec.storage.pools:
        yield _unit("emily-pool-liveness.service", place)


def _runtime(spec: HostSpec) -> Iterator[_Wanted]:
    if not spec.runtime:
        return
    unit = "emily-runtime.socket"
    yield _unit(unit, ("runtime",))
    address = _reachable(topology.served_on(spec, spec.runtime.zone))
    probe = _shell("http", address, str(spec.runtime.port), "/ready", unit=unit)
    yield _Wanted("runtime answers", ("runtime", "port"), probe)
