#!/usr/bin/python3 -sB
"""PID 1 of the lab's machine until systemd: plays systemd-boot, then hands over to the generation.

One file without neighbours, because it comes to the machine from outside of it. It mounts /boot by
its label, picks the entry as systemd-boot does, and executes the `init` that stands there.
With no entry at all it first installs the generation it finds under /run/lab.
"""

import fnmatch
import os
import re
import subprocess
import sys
import time
from pathlib import Path

BOOT = Path("/boot")
LAB = Path("/run/lab")
PROFILE = "/nix/var/nix/profiles/system"
LABEL = "LABBOOT"
ONCE = "loader/entry-oneshot"
"""Stands for the firmware's variable LoaderEntryOneShot, which this machine could not keep."""
SYSTEMD = "/usr/lib/systemd/systemd"


class NotBootable(Exception):
    """No entry of /boot leads to a generation."""


def main() -> None:
    """Never returns: becomes the generation's init or plain Debian, or stands still."""
    os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
    os.environ.setdefault("HOME", "/root")
    words = Path("/proc/cmdline").read_text().split()
    if "lab.rescue" in words:
        os.execv(SYSTEMD, [SYSTEMD])
    try:
        _mount()
        if not entries(BOOT):
            _install()
        init = chosen(BOOT, once=taken(BOOT))
        say(f"boot entry {init.entry}")
    except (NotBootable, OSError, subprocess.SubprocessError) as error:
        stand_still(error)
    os.execv(init.program, [init.program])


class Init:
    """The program that a boot entry starts."""

    def __init__(self, entry: str, program: str) -> None:
        self.entry = entry
        self.program = program


def entries(boot: Path) -> list[str]:
    """Names of all entries, the newest generation first."""
    found = (boot / "loader/entries").glob("nixos-generation-*.conf")
    return sorted((path.name for path in found), key=_number, reverse=True)


def taken(boot: Path) -> str:
    """The entry for this boot alone. It is forgotten first, so that no later boot gets it too."""
    file = boot / ONCE
    if not file.exists():
        return ""
    name = file.read_text().strip()
    file.unlink()
    os.sync()
    return name


def chosen(boot: Path, once: str = "") -> Init:
    """The entry for once, or the default; without one that matches, the newest."""
    loader = boot / "loader/loader.conf"
    wished = [once, _value(loader.read_text(), "default") if loader.exists() else ""]
    names = entries(boot)
    matching = [name for wish in wished for name in names if wish and fnmatch.fnmatch(name, wish)]
    for name in [*matching, *names][:1]:
        text = (boot / "loader/entries" / name).read_text()
        for key in ("linux", "initrd"):
            if not (boot / _value(text, key).lstrip("/")).is_file():
                raise NotBootable(f"{name}: its {key} is not on /boot")
        found = re.search(r"(?:^|\s)init=(\S+)", _value(text, "options"))
        if not found or not os.access(found[1], os.X_OK):
            raise NotBootable(f"{name}: its init does not exist")
        return Init(name, found[1])
    raise NotBootable("there is no boot entry")


def say(line: str) -> None:
    """A line on the console."""
    sys.stderr.write(f"lab: {line}\n")
    sys.stderr.flush()


def stand_still(error: Exception) -> None:
    """What a machine does that finds nothing to boot, until somebody takes its power away."""
    say(f"NOT BOOTABLE: {error}")
    while True:
        time.sleep(3600)


def _number(name: str) -> int:
    found = re.search(r"\d+", name)
    return int(found[0]) if found else 0


def _value(text: str, key: str) -> str:
    for line in text.splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == key:
            return rest.strip()
    return ""


def _mount() -> None:
    if os.path.ismount(BOOT):
        return
    BOOT.mkdir(exist_ok=True)
    _run("mount", "-o", "umask=0077", f"LABEL={LABEL}", str(BOOT))


def _install() -> None:
    """Generation 1, from what the operator's side has put beside the machine."""
    wanted = LAB / "factory"
    if not wanted.exists():
        raise NotBootable("/boot has no entry, and no generation came along to install")
    toplevel = wanted.read_text().strip()
    say(f"installing {toplevel}")
    with (LAB / "factory.closure").open("rb") as closure:
        subprocess.run(("nix-store", "--import"), stdin=closure, check=True, stdout=2)
    Path("/etc/NIXOS").touch()
    _run("nix-env", "--profile", PROFILE, "--set", toplevel)
    _run(f"{toplevel}/bin/switch-to-configuration", "boot")


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
