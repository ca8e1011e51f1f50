"""Looking into snapshots: each is mounted read-only, where only this process sees it."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from emily_infra.backup.catalogue import Snapshot
from emily_infra.backup.faults import NotPrivate
from emily_infra.backup.here import Here
from emily_infra.machine import CommandFailed, Expired
from emily_infra.machine.namespace import separate_mounts

_MOUNTING = 300.0


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
            self._mount(first, self.root)
            for each in others:
                self._mount(each, self.root / self._mountpoint(each).relative_to(top))
            yield self.root
        finally:
            self._away()

    def _mountpoint(self, snapshot: Snapshot) -> Path:
        body = self.here.settings.datasets.get(snapshot.dataset)
        return (body.mountpoint if body else None) or Path("/")

    def _mount(self, snapshot: Snapshot, path: Path) -> None:
        command = ("mount", "-t", "zfs", "-o", "ro", snapshot.full, str(path))
        self.here.run(*command, deadline=_MOUNTING)

    def _away(self) -> None:
        """Whoever still reads keeps it; for everybody else it is gone."""
        try:
            self.here.run("umount", "--recursive", str(self.root))
        except (CommandFailed, Expired):
            with contextlib.suppress(CommandFailed, Expired):
                self.here.run("umount", "--recursive", "--lazy", str(self.root))


@contextlib.contextmanager
def viewing(here: Here) -> Iterator[View]:
    """A view; a kill leaves none of its mounts."""
    apart()
    root = here.settings.paths.source
    root.mkdir(parents=True, exist_ok=True)
    yield View(here, root)


def apart() -> None:
    """From here on, what this process mounts is its own."""
    try:
        separate_mounts()
    except OSError as error:
        raise NotPrivate(
            f"snapshots cannot be shown to this run alone: {error.strerror}",
            hint="run it as root; inside a container, give it CAP_SYS_ADMIN",
        ) from error
