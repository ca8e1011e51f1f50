"""switch-to-configuration: makes a toplevel the boot default, the running system, or both.

Actions, exit codes, lock, and the lines that tools read are those of NixOS's own program. Left out:
units of logged-in users, and swap, of which the lab has none.
"""

import fcntl
import json
import os
import re
import subprocess
import syslog
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import loader, systemd
from .changes import Changes, Loaded, decide
from .place import Place, say
from .unit import Folder, flag

ACTIONS = ("check", "switch", "boot", "test", "dry-activate")
USAGE = """\
Usage: switch-to-configuration [check|switch|boot|test|dry-activate]
check:        run pre-switch checks and exit
switch:       make the configuration the boot default and activate now
boot:         make the configuration the boot default
test:         activate the configuration, but don't make it the boot default
dry-activate: show what would be done if this configuration were activated
"""
LOCKED = 11
REBOOT_FIRST = 100
ACTIVATION_FAILED = 2
UNITS_FAILED = 4

_REACTIVATION = "sysinit-reactivation.target"
_INCLUDE = re.compile(r"^include .*$", re.MULTILINE)
_INTERFACE = "init-interface-version"


@dataclass(frozen=True)
class Record:
    """What a toplevel says of itself beside its files."""

    limit: int
    editor: bool
    ruleset: str


class Refused(Exception):
    """The run ends here, with this status."""

    def __init__(self, status: int, message: str = "") -> None:
        super().__init__(message)
        self.status = status


def main(arguments: list[str], toplevel: Path) -> int:
    """The whole program; its exit status."""
    if len(arguments) != 1 or arguments[0] not in ACTIONS:
        say(USAGE)
        return 1
    if os.geteuid():
        say("Error: switch-to-configuration must be run as the root user")
        return 1
    os.environ["NIXOS_ACTION"] = arguments[0]
    os.environ["PATH"] = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin"
    syslog.openlog("nixos")
    return run(arguments[0], toplevel, Place())


def run(action: str, toplevel: Path, place: Place) -> int:
    """One action on one machine."""
    try:
        if not place.at("/etc/NIXOS").is_file():
            raise Refused(1, "This is not a NixOS installation!")
        with _lock(place):
            _prepare(action, toplevel, place)
            return _activate(action, toplevel, place)
    except Refused as refused:
        if str(refused):
            say(str(refused))
        return refused.status


