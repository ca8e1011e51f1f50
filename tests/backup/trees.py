"""Folders full of what makes restoring hard, for every test that restores."""

import os
import socket
import struct
import subprocess
from pathlib import Path

IS_ROOT = os.geteuid() == 0
NAMES = (
    b"plain",
    b"with blank",
    b" lead",
    b"trail ",
    b"-rf",
    b"#hash",
    b"n\xff\xfe",
    b"new\nline",
    b"st*r[x]?",
    b"back\\slash",
    b"$HOME",
    b"${HOME}$$",
    "한국".encode(),
    b"x" * 255,
)


def access_list(user: int) -> bytes:
    """A POSIX access list as the kernel takes it: rw- for one more user (acl(5), xattr v2)."""
    anyone = 0xFFFFFFFF
    entries = [(1, 6, anyone), (2, 6, user), (4, 4, anyone), (0x10, 6, anyone), (0x20, 4, anyone)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def plant(root: Path) -> None:
    """Every kind of entry, in awkward folders."""
    top = os.fsencode(root)
    os.makedirs(top + b"/odd", exist_ok=True)
    for number, name in enumerate(NAMES):
        path = top + b"/odd/" + name
        Path(os.fsdecode(path)).write_bytes(b"content %d\n" % number * (number + 1))
        os.utime(path, ns=(10**18 + number, 10**18 + number * 1_000_000_007))
    deep = root / "deep" / "er" / "est"
    deep.mkdir(parents=True)
    (deep / "large").write_bytes(os.urandom(3 << 20))
    (deep / "empty").touch()
    os.link(deep / "large", root / "second name")
    os.symlink("no where", root / "dangling")
    os.symlink(b"n\xff", top + b"/odd link")
    os.mkfifo(root / "pipe", 0o640)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(deep / "socket")) if len(str(deep)) < 90 else None
    with (root / "sparse").open("wb") as file:
        file.truncate(64 << 20)
        file.seek(33 << 20)
        file.write(b"an island")
    os.setxattr(root / "deep", "user.note", b"of a folder\0\xff")
    os.setxattr(root / "sparse", "user.note", b"of a file")
    os.setxattr(deep / "empty", "system.posix_acl_access", access_list(1234))
    (root / "empty folder").mkdir(mode=0o1770)
    if IS_ROOT:
        os.chown(deep / "empty", 4321, 1234)
        os.lchown(root / "dangling", 4321, 1234)
        (root / "setuid").touch()
        (root / "setuid").chmod(0o4755)
        os.mknod(root / "device", 0o20600, os.makedev(1, 3))
    for folder in (deep, root / "deep", root / "odd", root):
        os.utime(folder, ns=(10**18, 10**18 + 5))


def copied(source: Path, target: Path) -> Path:
    """A copy that is the same in everything."""
    subprocess.run(["cp", "-a", source, target], check=True)
    return target
