"""systemd, asked and told through systemctl."""

import re
import subprocess
import time
from collections.abc import Collection

from .changes import Loaded
from .place import say

_PROPERTIES = "Id,ActiveState,SubState,Following,FragmentPath,ExecMainStatus"
_FAILED = re.compile(
    r"^(?:Job for (\S+) (?:failed|timed out)"
    r"|A dependency job for (\S+) failed"
    r"|Failed to (?:start|stop|restart|reload) (\S+?):)"
)
_SETTLED = 0.25
_PATIENCE = 90.0


def loaded() -> dict[str, Loaded]:
    """Every unit that is not inactive, by name."""
    answer = _systemctl("show", "*", f"--property={_PROPERTIES}").stdout
    units = {}
    for block in answer.split("\n\n"):
        fields = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        name, active = fields.get("Id", ""), fields.get("ActiveState", "inactive")
        if name and active != "inactive" and not fields.get("Following"):
            status = fields.get("ExecMainStatus", "")
            units[name] = Loaded(
                name,
                active,
                fields.get("SubState", ""),
                fields.get("FragmentPath", ""),
                int(status) if status.isdigit() else 0,
            )
    return units


def job(verb: str, names: Collection[str]) -> list[str]:
    """Do one thing to many units at once and wait for all; those that failed."""
    if not names:
        return []
    done = _systemctl(verb, "--", *sorted(names))
    if done.returncode == 0:
        return []
    found = [_FAILED.match(line) for line in done.stderr.splitlines()]
    return sorted({next(filter(None, match.groups())).rstrip(".") for match in found if match})


def manager(verb: str) -> bool:
    """daemon-reload, daemon-reexec, reset-failed: whether it was done."""
    done = _systemctl(verb)
    if done.returncode:
        say(f"systemctl {verb}: {done.stderr.strip()}")
    return done.returncode == 0


def active(name: str) -> bool:
    """Whether a unit runs or is about to."""
    return _systemctl("is-active", "--", name).stdout.strip() in ("active", "activating")


def settle() -> None:
    """Wait until units stand still for a moment: a unit that fails at once is then seen."""
    before, end = "", time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        now = _systemctl("list-units", "--all", "--plain", "--no-legend", "--full").stdout
        if now == before:
            return
        before = now
        time.sleep(_SETTLED)


def show_failed(names: Collection[str]) -> None:
    """The state of failed units for whoever reads the journal of this run."""
    say(_systemctl("status", "--no-pager", "--full", "--lines=5", "--", *sorted(names)).stdout)


def _systemctl(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ("systemctl", *arguments),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        stdin=subprocess.DEVNULL,
    )
