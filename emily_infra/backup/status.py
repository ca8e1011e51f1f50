"""What this host knows of its backups without asking anyone outside: its pools, its own notes."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from emily_infra.backup import catalogue, evidence, ledger, locks, pools
from emily_infra.backup.coverage import Drilled, Kind, Place, Running, Seen, Taken
from emily_infra.backup.here import Here
from emily_infra.backup.names import by_pool
from emily_infra.backup.pools import Standstill
from emily_infra.backup.rates import seconds_per_gb
from emily_infra.backup.replication.memory import Memory
from emily_infra.backup.shares import Shares
from emily_infra.backup.verify import remembered
from emily_infra.machine import CommandFailed, Expired
from emily_infra.observe.backups import backups

_STOPPED = re.compile(
    r'^emily_snapshot_stopped\{dataset="([^"]+)",reason="([^"]+)"\} 1', re.MULTILINE
)
_PATIENCE = 20.0
"""Seconds for one list: a pool that takes longer stands still, or is as good as that."""


def look(here: Here) -> Seen:
    """Everything; what cannot be read is left out, and said where it matters."""
    drilled = _drilled(here)
    places = {
        (Kind.REPOSITORY, name): _repository(here, name, drilled.get(name))
        for name in here.settings.repositories
    }
    places |= {(Kind.REPLICA, name): _replica(here, name) for name in here.settings.replicas}
    return Seen(taken=_taken(here), places=places, running=tuple(_running(here)))


def _taken(here: Here) -> dict[str, Taken]:
    found: dict[str, Taken] = {}
    for pool, datasets in by_pool(here.settings.datasets).items():
        try:
            pools.alive(here, pool)
            sizes, stops = _sizes(here, datasets), _stops(here, pool)
            found |= {
                each: replace(_dataset(here, each, sizes.get(each)), stopped=stops.get(each, ""))
                for each in datasets
            }
        except (CommandFailed, Expired, Standstill) as error:
            why = str(error).splitlines()[-1].strip()
            found |= {each: _remembered(here, pool, each, why) for each in datasets}
    return found


def _remembered(here: Here, pool: str, dataset: str, why: str) -> Taken:
    """What the last run wrote down, where the pool cannot be asked."""
    newest = backups({pool: _figures(here, pool)}).snapshots.get(dataset)
    return Taken(datetime.fromtimestamp(newest, UTC) if newest else None, unseen=why)


def _figures(here: Here, pool: str) -> str:
    try:
        return (here.settings.paths.metrics / f"emily-snapshots-{pool}.prom").read_text()
    except OSError:
        return ""


def _stops(here: Here, pool: str) -> dict[str, str]:
    """By dataset, why the last run let nothing go."""
    return dict(_STOPPED.findall(_figures(here, pool)))


def _sizes(here: Here, datasets: Iterable[str]) -> dict[str, int]:
    columns = ("zfs", "list", "-Hp", "-o", "name,logicalreferenced")
    told = here.run(*columns, *datasets, deadline=_PATIENCE)
    pairs = (line.split("\t") for line in told.splitlines())
    return {name: int(size) for name, size in pairs if size.isdigit()}


def _dataset(here: Here, dataset: str, size: int | None) -> Taken:
    listed = catalogue.snapshots(here, dataset, deadline=_PATIENCE)
    newest = next((each.creation for each in reversed(listed) if each.mine), None)
    held = catalogue.holds(here, [each.full for each in listed if each.holds])
    return Taken(newest, tuple(_holders(held)), size)


def _holders(held: dict[str, set[str]]) -> Iterator[str]:
    for name, labels in sorted(held.items()):
        yield f"{name}: {', '.join(sorted(labels))}"


def _running(here: Here) -> Iterator[Running]:
    folder = here.settings.paths.locks
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if who := locks.holder(path):
            yield Running(path.name, who["verb"], who["pid"], who["since"])


def _repository(here: Here, name: str, drilled: Drilled | None) -> Place:
    known, shares = ledger.load(here, name), remembered(here, name)
    return Place(
        copies=_copies(here, name, known),
        trouble=_trouble(known) or _damage(shares),
        # What was never read waits from the first copy on, and not from now.
        unverified=shares.oldest if shares.read else None,
        drilled=drilled,
        since=known.first,
    )


def _damage(shares: Shares) -> str:
    if not shares.damaged:
        return ""
    packs = [pack[:10] for found in shares.damaged.values() for pack in found]
    return f"it has lost data: packs {', '.join(packs[:3])}" if packs else "it has lost data"


def _replica(here: Here, name: str) -> Place:
    known = Memory.load(here, name).datasets
    return Place(
        copies={
            dataset: datetime.fromtimestamp(past.newest, UTC)
            for dataset, past in known.items()
            if past.newest is not None
        }
    )


def _copies(here: Here, name: str, known: ledger.Ledger) -> dict[str, datetime]:
    """The newest good copy of each dataset; one that nobody remembers the snapshots of is whole."""
    found: dict[str, datetime] = {}
    for copy in known.copies:
        if copy.verdict != "good":
            continue
        moments = {dataset: taken.creation for dataset, taken in copy.snapshots.items()}
        found |= moments or dict.fromkeys(here.settings.copied_to(name), copy.time)
    return found


def _trouble(known: ledger.Ledger) -> str:
    newest = known.newest
    if known.unfinished:
        return "the last run was stopped before its end, and goes on next time"
    if newest is None or newest.verdict == "good":
        return ""
    if newest.verdict == "shrunk":
        return "the newest copy is much smaller than the one before; nothing is forgotten meanwhile"
    lacking = f"the newest copy lacks {newest.unreadable} files that could not be read"
    return f"{lacking}, and all of {', '.join(newest.lacking)}" if newest.lacking else lacking


def _drilled(here: Here) -> dict[str, Drilled]:
    """Of each repository, what the newest drill of each dataset says, as it stands in the log."""
    newest: dict[str, dict[str, Mapping[str, Any]]] = {}
    for raw in evidence.lines(here):
        line = evidence.parsed(raw)
        data = line.data if line else {}
        if data.get("dataset") in here.settings.datasets and _moment(data):
            newest.setdefault(str(data.get("repository")), {})[data["dataset"]] = data
    return {name: _judged(list(each.values())) for name, each in newest.items()}


def _judged(drills: list[Mapping[str, Any]]) -> Drilled:
    bad = next((each for each in drills if each.get("verdict") != evidence.Verdict.SAME), None)
    at = [moment for each in drills if (moment := _moment(each))]
    size, seconds = (
        sum(int(each.get(key) or 0) for each in drills) for key in ("bytes", "seconds")
    )
    return Drilled(
        at=max(at),
        passed=bad is None,
        verdict=f"{bad['dataset']} {bad.get('verdict')}" if bad else evidence.Verdict.SAME.value,
        seconds_per_gb=seconds_per_gb(size, seconds),
    )


def _moment(data: Mapping[str, Any]) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(data.get("time")))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
