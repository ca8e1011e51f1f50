"""The folder `generated/` of a host on disk: compared, and replaced as a whole or not at all."""

import ctypes
import difflib
import errno
import fcntl
import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emily_infra.errors import EmilyError
from emily_infra.render import Rendered

GENERATED = "generated"
_FRESH = ".generated."
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_NO_EXCHANGE = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}


class CannotWrite(EmilyError):
    """The disk refused; the old folder is as it was."""

    code = "RND001"


def read(root: Path, host: str) -> dict[str, str]:
    """The files that stand in a host's `generated/` now, to the byte."""
    folder = root / "hosts" / host / GENERATED
    try:
        return {
            str(path.relative_to(folder)): path.read_bytes().decode("utf-8", "replace")
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
    except OSError as error:
        raise _cannot("read", folder, error) from error


def diff(root: Path, rendered: Rendered) -> Iterator[str]:
    """Unified diff lines from what stands there to what would be written."""
    old = read(root, rendered.host)
    for name in sorted(old.keys() | rendered.files.keys()):
        path = f"hosts/{rendered.host}/{GENERATED}/{name}"
        before, after = old.get(name, ""), rendered.files.get(name, "")
        lines = before.splitlines(keepends=True), after.splitlines(keepends=True)
        for line in difflib.unified_diff(*lines, f"a/{path}", f"b/{path}"):
            yield line.removesuffix("\n")


def write(root: Path, rendered: Rendered) -> bool:
    """Replace a host's `generated/` in one step; whether anything changed.

    Nothing is flushed to the disk: after a power cut, render again.
    """
    folder = root / "hosts" / rendered.host
    try:
        with _alone_in(folder):
            if read(root, rendered.host) == rendered.files:
                return False
            _replace(folder, rendered.files)
            return True
    except OSError as error:
        raise _cannot("replaced", folder / GENERATED, error) from error


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Waits for another run in this folder; what a killed one left behind is then nobody's."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        for stale in folder.glob(f"{_FRESH}*"):
            _remove(stale)
        yield
    finally:
        os.close(handle)


def _replace(folder: Path, files: dict[str, str]) -> None:
    target = folder / GENERATED
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise OSError("it is no folder of its own")
    fresh = Path(tempfile.mkdtemp(prefix=_FRESH, dir=folder))
    try:
        fresh.chmod(0o755)
        for name, text in files.items():
            (fresh / name).write_bytes(text.encode())
        _swap(fresh, target)
    finally:
        _remove(fresh)


def _remove(path: Path) -> None:
    if path.is_symlink() or path.is_file():
        path.unlink(missing_ok=True)
    else:
        shutil.rmtree(path, ignore_errors=True)


def _cannot(done: str, path: Path, error: OSError) -> CannotWrite:
    here, above = shlex.quote(str(path)), shlex.quote(str(path.parent))
    return CannotWrite(
        f"{path} cannot be {done}: {error.strerror or error}; what stood there is unchanged",
        hint=f"look at it with: ls -ld {here}; df -h {above}",
    )


def _swap(fresh: Path, target: Path) -> None:
    """Put fresh at target; what was there ends up at fresh. Atomic on Linux (renameat2(2))."""
    if not target.exists():
        fresh.rename(target)
    elif not _exchanged(fresh, target):
        aside = fresh.with_name(f"{fresh.name}.old")
        target.rename(aside)
        try:
            fresh.rename(target)
        except OSError:
            aside.rename(target)
            raise
        _remove(aside)


def _exchanged(one: Path, other: Path) -> bool:
    """Whether the kernel swapped both in one step; some file systems know no such step."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    names = os.fsencode(one), os.fsencode(other)
    if rename is None:
        return False
    if rename(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in _NO_EXCHANGE:
        return False
    raise OSError(code, os.strerror(code))
