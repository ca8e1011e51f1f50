"""Machines as a probe would tell of them: each runs what one host.yaml describes."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from emily_infra.machine import Local
from emily_infra.observe import Observation
from emily_infra.observe.generations import Generation, Generations, System
from emily_infra.observe.identity import Filesystem, Identity
from emily_infra.observe.network import Interface, Network, SshConnection
from emily_infra.observe.pools import Dataset, Pool, Property
from emily_infra.observe.units import Units
from emily_infra.observe.vdevs import Vdev
from emily_infra.plan import Built, Plan
from emily_infra.plan import plan as planned
from emily_infra.plan.attribution import GENERATED, SPEC
from emily_infra.plan.options import Evaluate, by_nix
from emily_infra.plan.planning import Means
from emily_infra.render.templates import Templates
from emily_infra.spec.host import Host
from emily_infra.spec.topology import addresses, interface
from emily_infra.zfs.properties import wanted
from tests.render.evaluated import rendered

NOW = 1_795_000_000
GIB = 1 << 30
TEMPLATES = Templates()
PATHS = {
    "/nix/store/" + "k" * 32 + "-linux-6.12.30": 60 << 20,
    "/nix/store/" + "o" * 32 + "-openssh-10.0p2": 5 << 20,
    "/nix/store/" + "z" * 32 + "-zfs-kernel-2.4.1-6.12.30": 8 << 20,
    "/nix/store/" + "u" * 32 + "-zfs-user-2.4.1": 9 << 20,
}


def source(host: Host) -> dict[str, str]:
    """The files that a host carries with it."""
    files = {f"{GENERATED}{name}": text for name, text in rendered(host).files.items()}
    spec = "\n".join(host.source.lines)
    return {SPEC: spec, "hardware.nix": "{ ... }:\n{\n}\n", **files}


def system(mark: str) -> System:
    """A system that differs from another one in nothing that only a boot loads."""
    kernel = "/nix/store/" + "k" * 32 + "-linux-6.12.30"
    return System(
        toplevel=f"/nix/store/{mark * 32}-nixos-system",
        kernel=f"{kernel}/bzImage",
        initrd="/nix/store/" + "i" * 32 + "-initrd/initrd",
        modules=f"{kernel}-modules/lib/modules",
        params="panic=30 loglevel=4",
        version="26.05",
        interface="2",
    )


def built(host: Host, mark: str = "b", units: Mapping[str, str] | None = None) -> Built:
    """What a builder makes of a host."""
    return Built(
        system=system(mark),
        unit_files=units or {},
        wanted=frozenset(units or {}),
        closure=PATHS,
        boot_files={system(mark).kernel: 10 << 20, system(mark).initrd: 30 << 20},
        source=source(host),
    )


def running(host: Host, mark: str = "a", client: str = "") -> Observation:
    """A machine that runs what a host describes, and was asked over SSH from CLIENT."""
    now = system(mark)
    generations = Generations(
        current_system=now,
        booted_system=now,
        profile_system=now,
        number=7,
        boot_default=now.toplevel,
        generations=(Generation(7, now.toplevel, NOW - 86_400, kernel=now.kernel),),
    )
    return Observation(
        machine=host.name,
        identity=Identity(
            hostname=host.name,
            machine_id="4f2a9c",
            host_id=host.spec.system.host_id,
            boot_id="b00t",
            is_nixos=True,
            os_release="NixOS 26.05",
            now=NOW,
        ),
        generation=generations,
        units=Units(files={"an.service": "[Service]\nExecStart=/bin/a\n"}),
        space=tuple(Filesystem(p, 100 * GIB, 50 * GIB, 0, 0) for p in ("/", "/nix", "/boot")),
        pools=tuple(pools(host)),
        network=Network(cards(host), _connection(host, client)),
        source=source(host),
        packages=tuple(PATHS),
    )


def cards(host: Host) -> tuple[Interface, ...]:
    """Every interface that the host describes."""
    spec = host.spec
    uplinks = spec.network.uplinks.items()
    own = {
        interface(zone): tuple(map(str, addresses(spec, name)))
        for name, zone in spec.network.zones.items()
    }
    found = [_card(name, "", uplink.mac, own.pop(name, ())) for name, uplink in uplinks]
    return (*found, *(_card(name, "vlan", "", held) for name, held in own.items()))


def _card(name: str, kind: str, mac: str, held: tuple[str, ...]) -> Interface:
    return Interface(
        name=name, mac=mac, permanent_mac=mac, carrier=True, kind=kind, vlan=None, parent="",
        mtu=1500, addresses=held,
    )  # fmt: skip


def _connection(host: Host, client: str) -> SshConnection | None:
    if not client:
        return None
    server = str(host.spec.deploy.address)
    holder = [
        interface(zone)
        for name, zone in host.spec.network.zones.items()
        if server in [str(each.ip) for each in addresses(host.spec, name)]
    ]
    port = host.spec.system.ssh.port
    return SshConnection(client, 50_000, server, port, holder[0] if holder else "")


def pools(host: Host) -> list[Pool]:
    """The pools as host.yaml describes them."""
    found = []
    for name, body in host.spec.storage.pools.items():
        vdevs = tuple(_vdev(role, vdev.kind, vdev.disks) for role, _, vdev in body.vdevs)
        root = _dataset(name, {})
        rest = (_dataset(f"{name}/{n}", wanted(d, body)) for n, d in body.datasets.items())
        found.append(
            Pool(
                name, "1", "ONLINE", 0, 0, 0, None, vdevs=vdevs, datasets=(root, *rest),
                properties={"ashift": Property(str(body.ashift), "local")},
            )
        )  # fmt: skip
    return found


def _vdev(role: str, kind: str, disks: tuple[str, ...]) -> Vdev:
    leaves = tuple(
        Vdev(f"/dev/disk/by-id/{disk}-part1" if "-part" not in disk else f"/dev/disk/by-id/{disk}",
             "disk", role, "ONLINE", path=f"/dev/disk/by-id/{disk}"
             + ("" if "-part" in disk else "-part1"))
        for disk in disks
    )  # fmt: skip
    return leaves[0] if kind == "disk" else Vdev(f"{kind}-0", kind, role, "ONLINE", children=leaves)


def _dataset(name: str, values: Mapping[str, str]) -> Dataset:
    own = {key: Property(value, "local") for key, value in values.items()}
    return Dataset(
        name=name, kind="filesystem", guid="1", used=5 * GIB, available=900 * GIB, referenced=GIB,
        mounted=True, created=NOW, values=dict(values), properties=own, newest_snapshot=None,
        snapshots_changed=None,
    )  # fmt: skip


def between(old: Host, new: Host, client: str = "") -> Plan:
    """The plan that leads from one description to another."""
    return planned(new, built(new), running(old, client=client), means())


@cache
def means() -> Means:
    """Without Nix: enough for all that is not about options."""
    return Means(templates=TEMPLATES, clock=NOW)


def with_nix(old: Host, new: Host) -> Plan:
    """The same through the real Nix."""
    evaluate: Evaluate = by_nix(Local())
    return planned(new, built(new), running(old), replace(means(), evaluate=evaluate))
