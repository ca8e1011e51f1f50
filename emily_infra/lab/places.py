"""Where labs and their image are kept: below the user's cache folder."""

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path


def cache() -> Path:
    """The folder of everything here, as XDG has it."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    home = Path(base) if base.startswith("/") else Path.home() / ".cache"
    return home / "emily-infra" / "lab"


@dataclass(frozen=True)
class Files:
    """The files of one lab."""

    folder: Path

    @property
    def memory(self) -> Path:
        """What the lab must know after the command has ended."""
        return self.folder / "lab.json"

    @property
    def root(self) -> Path:
        """What was written to the root, over the image."""
        return self.folder / "root.qcow2"

    @property
    def boot(self) -> Path:
        """The small disk with kernels and boot entries."""
        return self.folder / "boot.img"

    @property
    def config(self) -> Path:
        """A tar archive that the machine sees as a disk and unpacks to /run/lab."""
        return self.folder / "config.tar"

    @property
    def disks(self) -> Path:
        """The host's disks."""
        return self.folder / "disks"

    @property
    def key(self) -> Path:
        """The operator's SSH key for this lab."""
        return self.folder / "operator"

    @property
    def host_key(self) -> Path:
        """The SSH key by which the machine is known."""
        return self.folder / "ssh_host_ed25519_key"

    @property
    def known_hosts(self) -> Path:
        """The machine's key at both of its ports."""
        return self.folder / "known_hosts"

    @property
    def pid(self) -> Path:
        """The number of the QEMU process."""
        return self.folder / "qemu.pid"

    @property
    def serial(self) -> Path:
        """What the machine writes to its serial console."""
        return self.folder / "serial.log"


@contextlib.contextmanager
def locked(path: Path, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """The block alone, among all processes of this user; whoever comes second waits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting:
                waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
