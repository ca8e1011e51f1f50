"""A plan that finds nothing to do, over a long way: connections, commands, and the clock."""

import getpass
import shlex
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.far import Count, Far, far_away
from benchmarks.timing import alternate, seconds

ROUND_TRIP = 0.05
FACTS = (
    "server.Hostname", "server.Kernel", "server.KernelVersion", "server.Mounts",
    "systemd.SystemdStatus", "files.Link path=/nix/var/nix/profiles/system",
)  # fmt: skip


@dataclass(frozen=True)
class Look:
    """One command: what it asks of the host in a run, and how long its runs take."""

    name: str
    count: Count
    times: Sequence[float]

    @property
    def middle(self) -> float:
        """The median of its runs."""
        return statistics.median(self.times)


def looks(ours: str, peer: str, runs: int, round_trip: float = ROUND_TRIP) -> list[Look]:
    """`plan` and `status` of a host as it should be, and pyinfra asking for a few facts of it."""
    folder = tempfile.TemporaryDirectory(prefix="emily-infra-far.")
    with folder as name, far_away(Path(name), round_trip) as far:
        commands = _commands(far, ours, peer)
        counts = {each: counted(far, command) for each, command in commands.items()}
        times = alternate(commands, far.folder, far.environment, runs)
    return [Look(each, counts[each], times[each]) for each in commands]


def counted(far: Far, command: Sequence[str]) -> Count:
    """What one run, which must succeed, asks of the host."""
    before = far.count()
    seconds(command, far.folder, far.environment)
    return far.count().since(before)


def _commands(far: Far, ours: str, peer: str) -> Mapping[str, Sequence[str]]:
    settings = {
        "ssh_port": far.distance.port,
        "ssh_user": getpass.getuser(),
        "ssh_key": str(far.server.key),
        "ssh_known_hosts_file": str(far.folder / "known_hosts"),
        "ssh_allow_agent": False,
        "ssh_look_for_keys": False,
    }
    inventory = far.folder / "inventory.py"
    inventory.write_text(f"hosts = [('127.0.0.1', {settings})]\n")
    facts = [word for fact in FACTS for word in shlex.split(fact)]
    return {
        "emily-infra plan pebble": (ours, "plan", "pebble"),
        "emily-infra status pebble": (ours, "status", "pebble"),
        f"pyinfra fact ({len(FACTS)} of them)": (peer, str(inventory), "fact", *facts),
    }
