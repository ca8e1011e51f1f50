"""Whether restored files are what a snapshot holds: everything about them, and nothing more."""

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from emily_infra.backup.content import read

NOT_KEPT = ("security.selinux", "security.ima", "security.evm")
"""Extended attributes that a kernel writes by its own rules, on whatever file system.

Nobody restores sockets, times of access and of change, a file's number, or the flags of chattr.
"""
_KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "folder",
    stat.S_IFLNK: "symbolic link",
    stat.S_IFIFO: "pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "character device",
    stat.S_IFBLK: "block device",
}


class What(StrEnum):
    """What of an entry differs."""

    MISSING = "missing"
    EXTRA = "extra"
    UNREADABLE = "unreadable"
    TYPE = "type"
    SIZE = "size"
    CONTENT = "content"
    MODE = "mode"
    OWNER = "owner"
    GROUP = "group"
    TIME = "time"
    TARGET = "target"
    ATTRIBUTES = "attributes"
    LINKS = "hard links"
    DEVICE = "device"


@dataclass(frozen=True)
class Difference:
    """One entry in which two trees differ."""

    path: bytes
    what: What
    expected: str = ""
    found: str = ""


@dataclass
class Tally:
    """What was compared so far."""

    entries: int = 0
    """Files, folders and whatever else has a name."""
    files: int = 0
    bytes: int = 0
    allocated: int = 0
    """Bytes on disk of the expected files; a hole takes none."""
    found_allocated: int = 0


def _nothing(path: bytes) -> bool:  # noqa: ARG001
    return False


class Comparison:
    """One tree held against another; paths are bytes below both, no link is followed."""

    def __init__(
        self, expected: bytes, found: bytes, left_out: Callable[[bytes], bool] = _nothing
    ) -> None:
        self.tally = Tally()
        self._expected = expected
        self._found = found
        self._left_out = left_out
        self._digest = hashlib.sha256()
        self._links = _Links()

    @property
    def digest(self) -> str:
        """Of every file so far, by path: a hash over paths and the hashes of their content."""
        return self._digest.hexdigest()

    def tree(self) -> Iterator[Difference]:
        """All differences, folder by folder; memory is that of the largest folder's names."""
        yield from self._entry(b"")
        if not (_is_folder(self._expected) and _is_folder(self._found)):
            return
        open_folders = [(b"", self._names(b""))]
        while open_folders:
            folder, names = open_folders[-1]
            name = next(names, None)
            if name is None:
                open_folders.pop()
                yield from self._extra(folder)
                continue
            path = _join(folder, name)
            if not self._left_out(path):
                yield from self._entry(path)
                if _is_folder(_join(self._expected, path)) and _is_folder(_join(self._found, path)):
                    open_folders.append((path, self._names(path)))

    def paths(self, wanted: Iterable[bytes]) -> Iterator[Difference]:
        """The differences of these files and of the folders above them; the root's included."""
        seen: set[bytes] = set()
        for path in sorted(wanted, key=lambda each: each.split(b"/")):
            for each in _above(path):
                if each not in seen:
                    seen.add(each)
                    yield from self._entry(each)

    def _names(self, folder: bytes) -> Iterator[bytes]:
        return iter(sorted(os.listdir(_join(self._expected, folder))))

    def _extra(self, folder: bytes) -> Iterator[Difference]:
        with os.scandir(_join(self._found, folder)) as entries:
            for entry in entries:
                path = _join(folder, entry.name)
                if not self._left_out(path) and not os.path.lexists(_join(self._expected, path)):
                    yield Difference(path, What.EXTRA, found=_kind(os.lstat(entry.path)))

    def _entry(self, path: bytes) -> Iterator[Difference]:
        expected, found = _join(self._expected, path), _join(self._found, path)
        wanted = os.lstat(expected)
        self.tally.entries += 1
        try:
            got = os.lstat(found)
        except OSError as error:
            if not stat.S_ISSOCK(wanted.st_mode):
                gone = error.errno in (errno.ENOENT, errno.ENOTDIR)
                what = What.MISSING if gone else What.UNREADABLE
                yield Difference(path, what, _kind(wanted), "" if gone else str(error.strerror))
            return
        if stat.S_IFMT(wanted.st_mode) != stat.S_IFMT(got.st_mode):
            yield Difference(path, What.TYPE, _kind(wanted), _kind(got))
            return
        yield from (Difference(path, *each) for each in _properties(wanted, got))
        yield from (Difference(path, *each) for each in _attributes(expected, found))
        if stat.S_ISLNK(wanted.st_mode):
            yield from self._target(path)
        elif not stat.S_ISDIR(wanted.st_mode):
            yield from self._links.differences(path, wanted, got)
        if stat.S_ISREG(wanted.st_mode):
            yield from self._content(path, wanted, got)

    def _target(self, path: bytes) -> Iterator[Difference]:
        expected, found = (os.readlink(_join(top, path)) for top in (self._expected, self._found))
        if expected != found:
            yield Difference(path, What.TARGET, shown(expected), shown(found))

    def _content(
        self, path: bytes, wanted: os.stat_result, got: os.stat_result
    ) -> Iterator[Difference]:
        self.tally.files += 1
        self.tally.bytes += wanted.st_size
        self.tally.allocated += wanted.st_blocks * 512
        self.tally.found_allocated += got.st_blocks * 512
        expected, found = _join(self._expected, path), _join(self._found, path)
        as_large = wanted.st_size == got.st_size
        reading = read(expected, found if as_large else expected, wanted.st_size)
        self._digest.update(path + b"\0" + reading.digest)
        if not as_large:
            yield Difference(path, What.SIZE, str(wanted.st_size), str(got.st_size))
        elif reading.differs_at is not None:
            yield Difference(path, What.CONTENT, found=f"from byte {reading.differs_at} on")
        elif reading.trouble:
            yield Difference(path, What.UNREADABLE, found=reading.trouble)


