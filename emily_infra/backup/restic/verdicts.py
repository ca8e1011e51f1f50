"""What copies are worth, told by notes beside them: a repository may take nothing but new things.

A note is a snapshot of one word, with a tag of its own, so that `forget` and every look at the
copies pass it by. Its other tags name a copy and what it is worth.
"""

from collections.abc import Iterable
from dataclasses import replace

from emily_infra.backup.restic.messages import Copy

PARTIAL = "emily-partial"
"""The tag of a copy that is not good: nothing older is forgotten because of it."""
_GOOD = "emily-good"
_OF = "of-"


def job(repository: str) -> str:
    """The tag of all notes about a repository's copies."""
    return f"emily-verdict-{repository}"


def words(repository: str, copy: str, *, good: bool) -> tuple[str, ...]:
    """The arguments of `backup` that make a note; COPY is the first id that it had."""
    tags = (job(repository), f"{_OF}{copy}", _GOOD if good else PARTIAL)
    what = ("--stdin-from-command", "--stdin-filename", job(repository))
    # restic refuses a stdin without a byte.
    return (*what, *(f"--tag={each}" for each in tags), "--", "echo", tags[-1])


def applied(repository: str, listed: Iterable[Copy]) -> list[Copy]:
    """Copies and notes, the oldest first, as copies alone: tagged as their last note says."""
    copies: list[Copy] = []
    partial: dict[str, bool] = {}
    for each in listed:
        if job(repository) in each.tags:
            said = PARTIAL in each.tags
            partial |= {tag.removeprefix(_OF): said for tag in each.tags if tag.startswith(_OF)}
        else:
            copies.append(each)
    return [_tagged(each) if partial.get(each.original or each.id) else each for each in copies]


def _tagged(copy: Copy) -> Copy:
    return copy if PARTIAL in copy.tags else replace(copy, tags=(*copy.tags, PARTIAL))
