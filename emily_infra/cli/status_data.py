"""What `emily-infra status --json` prints."""

from emily_infra.cli.moments import iso, span
from emily_infra.cli.reach import Where
from emily_infra.disks.places import Members
from emily_infra.errors import EmilyError
from emily_infra.findings import Finding
from emily_infra.observe import Observation
from emily_infra.observe.pools import Pool
from emily_infra.observe.promises import broken
from emily_infra.observe.trouble import Trouble, Weight, troubles
from emily_infra.spec.host import Host


def told_of(host: Host, found: Observation) -> tuple[Trouble, ...]:
    """Everything to tell of a host, what is wrong first."""
    told = troubles(found, Members(host.spec.storage, found).called)
    if found.knows("state"):
        told += broken(host.spec, found.backups, found.identity.now, span)
    return tuple(sorted(told, key=lambda each: list(Weight).index(each.weight)))


def as_data(host: Host, found: Observation | EmilyError, where: Where) -> dict[str, object]:
    """A host for a program; `seen` is false where it could not be reached."""
    if not isinstance(found, Observation):
        return _not_seen(host.name, found.code, str(found), where.said(found.hint))
    has, last = found.generation, found.deploys.last
    told = told_of(host, found)
    lock = found.deploys.lock
    return {
        "host": host.name,
        "seen": True,
        "well": all(trouble.weight != "wrong" for trouble in told),
        "troubles": [
            {"weight": t.weight, "message": t.message, "look": where.words(t.look)} for t in told
        ],
        "at": iso(found.identity.now),
        "hostname": found.identity.hostname,
        "system": found.identity.os_release,
        "kernel": found.identity.kernel_release,
        "uptime_seconds": found.identity.uptime,
        "generation": has.number,
        "running": has.current,
        "booted": has.booted,
        "default": has.profile,
        "boot_default": has.boot_default,
        "reboot_pending": has.reboot_pending,
        "failed_units": list(found.units.failed),
        "pools": [_pool_data(pool) for pool in found.pools],
        "copies": {name: iso(at) for name, at in sorted(found.backups.copied.items())},
        "drills": {name: iso(at) for name, at in sorted(found.backups.drilled.items())},
        "last_deploy": last
        and {"id": last.id, "verdict": last.verdict, "started": iso(last.started), "who": last.who},
        "lock": lock and {"deploy": lock.deploy, "who": lock.who, "since": iso(lock.since)},
        "gaps": [{"section": gap.section, "why": gap.why} for gap in found.gaps],
    }


def not_readable(finding: Finding) -> dict[str, object]:
    """A host for a program that was not asked, because its host.yaml does not say where it is."""
    message = f"{finding.location}: {finding.message}"
    return _not_seen(finding.host, finding.code, message, finding.hint)


def _not_seen(host: str, code: str, message: str, hint: str) -> dict[str, object]:
    error = {"code": code, "message": message, "hint": hint}
    return {"host": host, "seen": False, "well": False, "error": error}


def _pool_data(pool: Pool) -> dict[str, object]:
    newest = max((each.newest_snapshot or 0 for each in pool.datasets), default=0)
    changed = max((each.snapshots_changed or 0 for each in pool.datasets), default=0)
    return {
        "name": pool.name,
        "health": pool.health,
        "size": pool.size,
        "allocated": pool.allocated,
        "used": round(pool.used, 4),
        "newest_snapshot": iso(newest),
        "snapshots_changed": iso(changed),
        "scans": [
            {"kind": s.kind, "state": s.state, "at": iso(s.at), "percent": s.percent}
            for s in pool.scans
        ],
        "faulty": [leaf.path or leaf.name for leaf in pool.leaves if leaf.errors],
    }
