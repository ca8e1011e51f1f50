"""Looking into snapshots: each is mounted read-only, where only this process sees it."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from emily_infra.backup.catalogue import Snapshot
from emily_infra.backup.here import Here
from emily_infra.backup.shielded import apart, away, mount


@dataclass(frozen=True)
class View:
    """A folder of this process alone."""

    here: Here
    root: Path

    @contextlib.contextmanager
    def of(self, snapshots: Sequence[Snapshot]) -> Iterator[Path]:
        """The first of these snapshots, with the others where their datasets are inside of it.

        CommandFailed where it cannot be mounted, as when it was destroyed meanwhile.
        """
        first, *others = snapshots
        top = self._mountpoint(first)
        try:
            mount(self.here, first, self.root)
            for each in others:
                below = self._mountpoint(each).relative_to(top)
                mount(self.here, each, self.root / below)
            yield self.root
        finally:
            away(self.here, self.root)

    def _mountpoint(self, snapshot: Snapshot) -> Path:
        body = self.here.settings.datasets.get(snapshot.dataset)
        return (body.mountpoint if body else None) or Path("/")


@contextlib.contextmanager
def viewing(here: Here) -> Iterator[View]:
    """A view; a kill leaves none of its mounts."""
    apart()
    root = here.settings.paths.source
    root.mkdir(parents=True, exist_ok=True)
    yield View(here, root)
