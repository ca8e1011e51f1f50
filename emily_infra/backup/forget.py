"""Which copies a repository keeps, and why; nothing goes while something is not as it should be."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from emily_infra.backup import ledger
from emily_infra.backup.restic.faults import Kept
from emily_infra.backup.restic.messages import Copy, Group, groups
from emily_infra.backup.restic.program import Call, Restic
from emily_infra.backup.restic.repository import own_copies
from emily_infra.backup.retention import SLACK
from emily_infra.backup.settings import Keep

_FRESH = timedelta(hours=36)
_PERIODS = ("daily", "weekly", "monthly", "yearly")


@dataclass(frozen=True)
class Fate:
    """What becomes of a copy."""

    copy: Copy
    reasons: tuple[str, ...]
    """Why it is kept; without one it goes."""


def foreseen(restic: Restic) -> list[Fate]:
    """What `forget` would do, the newest first; Kept where it must not be done."""
    copies = own_copies(restic)
    refuse(restic, copies)
    text = restic.answer(Call(("--no-lock", *words(restic), "--dry-run"), deadline=3600))
    found = groups(text)
    _ours(restic, copies, found)
    reasons = {each: why for group in found for each, why in group.reasons.items()}
    kept = {copy.id for group in found for copy in group.keep}
    return [
        Fate(copy, reasons.get(copy.id, ("kept",)) if copy.id in kept else ())
        for copy in reversed(copies)
    ]


def words(restic: Restic) -> tuple[str, ...]:
    """The arguments of `forget`: this host's copies of this job, and no others."""
    keep = restic.repository.keep
    return (
        "forget", "--host", restic.here.settings.host, "--tag", restic.tag,
        "--group-by", "host,tags",
        *(word for each in _PERIODS if (count := _count(keep, each))
          for word in (f"--keep-{each}", str(count))),
    )  # fmt: skip


def refuse(restic: Restic, copies: Sequence[Copy]) -> None:
    """Raise Kept, where old copies are better than what came after them."""
    name, now = restic.name, restic.here.now()
    if not any(_count(restic.repository.keep, each) for each in _PERIODS):
        raise Kept(
            f"repository {name} has no keep: nothing would stay",
            hint=f"host.yaml: backup.offsite.{name}.keep: {{ daily: 7, weekly: 4, monthly: 12 }}",
        )
    if not copies:
        raise Kept(
            f"repository {name} has no copy of host {restic.here.settings.host} with the tag "
            f"{restic.tag}",
            hint=f"was the host renamed? look: restic snapshots; a first copy: "
            f"emily-infra backup offsite {name}",
        )
    newest = copies[-1]
    when = f"{newest.time:%Y-%m-%d %H:%M:%SZ}"
    again = f"emily-infra backup offsite {name}"
    if newest.time > now + SLACK:
        raise Kept(
            f"the newest copy in {name} is of {when}, which is still to come: a clock was wrong, "
            "and older copies would make room for it",
            hint=f"is the time here right? if so, forget that one: restic forget {newest.id[:8]}",
        )
    if now - newest.time > max(_FRESH, timedelta(seconds=1.5 * restic.repository.period)):
        raise Kept(f"the newest copy in {name} is of {when}: copies have stopped", hint=again)
    if set(newest.tags) != {restic.tag}:
        raise Kept(f"the newest copy in {name} ({when}) is not complete", hint=again)
    killed = ledger.load(restic.here, name).running
    if killed and killed.time == newest.time:
        raise Kept(
            f"the run that made the newest copy in {name} ({when}) was killed before it said "
            "whether that is complete",
            hint=again,
        )


def _ours(restic: Restic, copies: Sequence[Copy], found: Sequence[Group]) -> None:
    """Raise Kept, where restic's plan is about anything but our copies."""
    host, known = restic.here.settings.host, {copy.id for copy in copies}
    planned = [copy for group in found for copy in (*group.keep, *group.remove)]
    strange = [
        copy for copy in planned
        if copy.host != host or restic.tag not in copy.tags or copy.id not in known
    ]  # fmt: skip
    if strange or len(planned) != len(known) or not all(group.keep for group in found):
        raise Kept(
            f"restic's plan for {restic.name} is not about this host's copies alone, or leaves "
            f"nothing ({len(planned)} of {len(known)} copies in {len(found)} groups)",
            hint="another run may have changed them; look: "
            f"emily-infra backup prune {restic.name} --dry-run",
        )


def _count(keep: Keep, period: str) -> int:
    return max(0, int(getattr(keep, period)))
