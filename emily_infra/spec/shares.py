"""What follows from the samba part: where shares are reached, and what the line carries."""

from emily_infra.spec.host import HostSpec
from emily_infra.spec.network import Zone
from emily_infra.spec.samba import Share
from emily_infra.spec.snapshots import policy_of
from emily_infra.spec.storage import Dataset
from emily_infra.spec.topology import datasets
from emily_infra.spec.units import Rate


def shares(spec: HostSpec) -> list[tuple[str, Share]]:
    """Every share with its name, in the order of names."""
    return sorted(spec.samba.shares.items()) if spec.samba else []


def zones(spec: HostSpec) -> dict[str, Zone]:
    """The zones in which any share is offered, in the order of names."""
    named = {zone for _, share in shares(spec) for zone in share.zones}
    return {name: zone for name, zone in sorted(spec.network.zones.items()) if name in named}


def dataset_of(spec: HostSpec, share: Share) -> Dataset | None:
    """The dataset that is shared."""
    return datasets(spec).get(share.dataset, (None, None))[1]


def shows_snapshots(spec: HostSpec, share: Share) -> bool:
    """Whether a share's previous versions have snapshots to come from."""
    dataset = dataset_of(spec, share)
    return share.previous_versions and dataset is not None and policy_of(spec, dataset) is not None


def parallel_lines(spec: HostSpec) -> bool:
    """Whether a client can reach shares over two lines of equal speed; multichannel needs that.

    A tunnel reports no speed, and the VLANs of one uplink share its line.
    """
    uplinks = {zone.on for zone in zones(spec).values() if zone.on in spec.network.uplinks}
    speeds = [spec.network.uplinks[name].speed for name in uplinks if name]
    return len(set(speeds)) < len(speeds)


def fastest_line(spec: HostSpec) -> Rate:
    """The most that one connection may find: the fastest uplink."""
    return max(uplink.speed for uplink in spec.network.uplinks.values())


def megabytes_a_second(rate: Rate) -> int:
    """What is left of a line for files: nine tenths, after TCP, SMB and a tunnel's headers."""
    return int(rate) * 9 // 80 // 10**6
