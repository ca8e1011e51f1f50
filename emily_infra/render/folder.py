"""The folder `generated/` of a host on disk: compared, and replaced as a whole or not at all."""

import ctypes
import difflib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from emily_infra.errors import EmilyError
from emily_infra.render import Rendered

GENERATED = "generated"
_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


class CannotWrite(EmilyError):
    """The disk refused; the old folder is as it was."""

    code = "RND001"


def read(root: Path, host: str) -> dict[str, str]:
    """The files that stand in a host's `generated/` now."""
    folder = root / "hosts" / host / GENERATED
    return {
        str(path.relative_to(folder)): path.read_text("utf-8", "replace")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def diff(root: Path, rendered: Rendered) -> Iterator[str]:
    """Unified diff lines from what stands there to what would be written."""
    old = read(root, rendered.host)
    for name in sorted(old.keys() | rendered.files.keys()):
        path = f"hosts/{rendered.host}/{GENERATED}/{name}"
        before, after = old.get(name, ""), rendered.files.get(name, "")
        if before != after:
            lines = before.splitlines(), after.splitlines()
            yield from difflib.unified_diff(*lines, f"a/{path}", f"b/{path}", lineterm="")


def write(root: Path, rendered: Rendered) -> bool:
    """Replace a host's `generated/` in one step; whether anything changed."""
    if read(root, rendered.host) == rendered.files:
        return False
    folder = root / "hosts" / rendered.host
    try:
        fresh = Path(tempfile.mkdtemp(prefix=".generated.", dir=folder))
    except OSError as error:
        raise _cannot(folder, error) from error
    try:
        fresh.chmod(0o755)
        for name, text in rendered.files.items():
            (fresh / name).write_text(text, "utf-8", newline="\n")
        _swap(fresh, folder / GENERATED)
    except OSError as error:
        raise _cannot(folder / GENERATED, error) from error
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return True


def _cannot(path: Path, error: OSError) -> CannotWrite:
    return CannotWrite(
        f"{path} cannot be written: {error.strerror or error}; what stood there is unchanged",
        hint=f"look at it with: ls -ld {path}; df -h {path.parent}",
    )


def _swap(fresh: Path, target: Path) -> None:
    """Put fresh at target; what was there ends up at fresh. Atomic on Linux (renameat2(2))."""
    if not target.exists():
        fresh.rename(target)
        return
    libc = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(fresh), os.fsencode(target)
    if libc.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0:
        return
    aside = fresh.with_suffix(".old")  # a file system without exchange: two renames
    target.rename(aside)
    fresh.rename(target)
    shutil.rmtree(aside, ignore_errors=True)
