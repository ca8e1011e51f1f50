"""Where this machine gets Debian from, as its own apt says."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from emily_infra.lab.faults import NoMirror
from emily_infra.lab.recipe import SUITE, Sources
from emily_infra.machine import CommandFailed, Local

FORMAT = "$(CREATED_BY)\t$(ORIGIN)\t$(COMPONENT)\t$(RELEASE)\t$(SITE)"
_RELEASES = ("trixie", "bookworm", "bullseye", "forky", "sid", "stable", "testing", "unstable")
_KEYRINGS = Path("/usr/share/keyrings")
_KEYRING = "debian-archive-keyring"
_OPTION = "emily-infra lab up HOST --mirror http://deb.debian.org/debian (or set EMILY_LAB_MIRROR)"


def sources(mirror: str | None, scratch: Path) -> Sources:
    """The given mirror, else that of this machine, with a keyring that knows the lab's release."""
    return Sources(mirror or _configured(), _keyring(scratch), _proxy())


def choose(table: str) -> str | None:
    """The first Debian mirror in the answer of apt-get indextargets, whatever file it stands in."""
    rows = [line.split("\t") for line in table.splitlines()]
    for kind, origin, component, release, site in (row for row in rows if len(row) == 5):
        # The origin is known only where apt-get update has run.
        is_debian = origin == "Debian" or (not origin and release.split("-")[0] in _RELEASES)
        is_archive = not release.endswith("-security") and "debian-security" not in site
        if kind == "Packages" and component == "main" and is_debian and is_archive:
            return site
    return None


def _configured() -> str:
    try:
        found = choose(Local().run("apt-get", "indextargets", "--format", FORMAT))
    except CommandFailed as error:
        raise NoMirror("there is no apt here to name a Debian mirror", hint=_OPTION) from error
    if found is None:
        raise NoMirror("apt is set up here without a mirror of Debian", hint=_OPTION)
    return found


def _proxy() -> str:
    try:
        return (
            Local()
            .run("apt-config", "shell", "proxy", "Acquire::http::Proxy/f")
            .partition("'")[2]
            .rpartition("'")[0]
        )
    except CommandFailed:
        return ""


def knows(folder: Path, names: Sequence[str] = ("gpg", "pgp", "asc")) -> Mapping[str, bool]:
    """The keyrings of a folder, and whether the lab's release is among their keys."""
    single = any((folder / f"debian-archive-{SUITE}-stable.{end}").exists() for end in names)
    files = (folder / f"{_KEYRING}.{end}" for end in names)
    return {str(path): single for path in files if path.exists()}


def _keyring(scratch: Path) -> Path:
    """Debian's keys from this machine, or from the newest package that its own apt vouches for."""
    for folder in (_KEYRINGS, scratch / "keys" / _KEYRINGS.relative_to("/")):
        if folder != _KEYRINGS:
            _fetch(scratch)
        for path, knows_release in knows(folder).items():
            if knows_release:
                return Path(path)
    raise NoMirror(
        f"no package {_KEYRING} here has the keys of Debian {SUITE}",
        hint=f"apt-get update && apt-get install {_KEYRING}",
    )


def _fetch(scratch: Path) -> None:
    """apt-get checks the package against the keys that this machine trusts already."""
    keys = scratch / "keys"
    keys.mkdir(exist_ok=True)
    try:
        Local(folder=keys).run("apt-get", "download", _KEYRING, deadline=120)
        for package in keys.glob("*.deb"):
            Local().run("dpkg-deb", "--extract", str(package), str(keys))
    except CommandFailed as error:
        raise NoMirror(
            f"the keys of Debian {SUITE} are not on this machine, and apt cannot get them",
            hint=f"apt-get update && apt-get install {_KEYRING}",
        ) from error
