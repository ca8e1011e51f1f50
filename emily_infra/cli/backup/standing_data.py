"""What `emily-infra backup status --json` prints."""

from datetime import datetime

from emily_infra.backup.coverage import Broken, Cover, Due, Place, Seen, broken, covers
from emily_infra.backup.settings import Settings


def as_data(settings: Settings, seen: Seen, now: datetime) -> dict[str, object]:
    """Coverage for a program; ages are moments, so that they do not grow old on the way."""
    late = broken(settings, seen, now)
    return {
        "host": settings.host,
        "at": now.isoformat(),
        "kept": not late,
        "broken": [_broken(each) for each in late],
        "datasets": [_cover(each, now) for each in covers(settings, seen)],
        "places": [
            {"kind": kind, "name": name, **_place(place)}
            for (kind, name), place in sorted(seen.places.items())
        ],
        "running": [
            {"thing": run.thing, "verb": run.verb, "pid": run.pid, "since": run.since}
            for run in seen.running
        ],
    }


def _broken(each: Broken) -> dict[str, object]:
    return {
        "what": each.what,
        "since": _moment(each.due.at) if each.due else None,
        "promised_seconds": each.due.limit if each.due else None,
        "why": each.why,
        "look": list(each.look),
    }


def _cover(row: Cover, now: datetime) -> dict[str, object]:
    return {
        "dataset": row.dataset,
        "policy": row.policy,
        "exempt": row.exempt,
        "snapshot": _due(row.snapshot, now),
        "copies": {name: _due(due, now) for name, due in row.copies.items()},
        "recovery_point": _due(row.point, now),
        "recovery_seconds": row.seconds,
        "size": row.taken.size,
        "held": list(row.taken.held),
        "unseen": row.taken.unseen or None,
    }


def _due(due: Due | None, now: datetime) -> dict[str, object] | None:
    if due is None:
        return None
    return {"at": _moment(due.at), "promised_seconds": due.limit, "kept": due.is_kept(now)}


def _place(place: Place) -> dict[str, object]:
    drill = place.drilled
    return {
        "copies": {name: _moment(at) for name, at in place.copies.items()},
        "trouble": place.trouble or None,
        "unverified_since": _moment(place.unverified),
        "drill": drill
        and {
            "at": _moment(drill.at),
            "passed": drill.passed,
            "verdict": drill.verdict,
            "seconds_per_gb": drill.seconds_per_gb,
        },
    }


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
