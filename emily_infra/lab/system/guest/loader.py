"""systemd-boot's files on /boot, as NixOS keeps them: an entry for each generation, one default."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from .boot import ONCE
from .place import Place

_ENTRY = re.compile(r"nixos-generation-([0-9]+)\.conf")
_LINK = re.compile(r"system-([0-9]+)-link")
_IMAGES = "EFI/nixos"


@dataclass(frozen=True)
class Generation:
    """A numbered toplevel of the profile."""

    number: int
    link: Path

    @property
    def toplevel(self) -> Path:
        """What it stands for."""
        return self.link.resolve()

    @property
    def entry(self) -> str:
        """The name of its boot entry."""
        return f"nixos-generation-{self.number}.conf"


def install(toplevel: Path, place: Place, limit: int, *, editor: bool) -> None:
    """Make every generation bootable and `toplevel` the default, if the profile knows it."""
    boot = place.at("/boot")
    for folder in (_IMAGES, "loader/entries"):
        (boot / folder).mkdir(parents=True, exist_ok=True)
    kept = generations(place)[-limit:] if limit else generations(place)
    _remove_old(boot, kept)
    for generation in kept:
        _write_entry(boot, generation, place)
        if generation.toplevel == toplevel.resolve():
            _write_default(boot, generation, editor=editor)


def offer_once(entry: str, place: Place) -> None:
    """Boot this entry once; nothing instead of an entry takes the offer back."""
    file = place.at("/boot") / ONCE
    if entry:
        _replace(file, f"{entry}\n".encode())
    else:
        file.unlink(missing_ok=True)
        os.sync()


def generations(place: Place) -> list[Generation]:
    """Every generation of the system profile, the oldest first."""
    found = [
        Generation(int(match[1]), link)
        for link in place.profile.parent.iterdir()
        if (match := _LINK.fullmatch(link.name)) and link.exists()
    ]
    return sorted(found, key=lambda generation: generation.number)


def image(file: Path) -> str:
    """Where a kernel or initrd lies on /boot: named after its store path, so never overwritten."""
    real = file.resolve()
    return f"{_IMAGES}/{real.parent.name}-{real.name}.efi"


def _remove_old(boot: Path, kept: list[Generation]) -> None:
    images = {image(g.toplevel / name) for g in kept for name in ("kernel", "initrd")}
    numbers = {generation.number for generation in kept}
    for path in (boot / "loader/entries").iterdir():
        match = _ENTRY.fullmatch(path.name)
        if match and int(match[1]) not in numbers:
            path.unlink()
    for path in (boot / _IMAGES).iterdir():
        if f"{_IMAGES}/{path.name}" not in images:
            path.unlink()


def _write_entry(boot: Path, generation: Generation, place: Place) -> None:
    for name in ("kernel", "initrd"):
        source = generation.toplevel / name
        target = boot / image(source)
        if not target.exists():
            _replace(target, source.read_bytes())
    text = "".join(_entry(generation, place))
    _replace(boot / "loader/entries" / generation.entry, text.encode())


def _entry(generation: Generation, place: Place) -> Iterator[str]:
    toplevel = generation.toplevel
    built = datetime.fromtimestamp(generation.link.lstat().st_ctime, UTC).date()
    version = (toplevel / "nixos-version").read_text().strip()
    parameters = (toplevel / "kernel-params").read_text().strip()
    yield "title NixOS\nsort-key nixos\n"
    yield f"version Generation {generation.number} NixOS {version}, built on {built}\n"
    yield f"linux /{image(toplevel / 'kernel')}\n"
    yield f"initrd /{image(toplevel / 'initrd')}\n"
    yield f"options init={toplevel}/init {parameters}\n"
    machine = place.at("/etc/machine-id")
    if machine.exists() and (name := machine.read_text().strip()):
        yield f"machine-id {name}\n"


def _write_default(boot: Path, generation: Generation, *, editor: bool) -> None:
    lines = ["timeout 5", f"default {generation.entry}", *([] if editor else ["editor 0"])]
    text = "".join(f"{line}\n" for line in [*lines, "console-mode keep"])
    _replace(boot / "loader/loader.conf", text.encode())


def _replace(path: Path, content: bytes) -> None:
    """All of the content or what was there before, also after a power cut."""
    fresh = path.with_name(f"{path.name}.tmp")
    try:
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