class _Links:
    """Names of one file there must be names of one file here, and of no other."""

    def __init__(self) -> None:
        self._here: dict[tuple[int, int], tuple[int, int]] = {}
        self._there: dict[tuple[int, int], tuple[int, int]] = {}

    def differences(
        self, path: bytes, wanted: os.stat_result, got: os.stat_result
    ) -> Iterator[Difference]:
        # Who has one name on both sides is left out: memory grows by the linked files alone.
        if wanted.st_nlink == 1 and got.st_nlink == 1:
            return
        one, other = (wanted.st_dev, wanted.st_ino), (got.st_dev, got.st_ino)
        if self._here.setdefault(one, other) != other:
            yield Difference(path, What.LINKS, "a second name of a file", "a file of its own")
        elif self._there.setdefault(other, one) != one:
            yield Difference(path, What.LINKS, "a file of its own", "a second name of a file")


def _properties(wanted: os.stat_result, got: os.stat_result) -> Iterator[tuple[What, str, str]]:
    mode = stat.S_IMODE(wanted.st_mode), stat.S_IMODE(got.st_mode)
    if mode[0] != mode[1]:
        yield What.MODE, f"{mode[0]:04o}", f"{mode[1]:04o}"
    if wanted.st_uid != got.st_uid:
        yield What.OWNER, str(wanted.st_uid), str(got.st_uid)
    if wanted.st_gid != got.st_gid:
        yield What.GROUP, str(wanted.st_gid), str(got.st_gid)
    if wanted.st_mtime_ns != got.st_mtime_ns:
        yield What.TIME, _moment(wanted), _moment(got)
    if wanted.st_rdev != got.st_rdev:
        yield What.DEVICE, _device(wanted), _device(got)


def _attributes(expected: bytes, found: bytes) -> Iterator[tuple[What, str, str]]:
    """Extended attributes, POSIX access lists among them (system.posix_acl_*)."""
    wanted, got = _attributes_of(expected), _attributes_of(found)
    if wanted != got:
        names = sorted(
            name for name in wanted.keys() | got.keys() if wanted.get(name) != got.get(name)
        )
        yield (
            What.ATTRIBUTES,
            ", ".join(shown(name) for name in names if name in wanted) or "none",
            ", ".join(shown(name) for name in names if name in got) or "none",
        )


def _attributes_of(path: bytes) -> dict[bytes, bytes]:
    try:
        names = os.listxattr(path, follow_symlinks=False)
    except OSError as error:
        if error.errno in (errno.ENOTSUP, errno.EPERM):
            return {}
        raise
    return {
        os.fsencode(name): os.getxattr(path, name, follow_symlinks=False)
        for name in names
        if name not in NOT_KEPT
    }


def _moment(status: os.stat_result) -> str:
    seconds, nanoseconds = divmod(status.st_mtime_ns, 10**9)
    return f"{seconds}.{nanoseconds:09}"


def _device(status: os.stat_result) -> str:
    return f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"


def _kind(status: os.stat_result) -> str:
    return _KINDS.get(stat.S_IFMT(status.st_mode), "unknown")


def _is_folder(path: bytes) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def _join(folder: bytes, name: bytes) -> bytes:
    return folder + b"/" + name if folder and name else folder or name


def _above(path: bytes) -> Iterator[bytes]:
    """The root, every folder on the way, and the path itself."""
    yield b""
    parts = path.split(b"/")
    for count in range(1, len(parts) + 1):
        yield b"/".join(parts[:count])


def shown(path: bytes) -> str:
    """Bytes for people: what is not UTF-8, or would move the cursor, as a backslash and digits."""
    text = path.decode("utf-8", "backslashreplace")
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )
