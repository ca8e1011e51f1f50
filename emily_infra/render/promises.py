"""What a host has promised, as series that the alerts of modules/rules.yml are held against."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from emily_infra.render.nix import Lines
from emily_infra.spec import topology
from emily_infra.spec.grace import grace
from emily_infra.spec.host import HostSpec
from emily_infra.spec.snapshots import pace, policy_of, replicated_to


@dataclass(frozen=True)
class Promise:
    """A constant series."""

    series: str
    value: int
    labels: dict[str, str]


def promises(spec: HostSpec) -> Lines:
    """A group of recording rules in Prometheus's YAML; it continues the list in rules.yml."""
    found = [
        *_backups(spec),
        *_upkeep(spec),
        *_drills(spec),
        *_replicas(spec),
        *_received(spec),
        *_snapshots(spec),
        *_pools(spec),
        *_tunnels(spec),
    ]
    if not found:
        return Lines()
    return Lines("\n  - name: promises\n    rules:\n" + "".join(map(_rule, found)))


def _rule(promise: Promise) -> str:
    # JSON is YAML, and quotes whatever a name may hold.
    return (
        f"      - record: {promise.series}\n"
        f"        expr: vector({promise.value})\n"
        f"        labels: {json.dumps(promise.labels)}\n"
    )


def _backups(spec: HostSpec) -> Iterator[Promise]:
    for name, repository in sorted(spec.backup.offsite.items()):
        limit = grace(repository.schedule.period.seconds)
        yield Promise("emily_promised_backup_seconds", limit, {"repository": name})


def _upkeep(spec: HostSpec) -> Iterator[Promise]:
    """Forgetting, reading back, and how long ago the oldest reading of any share may be."""
    for name, repository in sorted(spec.backup.offsite.items()):
        labels, verify = {"repository": name}, repository.verify
        if not repository.append_only:
            limit = grace(repository.prune.period.seconds)
            yield Promise("emily_promised_prune_seconds", limit, labels)
        limit = grace(verify.schedule.period.seconds)
        yield Promise("emily_promised_verify_seconds", limit, labels)
        whole = grace(verify.whole_in.seconds)
        yield Promise("emily_promised_verified_seconds", whole, labels)


def _replicas(spec: HostSpec) -> Iterator[Promise]:
    for path in topology.datasets(spec):
        for name in replicated_to(spec, path):
            limit = grace(spec.backup.replicas[name].schedule.period.seconds)
            labels = {"target": name, "dataset": path}
            yield Promise("emily_promised_replica_seconds", limit, labels)


def _received(spec: HostSpec) -> Iterator[Promise]:
    for name, sender in sorted(spec.backup.receives.items()):
        yield Promise("emily_promised_received_seconds", sender.within.seconds, {"sender": name})


def _drills(spec: HostSpec) -> Iterator[Promise]:
    if not spec.backup.drill:
        return
    limit = grace(spec.backup.drill.schedule.period.seconds)
    for name in sorted(spec.backup.offsite):
        yield Promise("emily_promised_restore_test_seconds", limit, {"repository": name})


def _snapshots(spec: HostSpec) -> Iterator[Promise]:
    for path, (_, dataset) in topology.datasets(spec).items():
        policy = policy_of(spec, dataset)
        if policy:
            limit, kept = grace(pace(policy).seconds), sum(count for _, count in policy)
            yield Promise("emily_promised_snapshot_seconds", limit, {"dataset": path})
            yield Promise("emily_promised_snapshots", kept, {"dataset": path})


def _pools(spec: HostSpec) -> Iterator[Promise]:
    for name in sorted(spec.storage.pools):
        yield Promise("emily_promised_pool", 1, {"pool": name})


def _tunnels(spec: HostSpec) -> Iterator[Promise]:
    """Peers that are kept alive; one that calls when it likes may be silent for days."""
    for interface, tunnel in sorted(spec.wireguard.items()):
        for name, peer in sorted(tunnel.peers.items()):
            if peer.keepalive:
                labels = {"interface": interface, "peer": name, "public_key": peer.public_key}
                yield Promise("emily_promised_tunnel", 1, labels)
