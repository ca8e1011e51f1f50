"""The activation script: /etc, accounts, secrets of the lab, and the link to the current system."""

import grp
import json
import os
import pwd
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from . import accounts, secrets
from .place import Place, say

_WHOLE = ("systemd/system", "emily/source")
"""Folders of /etc that are one link, so that nothing of anybody else is in them."""


def main(toplevel: Path) -> int:
    """Put a toplevel into effect as far as files go; its exit status."""
    return run(toplevel, Place())


def run(toplevel: Path, place: Place) -> int:
    """The same on any machine. What fails is said, and the rest is done all the same."""
    record = json.loads((toplevel / "emily/lab.json").read_text())
    steps: tuple[Callable[[], None], ...] = (
        lambda: _folders(place),
        lambda: accounts.make(json.loads((toplevel / "emily/accounts.json").read_text()), place),
        lambda: link_etc(toplevel, record["copies"], place),
        lambda: secrets.make(record["secrets"], place),
        lambda: _host_name(place),
        lambda: replace_link(place.current, str(toplevel)),
    )
    failed = 0
    for step in steps:
        try:
            step()
        except (OSError, subprocess.SubprocessError, LookupError) as error:
            say(f"activation: {error}")
            failed = 1
    return failed


def link_etc(toplevel: Path, copies: dict[str, dict[str, str]], place: Place) -> None:
    """/etc/X becomes a link to /etc/static/X, and what only the last generation had goes."""
    etc = place.at("/etc")
    replace_link(etc / "static", str(toplevel / "etc"))
    names = set(_names(toplevel / "etc"))
    for name in sorted(names):
        path = etc / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name in copies:
            _copy(toplevel / "etc" / name, path, copies[name], place)
        else:
            replace_link(path, f"/etc/static/{name}", aside=_aside(path, etc))
    remembered = place.at("/var/lib/nixos/etc.json")
    before = json.loads(remembered.read_text()) if remembered.exists() else []
    for name in sorted(set(before) - names):
        _forget(etc / name, copied=name in before and not (etc / name).is_symlink())
    remembered.parent.mkdir(parents=True, exist_ok=True)
    remembered.write_text(json.dumps(sorted(names)))


def replace_link(path: Path, target: str, aside: Path | None = None) -> None:
    """A link in one step; what stood there and is no link is kept aside, once."""
    if path.is_symlink() and str(path.readlink()) == target:
        return
    if path.exists() and not path.is_symlink():
        _keep(path, aside)
    fresh = path.with_name(f".{path.name}.fresh")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.rename(path)


def _names(folder: Path, below: str = "") -> Iterator[str]:
    for entry in sorted((folder / below).iterdir()):
        name = f"{below}/{entry.name}".lstrip("/")
        if entry.is_dir() and not entry.is_symlink() and name not in _WHOLE:
            yield from _names(folder, name)
        else:
            yield name


def _copy(source: Path, path: Path, how: dict[str, str], place: Place) -> None:
    fresh = path.with_name(f".{path.name}.fresh")
    fresh.unlink(missing_ok=True)
    shutil.copyfile(source, fresh)
    fresh.chmod(int(how["mode"], 8))
    if place.root == Path("/"):
        os.chown(fresh, pwd.getpwnam(how["user"]).pw_uid, grp.getgrnam(how["group"]).gr_gid)
    fresh.rename(path)


def _aside(path: Path, etc: Path) -> Path:
    return etc / ".debian" / path.relative_to(etc)


def _keep(path: Path, aside: Path | None) -> None:
    if aside is None or aside.exists():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        return
    aside.parent.mkdir(parents=True, exist_ok=True)
    path.rename(aside)


def _forget(path: Path, *, copied: bool) -> None:
    ours = path.is_symlink() and str(path.readlink()).startswith("/etc/static/")
    if ours or (copied and path.is_file()):
        path.unlink()


def _folders(place: Place) -> None:
    for folder, mode in (
        ("/run/nixos", 0o755), ("/var/empty", 0o555), ("/var/lib/nixos", 0o755),
        ("/nix/var/nix/profiles", 0o755), ("/nix/var/nix/gcroots", 0o755),
    ):  # fmt: skip
        place.at(folder).mkdir(mode=mode, parents=True, exist_ok=True)
    for name in ("current-system", "booted-system"):
        replace_link(place.at(f"/nix/var/nix/gcroots/{name}"), f"/run/{name}")


def _host_name(place: Place) -> None:
    kernel = place.at("/proc/sys/kernel/hostname")
    if kernel.exists():
        kernel.write_text(place.at("/etc/hostname").read_text())
