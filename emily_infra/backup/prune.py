"""Old copies go from a repository, and then the data that no copy needs any more."""

import re
from dataclasses import dataclass, field
from datetime import timedelta

from emily_infra.backup import figures, ledger
from emily_infra.backup.forget import Fate, foreseen, words
from emily_infra.backup.here import Here
from emily_infra.backup.locks import locked
from emily_infra.backup.metrics import Sample, publish
from emily_infra.backup.restic.faults import Kept, ResticFailed
from emily_infra.backup.restic.messages import Message
from emily_infra.backup.restic.outcome import DONE, Done
from emily_infra.backup.restic.program import Call, Restic
from emily_infra.backup.restic.repository import contact, own_copies
from emily_infra.backup.restic.unlock import unlocked
from emily_infra.backup.verify import WAIT, remembered

_LONGEST = timedelta(days=7).total_seconds()
_UNUSED = "5%"
_AT_ONCE = "100G"
"""Repacked in a run at most; what is left waits for the next one."""
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")
_REMAINING = re.compile(r"remaining: \d+ blobs / (\d+(?:\.\d+)?) ([KMGT]iB|B)$")
_TOLD = ("total prune:", "remaining:", "unused size after prune:")


@dataclass(frozen=True)
class Pruned:
    """What became of a repository's copies, and what restic said of its data."""

    fates: tuple[Fate, ...]
    said: tuple[str, ...] = field(default=())

    @property
    def gone(self) -> int:
        """How many copies went, or would go."""
        return sum(not fate.reasons for fate in self.fates)


def would_prune(here: Here, name: str) -> Pruned:
    """What `prune` would do now; nothing is changed."""
    _allowed(here, name)
    restic = contact(here, name)
    return Pruned(tuple(foreseen(restic)))


def prune(here: Here, name: str, *, wait: float = WAIT) -> Pruned:
    """Forget what no rule keeps, then remove its data; Kept where something is wrong."""
    _allowed(here, name)
    with locked(here, f"repository-{name}", verb="prune", wait=wait):
        _allowed(here, name)  # a check that was waited for may have found it damaged
        restic = contact(here, name)
        fates = tuple(foreseen(restic))
        _forget(restic, fates, wait)
        said = _remove(restic, wait)
        _publish(restic)
        _measured(here, name, said)
        return Pruned(fates, said)


def _allowed(here: Here, name: str) -> None:
    if here.repository(name).append_only:
        raise Kept(
            f"repository {name} is append-only: from here nothing can be deleted",
            hint="its keeper forgets and prunes where it stands, with rules that go by time "
            "(keep-within): a stolen host must not be able to",
        )
    if damaged := remembered(here, name).damaged:
        raise Kept(
            f"repository {name} is damaged (share {min(damaged)}): old copies may hold what the "
            "new ones lost",
            hint=f"after its repair: emily-infra backup verify {name}",
        )


def _forget(restic: Restic, fates: tuple[Fate, ...], wait: float) -> None:
    """Forget, and compare what is left with the plan: restic 0.18 ends well where it could not."""
    going = {fate.copy.id for fate in fates if not fate.reasons}
    if not going:
        return
    done = unlocked(restic, Call(words(restic), deadline=_LONGEST), wait=wait)
    if done.status != DONE:
        raise restic.fault(done)
    left = {copy.id for copy in own_copies(restic)}
    staying = {fate.copy.id for fate in fates if fate.reasons}
    if left & going or staying - left:
        raise ResticFailed(
            f"repository {restic.name}: {len(left & going)} copies could not be forgotten, "
            f"{len(staying - left)} are gone that should have stayed",
            hint=f"look: emily-infra backup prune {restic.name} --dry-run",
        )


def _remove(restic: Restic, wait: float) -> tuple[str, ...]:
    done, said = _pruned(restic, _AT_ONCE, wait)
    if done.status != DONE and "no space left" in done.said:
        restic.here.tell(f"repository {restic.name} is full: only whole packs are removed now")
        done, said = _pruned(restic, "0", wait)
    if done.status != DONE:
        raise restic.fault(done)
    return said


def _pruned(restic: Restic, at_once: str, wait: float) -> tuple[Done, tuple[str, ...]]:
    said: list[str] = []

    def hear(message: Message) -> None:
        if message.words.startswith(_TOLD):
            said.append(" ".join(message.words.split()))

    options = ("--max-unused", _UNUSED, "--max-repack-size", at_once)
    done = unlocked(restic, Call(("prune", *options), deadline=_LONGEST), hear, wait=wait)
    return done, tuple(said)


def _publish(restic: Restic) -> None:
    moment = restic.here.now().timestamp()
    labels = {"repository": restic.name}
    sample = Sample("emily_prune_last_success_timestamp_seconds", moment, labels)
    publish(restic.here, f"prune-{restic.name}", [sample])


def _measured(here: Here, name: str, said: tuple[str, ...]) -> None:
    """What is left is what the repository holds now; until then it was only added up."""
    size = next((found for line in said if (found := _REMAINING.match(line))), None)
    if size is None:
        return
    left = int(float(size[1]) * 1024 ** _UNITS.index(size[2]))
    known = ledger.load(here, name).model_copy(update={"stored": left})
    ledger.save(here, name, known)
    figures.publish(here, name, known)
