"""The image that all labs share: built once for each recipe, kept until no lab stands on it."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from emily_infra.lab import recipe, wheels
from emily_infra.lab.faults import NoImage, NoRoom
from emily_infra.lab.mirror import sources
from emily_infra.lab.places import locked
from emily_infra.lab.programs import need, search_path
from emily_infra.machine import CommandFailed, Expired, Local

Tell = Callable[[str], None]
_DEADLINE = 1800.0
_SIZE = "8G"
_NEEDED = 6 << 30
# Root mounts /dev, /proc and /sys into the new root; whatever ends the build ends these as well.
_NAMESPACES = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
_STEPS = ("I: downloading", "I: installing remaining", "lab: ")


@dataclass(frozen=True)
class Image:
    """A built image."""

    folder: Path

    @property
    def root(self) -> Path:
        """The root file system, never written to again."""
        return self.folder / "root"

    @property
    def kernel(self) -> Path:
        """The kernel that QEMU starts."""
        return self.folder / "kernel"

    @property
    def initrd(self) -> Path:
        """Its initial ramdisk."""
        return self.folder / "initrd"

    @property
    def boot(self) -> Path:
        """An empty FAT file system for /boot."""
        return self.folder / "boot"


def image(cache: Path, mirror: str | None, tell: Tell) -> Image:
    """The image of today's recipe; the first call takes minutes."""
    ready = Image(cache / "images" / recipe.key())
    if ready.folder.exists():
        return ready
    lock = cache / "images" / ".lock"
    with locked(lock, lambda: tell("waiting for another command that builds the lab's image")):
        if not ready.folder.exists():
            _forget_unused(cache)
            _build(ready.folder, mirror, tell)
    return ready


def _build(folder: Path, mirror: str | None, tell: Tell) -> None:
    need({"mmdebstrap": "mmdebstrap", "resize2fs": "e2fsprogs", "pip3": "python3-pip"})
    room = shutil.disk_usage(folder.parent).free
    if room < _NEEDED:
        message = f"building the image needs 6 GiB below {folder.parent}; {room >> 30} are free"
        raise NoRoom(message, hint="make room, or point XDG_CACHE_HOME at another disk")
    tell("building the lab's image: Debian 13 with OpenZFS; once, about five minutes")
    with tempfile.TemporaryDirectory(prefix="emily-lab-", dir="/var/tmp") as work:
        # mmdebstrap without root maps users: its hooks must be able to read the recipe.
        scratch = Path(work)
        scratch.chmod(0o755)
        shutil.copytree(recipe.FOLDER, scratch / "recipe")
        wheels.fetch(scratch / "recipe" / "wheels")
        results = Path(tempfile.mkdtemp(prefix=".building-", dir=folder.parent))
        try:
            _run(scratch, results, mirror, tell)
            results.rename(folder)
        finally:
            shutil.rmtree(results, ignore_errors=True)


def _run(scratch: Path, results: Path, mirror: str | None, tell: Tell) -> None:
    where = sources(mirror, scratch)

    def hear(line: str) -> None:
        if line.startswith(_STEPS):
            tell(f"  {line.partition(': ')[2]}")

    alone = _NAMESPACES if os.geteuid() == 0 else ()
    here = Local(environment={"PATH": search_path(), "TMPDIR": str(scratch)}, on_line=hear)
    try:
        here.run(*alone, *recipe.command(where, scratch / "recipe", results), deadline=_DEADLINE)
        root = str(results / "root")
        here.run("truncate", "--size", _SIZE, root)
        here.run("resize2fs", root, deadline=300)
    except (CommandFailed, Expired) as error:
        hint = "is the mirror within reach? try again, or name another one: --mirror URL"
        raise NoImage(f"the lab's image could not be built\n{error}", hint=hint) from error
    results.chmod(0o755)


def _forget_unused(cache: Path) -> None:
    """Images of old recipes that no lab stands on, and what a killed build has left."""
    used = {recipe.key()}
    for memory in cache.glob("labs/*/lab.json"):
        with suppress(ValueError, AttributeError):  # one that can only be reset
            used.add(str(json.loads(memory.read_text()).get("image")))
    for path in (cache / "images").iterdir():
        if path.is_dir() and path.name not in used:
            shutil.rmtree(path, ignore_errors=True)
