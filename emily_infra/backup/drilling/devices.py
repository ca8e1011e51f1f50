"""Device nodes, which the unit of a drill may not make and so cannot restore."""

import os
import stat
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from emily_infra.backup.sample import Entry


def can_make_devices() -> bool:
    """Whether this process may: it takes CAP_MKNOD, and a cgroup that lets it."""
    with tempfile.TemporaryDirectory(prefix="emily-drill-") as folder:
        try:
            os.mknod(Path(folder) / "node", stat.S_IFBLK | 0o600, os.makedev(1, 0))
        except PermissionError:
            return False
    return True


@dataclass
class Sieve:
    """Lets entries through, and counts the device nodes that it keeps back."""

    keeps_back: bool
    devices: int = 0

    def through(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """What can be restored here."""
        for each in entries:
            if each.is_device and self.keeps_back:
                self.devices += 1
            else:
                yield each

    @property
    def remark(self) -> str:
        """What was kept back; nothing where nothing was."""
        if not self.devices:
            return ""
        return f"device nodes left out, since this process may make none: {self.devices}"
