"""What is kept of a dataset for one target, so that the next run has what it adds to.

The hold of a target is not the hold of a run: it stays until the next snapshot has arrived, and
every run begins by putting it where it belongs. A run that died leaves nothing to clear up.
"""

import re
from collections.abc import Iterable
from datetime import datetime

from emily_infra.backup import catalogue
from emily_infra.backup.catalogue import Bookmark, Snapshot
from emily_infra.backup.here import Here
from emily_infra.machine import CommandFailed


class Pins:
    """The holds and bookmarks of one dataset for one target."""

    def __init__(self, here: Here, target: str, dataset: str) -> None:
        self._here = here
        self._target = target
        self._dataset = dataset
        self._held: set[str] = set()
        self.tag = f"emily:replica-{target}"

    def look(self, snapshots: Iterable[Snapshot]) -> None:
        """See which of them are held for this target."""
        names = [each.full for each in snapshots if each.holds]
        labels = catalogue.holds(self._here, names) if names else {}
        self._held = {name for name in names if self.tag in labels[name]}

    def bookmarks(self) -> list[Bookmark]:
        """Those of this target, the oldest first."""
        shape = re.compile(rf"emily-{re.escape(self._target)}-[0-9a-f]{{16}}")
        found = catalogue.bookmarks(self._here, self._dataset)
        return [each for each in found if shape.fullmatch(each.name)]

    def hold(self, full: str) -> None:
        """Keep a snapshot while it is sent, and until the next has arrived."""
        if full not in self._held:
            catalogue.hold(self._here, self.tag, [full])
            self._held.add(full)

    def only(self, *kept: str) -> None:
        """Let go of all others."""
        catalogue.release(self._here, self.tag, sorted(self._held.difference(kept)))
        self._held.intersection_update(kept)

    def remember(self, snapshot: Snapshot) -> None:
        """A bookmark of what the far side has now; older ones go once it is there."""
        marks = self.bookmarks()
        if any(each.guid == snapshot.guid for each in marks) or self._bookmark(snapshot):
            for each in marks:
                if each.guid != snapshot.guid:
                    self._here.run("zfs", "destroy", each.full)

    def let_go(self, snapshots: Iterable[Snapshot], before: datetime) -> list[str]:
        """Free what is older than BEFORE and leaves a bookmark; what that was."""
        marked = {each.guid for each in self.bookmarks()}
        free = [
            each.full
            for each in snapshots
            if each.full in self._held
            and each.creation < before
            and (each.guid in marked or self._bookmark(each))
        ]
        self.only(*self._held.difference(free))
        return free

    def _bookmark(self, snapshot: Snapshot) -> bool:
        """Whether it could be made: a full pool has no room for one."""
        name = f"{self._dataset}#emily-{self._target}-{snapshot.guid:016x}"
        try:
            self._here.run("zfs", "bookmark", snapshot.full, name)
        except CommandFailed as error:
            why = "".join(error.stderr.strip().splitlines()[-1:])
            self._here.tell(f"{name} could not be made, so the hold stays: {why}")
            return False
        return True
