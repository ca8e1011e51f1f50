"""The copies in a repository: listed, made and marked; each is one call of restic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from emily_infra.backup.copying import Heard, Order, counted
from emily_infra.backup.ledger import Copy
from emily_infra.backup.restic import messages, outcome, verdicts
from emily_infra.backup.restic.faults import ResticFailed
from emily_infra.backup.restic.messages import Message
from emily_infra.backup.restic.program import Call, Restic
from emily_infra.backup.restic.repository import own_copies
from emily_infra.backup.restic.unlock import unlocked
from emily_infra.backup.restic.verdicts import PARTIAL
from emily_infra.machine import Expired

_ANSWER = 1800.0
_LOCKED = 1800.0
"""Seconds to wait for a lock of another host."""


class OutOfTime(Exception):
    """A copy was stopped before its end; what it uploaded stays."""


@dataclass(frozen=True)
class Found:
    """A copy as the repository tells of it."""

    copy: Copy
    marked: bool
    """Whether it carries the tag of a partial one."""


class Marking(Enum):
    """What is done with the tag of partial copies."""

    ADD = "--add"
    REMOVE = "--remove"


def listed(restic: Restic) -> list[Found]:
    """Our copies."""
    return [_found(each) for each in own_copies(restic)]


def _found(raw: messages.Copy) -> Found:
    marked = PARTIAL in raw.tags
    copy = Copy(
        id=raw.id, origin=raw.original, time=raw.time, ended=raw.time,
        verdict="partial" if marked else "good", counted=counted(raw.summary),
    )  # fmt: skip
    return Found(copy, marked)


def made(restic: Restic, order: Order, heard: Heard, seconds: float) -> None:
    """A new copy; OutOfTime where it is not done after so many seconds."""
    words = ("backup", "--host", restic.here.settings.host, "--tag", restic.tag, *order.words())
    call = Call(words, deadline=seconds)
    try:
        done = unlocked(restic, call, heard.hear, wait=_LOCKED)
    except ResticFailed as error:
        if isinstance(error.__cause__, Expired):
            raise OutOfTime from error
        raise
    if done.status not in (outcome.DONE, outcome.INCOMPLETE) or not heard.id:
        raise restic.fault(done)
    if done.status == outcome.INCOMPLETE and not heard.unreadable:
        heard.unreadable = 1


def marked(restic: Restic, copies: Sequence[Copy], marking: Marking) -> Mapping[str, str]:
    """Tag copies, or take the tag off; their new ids by the old ones."""
    renamed: dict[str, str] = {}

    def hear(message: Message) -> None:
        if message.kind == "changed":
            renamed[message.text("old_snapshot_id")] = message.text("new_snapshot_id")

    ids = [each.id for each in copies]
    call = Call(("tag", marking.value, PARTIAL, *ids), deadline=_ANSWER)
    done = unlocked(restic, call, hear, wait=_LOCKED)
    if done.status != outcome.DONE:
        raise restic.fault(done)
    return renamed


def noted(restic: Restic, copy: Copy, *, good: bool) -> None:
    """Say beside a copy what it is worth, where nothing that is there can be changed."""
    words = verdicts.words(restic.name, copy.first_id, good=good)
    host = ("--host", restic.here.settings.host)
    done = unlocked(restic, Call(("backup", *host, *words), deadline=_ANSWER), wait=_LOCKED)
    if done.status != outcome.DONE:
        raise restic.fault(done)