@contextmanager
def _lock(place: Place) -> Iterator[None]:
    place.lists.mkdir(mode=0o755, parents=True, exist_ok=True)
    with (place.lists / "switch-to-configuration.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Refused(error.errno or LOCKED, "Could not acquire lock") from error
        yield


def _prepare(action: str, toplevel: Path, place: Place) -> None:
    """What comes before any unit is touched; ends the run where the action says so."""
    if os.environ.get("NIXOS_NO_CHECK") != "1":
        _check(action, toplevel, place)
    if action == "check":
        raise Refused(0)
    if action in ("switch", "boot"):
        record = _record(toplevel)
        try:
            loader.install(toplevel, place, record.limit, editor=record.editor)
        except (OSError, ValueError) as error:
            raise Refused(1, f"{error}\nFailed to install bootloader") from error
    if os.environ.get("NIXOS_NO_SYNC") != "1":
        os.sync()
    if action == "boot":
        raise Refused(0)
    if _text(place.current / _INTERFACE) != (toplevel / _INTERFACE).read_text():
        raise Refused(
            REBOOT_FIRST,
            "Warning: the new NixOS configuration has an ‘init’ that is\n"  # noqa: RUF001 - as NixOS says it
            "incompatible with the current configuration.  The new configuration\n"
            "won't take effect until you reboot the system.\n",
        )


def _check(action: str, toplevel: Path, place: Place) -> None:
    wrong = _ruleset_error(toplevel)
    if wrong:
        raise Refused(1, f"the firewall's ruleset is wrong:\n{wrong}\nPre-switch checks failed")
    if action in ("boot", "dry-activate"):
        say(f"Not checking switch inhibitors (action = {action})")
        return
    old, new = (_inhibitors(folder) for folder in (place.current, toplevel))
    differ = [
        f"{key} : {old[key]} -> {new[key]}" for key in old if new.get(key, old[key]) != old[key]
    ]
    if differ:
        listed = "\n".join(sorted(differ))
        raise Refused(
            1,
            "Checking switch inhibitors...\n\n"
            f"There are changes to critical components of the system:\n\n{listed}\n\n"
            "Switching into this system is not recommended.\n"
            "Reboot into it, or set NIXOS_NO_CHECK=1 to go on all the same.\n\n"
            "Pre-switch checks failed",
        )
    say("Checking switch inhibitors... done")


def _ruleset_error(toplevel: Path) -> str:
    """What nft says of the firewall; the includes name files that only a loaded one has."""
    ruleset = _record(toplevel).ruleset
    if not ruleset:
        return ""
    rules = _INCLUDE.sub("", Path(ruleset).read_text())
    done = subprocess.run(
        ("nft", "--check", "--file", "-"), input=rules, capture_output=True, text=True, check=False
    )
    return done.stderr.strip() if done.returncode else ""


def _activate(action: str, toplevel: Path, place: Place) -> int:
    old = Folder(place.units, place.vendor)
    new = Folder(toplevel / "etc/systemd/system", place.vendor)
    before = systemd.loaded()
    changes = decide(before, old, new, _unfinished(place))
    again = _text(place.at("/etc/systemd/system.conf")) != _text(
        toplevel / "etc/systemd/system.conf"
    )
    if action == "dry-activate":
        _tell(changes, again=again)
        return 0
    _write_lists(changes, place)
    syslog.syslog(f"switching to system configuration {toplevel}")
    _announce("stopping", changes.stop - changes.hidden)
    systemd.job("stop", changes.stop)
    _announce("NOT restarting", changes.skip, "changed units")
    status = _run_activation(toplevel)
    if again:
        say("restarting systemd...")
        systemd.manager("daemon-reexec")
    systemd.manager("reset-failed")
    systemd.manager("daemon-reload")
    status = _carry_out(changes, new, place) or status
    return _verdict(toplevel, before, status)


def _tell(changes: Changes, *, again: bool) -> None:
    _announce("would stop", changes.stop - changes.hidden)
    _announce("would NOT stop", changes.skip, "changed units")
    say("would activate the configuration...")
    if again:
        say("would restart systemd")
    _announce("would reload", changes.reload)
    _announce("would restart", changes.restart)
    _announce("would start", changes.start - changes.hidden)


def _announce(verb: str, names: set[str], what: str = "units") -> None:
    if names:
        say(f"{verb} the following {what}: {', '.join(sorted(names, key=str.lower))}")


def _run_activation(toplevel: Path) -> int:
    say("activating the configuration...")
    if not (toplevel / "activate").exists():
        return 0
    done = subprocess.run((str(toplevel / "activate"), str(toplevel)), check=False)
    if done.returncode:
        say("Failed to run activate script")
        return ACTIVATION_FAILED
    return 0


def _carry_out(changes: Changes, new: Folder, place: Place) -> int:
    """Reload, restart and start; the lists go as their part is done."""
    say(f"restarting {_REACTIVATION}")
    failed = [("restart", name) for name in systemd.job("restart", [_REACTIVATION])]
    for name in sorted(changes.reload):
        if not systemd.active(name):
            changes.reload.discard(name)
            if not flag(new.read(name), "Unit", "RefuseManualStart", default=False):
                changes.start.add(name)
    _write_lists(changes, place)
    for verb, word, names, shown in (
        ("reload", "reloading", changes.reload, changes.reload),
        ("restart", "restarting", changes.restart, changes.restart),
        ("start", "starting", changes.start, changes.start - changes.hidden),
    ):
        _announce(word, shown)
        failed += [(verb, name) for name in systemd.job(verb, names)]
        (place.lists / f"{verb}-list").unlink(missing_ok=True)
    for verb, name in failed:
        say(f"Failed to {verb} {name}")
    return UNITS_FAILED if failed else 0


def _verdict(toplevel: Path, before: dict[str, Loaded], status: int) -> int:
    systemd.settle()
    after = systemd.loaded()
    failed = {unit.name for unit in after.values() if _has_failed(unit)}
    fresh = {name for name in after.keys() - before.keys() - failed if not name.endswith(".scope")}
    if fresh:
        listed = ", ".join(sorted(fresh, key=str.lower))
        say(f"the following new units were started: {listed}")
    if failed:
        listed = ", ".join(sorted(failed, key=str.lower))
        say(f"warning: the following units failed: {listed}")
        systemd.show_failed(failed)
        status = UNITS_FAILED
    verdict = f"failed (status {status})" if status else "finished"
    syslog.syslog(f"switching to system configuration {toplevel}: {verdict}")
    return status


def _has_failed(unit: Loaded) -> bool:
    waits = unit.sub == "auto-restart" and unit.name.endswith(".service")
    return unit.active == "failed" or (waits and unit.status != 0)


def _unfinished(place: Place) -> Changes:
    return Changes(
        start=_list(place, "start"), restart=_list(place, "restart"), reload=_list(place, "reload")
    )


def _list(place: Place, verb: str) -> set[str]:
    return set(_text(place.lists / f"{verb}-list").split())


def _write_lists(changes: Changes, place: Place) -> None:
    for verb, names in (
        ("start", changes.start),
        ("restart", changes.restart),
        ("reload", changes.reload),
    ):
        text = "".join(f"{name}\n" for name in sorted(names))
        (place.lists / f"{verb}-list").write_text(text)


def _record(toplevel: Path) -> Record:
    written = json.loads((toplevel / "emily/lab.json").read_text())
    return Record(written["limit"], written["editor"], written["ruleset"])


def _inhibitors(toplevel: Path) -> dict[str, str]:
    return dict(json.loads(_text(toplevel / "switch-inhibitors") or "{}"))


def _text(path: Path) -> str:
    """A file that may not be there."""
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""
