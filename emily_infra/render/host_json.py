"""host.json: what a host's own backup commands are told. They read it with backup.settings."""

from collections.abc import Mapping

from emily_infra.spec.backup import DumpCheck, Quiesce, Repository
from emily_infra.spec.host import Host, HostSpec
from emily_infra.spec.replication import Replica
from emily_infra.spec.snapshots import (
    NAME_FORMAT,
    copied_to,
    policy_of,
    replicated_to,
    subsets,
)
from emily_infra.spec.topology import datasets, secret_file
from emily_infra.spec.units import Rate

STATE = "/var/lib/emily"
METRICS = f"{STATE}/metrics"
CACHE = "/var/cache/emily"
RUNTIME = "/run/emily"


def settings(host: Host) -> Mapping[str, object]:
    """What stands in /etc/emily/host.json; of secrets only the names and their files."""
    spec, backup = host.spec, host.spec.backup
    drill = backup.drill
    return {
        "version": 2,
        "host": host.name,
        "host_id": spec.system.host_id,
        "snapshot_name": NAME_FORMAT,
        "paths": {
            "cache": CACHE,
            "locks": f"{RUNTIME}/locks",
            "metrics": METRICS,
            "source": f"{RUNTIME}/snapshot",
            "state": STATE,
        },
        "datasets": _datasets(spec),
        "policies": {name: dict(policy) for name, policy in backup.snapshots.items()},
        "quiesce": {name: _quiesce(hook) for name, hook in backup.quiesce.items()},
        "repositories": {
            name: _repository(spec, name, entry) for name, entry in backup.offsite.items()
        },
        "replicas": {name: _replica(spec, name, entry) for name, entry in backup.replicas.items()},
        "receives": {
            name: {"into": entry.into, "keep": dict(entry.keep)}
            for name, entry in backup.receives.items()
        },
        "uncopied": backup.uncopied.seconds if backup.uncopied else 0,
        "drill": drill
        and {
            "period": drill.schedule.period.seconds,
            "files": drill.files,
            "size": int(drill.size),
        },
        "checks": {name: _check(entry) for name, entry in backup.checks.items()},
    }


def password(name: str) -> str:
    """The credential with a repository's password."""
    return f"restic-password-{name}"


def environment(name: str) -> str:
    """The credential with the keys of a repository's provider."""
    return f"restic-environment-{name}"


def replica_key(name: str) -> str:
    """The credential with the SSH key for a replica."""
    return f"replica-key-{name}"


def _secret(spec: HostSpec, credential: str, reference: str) -> dict[str, str]:
    return {"credential": credential, "file": secret_file(spec, reference)}


def _datasets(spec: HostSpec) -> dict[str, object]:
    return {
        path: {
            "mountpoint": dataset.mountpoint,
            "policy": dataset.snapshots if policy_of(spec, dataset) else None,
            "repositories": copied_to(spec, path),
            "replicas": replicated_to(spec, path),
            "exempt": spec.backup.exempt.get(path),
        }
        for path, (_, dataset) in datasets(spec).items()
    }


def _quiesce(hook: Quiesce) -> dict[str, object]:
    return {
        "before": hook.before,
        "after": hook.after,
        "datasets": list(hook.datasets),
        "deadline": hook.deadline.seconds,
        "required": hook.required,
    }


def _repository(spec: HostSpec, name: str, repository: Repository) -> dict[str, object]:
    keys = repository.credentials
    return {
        "url": repository.repository,
        "password": _secret(spec, password(name), repository.password),
        "environment": _secret(spec, environment(name), keys) if keys else None,
        "datasets": list(repository.datasets),
        "exclude": list(repository.exclude),
        "keep": dict(repository.keep),
        "period": repository.schedule.period.seconds,
        "verify": {
            "subsets": subsets(repository),
            "period": repository.verify.schedule.period.seconds,
            "whole_in": repository.verify.whole_in.seconds,
        },
        "upload_kib": _kib(repository.upload_limit),
        "hours": list(repository.hours.minutes) if repository.hours else None,
        "append_only": repository.append_only,
    }


def _replica(spec: HostSpec, name: str, replica: Replica) -> dict[str, object]:
    return {
        "address": replica.address,
        "port": replica.port,
        "user": replica.user,
        "host_key": bare(replica.host_key),
        "key": _secret(spec, replica_key(name), replica.key),
        "into": replica.into,
        "datasets": list(replica.datasets),
        "period": replica.schedule.period.seconds,
        "upload_kib": _kib(replica.upload_limit),
    }


def _kib(limit: Rate | None) -> int | None:
    # restic counts KiB in a second, and takes 0 as no limit at all
    return None if limit is None else max(limit // 8 // 1024, 1)


def bare(key: str) -> str:
    """A public SSH key without its comment."""
    return " ".join(key.split(" ")[:2])


def _check(check: DumpCheck) -> dict[str, object]:
    return {"dump": check.dump, "format": check.format, "query": check.query}
