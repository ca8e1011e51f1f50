"""What a host is, on one screen."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from emily_infra.cli.output import width
from emily_infra.spec.host import Host, HostSpec
from emily_infra.spec.retention import Keep, SnapshotPolicy
from emily_infra.spec.snapshots import copied_to, replicated_to
from emily_infra.spec.topology import addresses, datasets, interface, listeners
from emily_infra.zfs.capacity import capacity

_HOST = "host"


def overview(host: Host) -> None:
    """Print the machine, its network and policy, its pools, shares, backups and ports."""
    console = Console(width=width(), highlight=False)
    console.print(_headline(host))
    for table in _tables(host.spec):
        if table.row_count:
            console.print(table)
            console.print()


def _headline(host: Host) -> Text:
    system = host.spec.system
    admins = ", ".join(sorted(system.admins))
    facts = (
        f"NixOS {system.state_version}, hostId {system.host_id}, {system.memory.total} RAM, "
        f"{host.spec.deploy.address}, operated by {admins}"
    )
    return Text.assemble((host.name, "bold"), f"  {facts}\n")


def _tables(spec: HostSpec) -> Iterator[Table]:
    yield _zones(spec)
    yield _pools(spec)
    yield _datasets(spec)
    yield _shares(spec)
    yield _repositories(spec)
    yield _replicas(spec)
    yield _ports(spec)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, header_style="dim", overflow="fold")
    return table


def _zones(spec: HostSpec) -> Table:
    table = _table("Zones", "zone", "interface", "address", "may reach")
    for name, zone in spec.network.zones.items():
        own = ", ".join(map(str, addresses(spec, name))) or "learned"
        reaches = [
            f"{line.to}: {' '.join(line.services)}"
            for line in spec.network.allow
            if line.source == name
        ]
        table.add_row(name, interface(zone), own, "; ".join(reaches) or "nothing")
    return table


def _pools(spec: HostSpec) -> Table:
    table = _table("Pools", "pool", "layout", "available", "may fail in each vdev")
    for name, pool in spec.storage.pools.items():
        layout = " + ".join(f"{vdev.kind} x{len(vdev.disks)}" for vdev in pool.data)
        extra = [
            f"{cls} {vdev.kind} x{len(vdev.disks)}" for cls, _, vdev in pool.vdevs if cls != "data"
        ]
        predicted = capacity(pool, spec.storage.disks)
        room = f"{predicted.available / 1e12:.2f} TB" if predicted else "unknown"
        table.add_row(name, "; ".join([layout, *extra]), room, str(pool.failures_survived))
    return table


def _datasets(spec: HostSpec) -> Table:
    table = _table("Datasets", "dataset", "mounted at", "records", "snapshots", "copies")
    for path, (_, dataset) in datasets(spec).items():
        stored = [*copied_to(spec, path), *replicated_to(spec, path)]
        where = ", ".join(stored) or ("exempt" if path in spec.backup.exempt else "no")
        mountpoint, policy = dataset.mountpoint or "-", dataset.snapshots or "-"
        table.add_row(path, mountpoint, str(dataset.recordsize), policy, where)
    return table


def _shares(spec: HostSpec) -> Table:
    table = _table("Shares", "share", "dataset", "users", "zones")
    for name, share in spec.samba.shares.items() if spec.samba else ():
        table.add_row(name, share.dataset, ", ".join(share.users), ", ".join(share.zones))
    return table


def _repositories(spec: HostSpec) -> Table:
    table = _table("Off-site", "name", "repository", "when (UTC)", "kept", "all read in")
    for name, entry in spec.backup.offsite.items():
        row = (entry.repository, str(entry.schedule), kept(entry.keep), str(entry.verify.whole_in))
        table.add_row(name, *row)
    return table


def _replicas(spec: HostSpec) -> Table:
    table = _table("Second hosts", "name", "direction", "machine", "place", "when (UTC)", "kept")
    for name, entry in spec.backup.replicas.items():
        table.add_row(name, "to", entry.address, entry.into, str(entry.schedule), "as said there")
    for name, sender in spec.backup.receives.items():
        table.add_row(name, "from", name, sender.into, "as it likes", kept(sender.keep))
    return table


def kept(policy: Keep | SnapshotPolicy) -> str:
    """`7 daily, 4 weekly`: a retention in words."""
    return ", ".join(f"{count} {period}" for period, count in policy if count)


def _ports(spec: HostSpec) -> Table:
    table = _table("Listening", "program", "address", "port")
    for entry in listeners(spec):
        address = "every address, kept by the policy" if entry.address == "*" else entry.address
        table.add_row(entry.program, address, f"{entry.port}/{entry.protocol}")
    return table
