"""Two folders side by side: what differs, and a tar of just that."""

import os
import stat

from .answers import Refused

_PIECE = 1 << 20
_TAR = (
    "tar", "--format=posix", "--sort=name", "--xattrs", "--acls", "--sparse", "--numeric-owner",
    "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime", "--no-recursion",
)  # fmt: skip


def paths(root: str) -> dict[bytes, os.stat_result]:
    """Everything below ROOT, and ROOT itself as `.`."""
    top = os.fsencode(root)
    found = {b".": os.lstat(top)}
    for folder, folders, files in os.walk(top):
        for name in (*folders, *files):
            path = os.path.join(folder, name)
            found[b"./" + os.path.relpath(path, top)] = os.lstat(path)
    return found


def differing(old: str, new: str) -> tuple[list[bytes], list[bytes]]:
    """The paths that are other or new in NEW, with all names of a file; and those that are gone."""
    before, after = paths(old), paths(new)
    changed = {
        path for path in after if path not in before or not _same(path, (old, new), before, after)
    }
    files = {after[path].st_ino for path in changed if stat.S_ISREG(after[path].st_mode)}
    changed |= {
        path
        for path, about in after.items()
        if about.st_ino in files and stat.S_ISREG(about.st_mode) and about.st_nlink > 1
    }
    return sorted(changed), sorted((path for path in before if path not in after), reverse=True)


def _same(
    path: bytes,
    roots: tuple[str, str],
    before: dict[bytes, os.stat_result],
    after: dict[bytes, os.stat_result],
) -> bool:
    def plain(about: os.stat_result) -> tuple[int, ...]:
        size = about.st_size if stat.S_ISREG(about.st_mode) else 0
        return about.st_mode, about.st_uid, about.st_gid, about.st_mtime_ns, size, about.st_rdev

    if plain(before[path]) != plain(after[path]):
        return False
    old, new = (os.path.join(os.fsencode(root), path) for root in roots)
    if before[path].st_nlink != after[path].st_nlink and stat.S_ISREG(after[path].st_mode):
        return False
    if _attributes(old) != _attributes(new):
        return False
    if stat.S_ISLNK(after[path].st_mode):
        return os.readlink(old) == os.readlink(new)
    return not stat.S_ISREG(after[path].st_mode) or _same_bytes(old, new)


def _attributes(path: bytes) -> dict[str, bytes]:
    names = os.listxattr(path, follow_symlinks=False)
    return {name: os.getxattr(path, name, follow_symlinks=False) for name in names}


def _same_bytes(one: bytes, other: bytes) -> bool:
    with open(one, "rb") as first, open(other, "rb") as second:
        while piece := first.read(_PIECE):
            if piece != second.read(_PIECE):
                return False
    return True


def pack(root: str, wanted: list[bytes], into: str) -> None:
    """A tar of these paths, the same bytes each time."""
    names = f"{into}.names"
    with open(names, "wb") as file:
        file.write(b"".join(path + b"\0" for path in sorted(wanted)))
    argv = [*_TAR, "-C", root, "--null", f"--files-from={names}", "-cf", into]
    if os.spawnvp(os.P_WAIT, "tar", argv):
        raise Refused(f"the world cannot pack {root}")
    os.unlink(names)


def unpack(root: str, source: str, gone: list[bytes], changed: list[bytes]) -> None:
    """Bring ROOT to where the sender's folder was."""
    top = os.fsencode(root)
    for path in [*gone, *changed]:
        place = os.path.join(top, path)
        if os.path.isdir(place) and not os.path.islink(place):
            if path in gone:
                os.spawnvp(os.P_WAIT, "rm", [b"rm", b"-rf", b"--", place])
        elif os.path.lexists(place):
            os.unlink(place)
    argv = ["tar", "--xattrs", "--xattrs-include=*", "--acls", "--numeric-owner", "-p",
            "--same-owner", "-C", root, "-xf", source]  # fmt: skip
    if os.spawnvp(os.P_WAIT, "tar", argv):
        raise Refused(f"the world cannot unpack into {root}")
