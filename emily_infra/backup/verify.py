"""`restic check`, and a share of the data read back in each run until all of it was."""

import json
import re
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from emily_infra.backup import ledger, state
from emily_infra.backup.here import Here
from emily_infra.backup.locks import locked
from emily_infra.backup.metrics import Sample, publish
from emily_infra.backup.restic.faults import Damaged
from emily_infra.backup.restic.outcome import DONE, FAILED, Done
from emily_infra.backup.restic.program import Call, Restic
from emily_infra.backup.restic.repository import contact
from emily_infra.backup.restic.unlock import unlocked
from emily_infra.backup.shares import Shares, from_data
from emily_infra.errors import EmilyError

WAIT = 7200.0
"""Seconds for others to end their work on the repository."""
_LONGEST = timedelta(days=3).total_seconds()
_NAMED = 20
_PACK = re.compile(r"\bpack ([0-9a-f]{64})\b")


@dataclass(frozen=True)
class Verified:
    """What a run has read."""

    shares: tuple[int, ...]
    of: int
    oldest: datetime
    """Since when the share waits that waits longest."""


def verify(here: Here, name: str, *, wait: float = WAIT) -> Verified:
    """Check a repository's structure and read a share of it; Damaged where it has lost data.

    After runs that were missed a second share is read, as long as one waits too long; and after
    one that is damaged.
    """
    with locked(here, f"repository-{name}", verb="verify", wait=wait):
        restic = contact(here, name)
        _sweep(restic)
        read: list[int] = []
        damaged: Damaged | None = None
        while not read or (len(read) < 2 and (damaged or _overdue(restic))):
            known = remembered(here, name)
            read.append(share := known.next(read))
            try:
                _one(restic, share, wait)
            except Damaged as error:
                damaged = damaged or error
            if known.of == 1:
                break
        if damaged:
            raise damaged
        known = remembered(here, name)
        return Verified(tuple(read), known.of, known.oldest)


def remembered(here: Here, name: str) -> Shares:
    """Which share of a repository was read when."""
    of = here.repository(name).verify.subsets
    copied = ledger.load(here, name).first
    return from_data(state.read(_file(here, name)), of, here.now(), copied)


def _overdue(restic: Restic) -> bool:
    known = remembered(restic.here, restic.name)
    whole_in = timedelta(seconds=restic.repository.verify.whole_in)
    return restic.here.now() - known.oldest > whole_in


def _one(restic: Restic, share: int, wait: float) -> None:
    """Read a share; what came of it is remembered and published."""
    known = remembered(restic.here, restic.name)
    done = _read(restic, share, wait)
    if damage(done):
        restic.here.tell(f"repository {restic.name}: share {share} has errors; reading it again")
        done = _read(restic, share, wait)
    if done.status == DONE:
        _remember(restic, known.clean(share, restic.here.now()))
        return
    if not damage(done):
        raise restic.fault(done)
    packs = packs_of(done)
    _remember(restic, known.broken(share, packs))
    raise _damaged(restic, done, packs)


def _read(restic: Restic, share: int, wait: float) -> Done:
    part = f"{share}/{restic.repository.verify.subsets}"
    call = Call(("check", "--read-data-subset", part), deadline=_LONGEST)
    return unlocked(restic, call, wait=wait)


def damage(done: Done) -> bool:
    """Whether the repository itself has errors, and not the way to it."""
    return done.status == FAILED and "repository contains errors" in done.said


def packs_of(done: Done) -> tuple[str, ...]:
    """The packs that restic names."""
    return tuple(dict.fromkeys(_PACK.findall(done.said)))


def _damaged(restic: Restic, done: Done, packs: tuple[str, ...]) -> Damaged:
    files = _files(restic, packs)
    short = [pack[:10] for pack in packs]
    shown = "".join(f"\n  {path}" for path in files[:_NAMED])
    more = f"\n  and {len(files) - _NAMED} more" if len(files) > _NAMED else ""
    what = f"{len(packs)} damaged packs ({', '.join(short[:_NAMED])})" if packs else "errors"
    said = "" if packs else f"\n  {done.complaints[0].strip() if done.complaints else ''}"
    return Damaged(
        f"repository {restic.name} has {what}, read twice{said}; "
        f"of these files some copies are not whole:{shown}{more}"
        if files
        else f"repository {restic.name} has {what}, read twice{said}",
        hint="copy to another repository first; then, with restic by hand: "
        f"restic repair packs {' '.join(packs[:3])} && restic repair snapshots --forget; "
        f"then emily-infra backup offsite {restic.name}",
    )


def _files(restic: Restic, packs: Iterable[str]) -> list[str]:
    """The paths that use these packs, as far as restic can tell."""
    found: dict[str, None] = {}
    for pack in list(packs)[:_NAMED]:
        with suppress(EmilyError, ValueError):
            text = restic.answer(Call(("--no-lock", "find", "--pack", pack), deadline=600))
            for each in json.loads(text):
                if isinstance(each, dict) and each.get("path"):
                    found[str(each["path"])] = None
    return list(found)


def _remember(restic: Restic, known: Shares) -> None:
    state.write(_file(restic.here, restic.name), known.as_data())
    labels = {"repository": restic.name}
    samples = [
        Sample("emily_verify_oldest_timestamp_seconds", known.oldest.timestamp(), labels),
        Sample("emily_verify_errors", known.errors, labels),
    ]
    if known.succeeded:
        moment = known.succeeded.timestamp()
        samples.append(Sample("emily_verify_last_success_timestamp_seconds", moment, labels))
    publish(restic.here, f"verify-{restic.name}", samples)


def _sweep(restic: Restic) -> None:
    """Take away what killed checks left; they read past the cache into a folder of their own."""
    for left in restic.cache.glob("restic-check-cache-*"):
        shutil.rmtree(left, ignore_errors=True)


def _file(here: Here, name: str) -> Path:
    return here.settings.paths.state / "repositories" / f"{name}-verify.json"
