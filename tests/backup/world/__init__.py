"""A host made of folders: every backup command runs for real in it, without a ZFS kernel.

`zfs`, `zpool`, `mount` and `umount` come first on the PATH of what runs in it (see programs/).
They speak as OpenZFS does, over plain folders, and they keep a record of what was asked of them.
"""

import json
import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from emily_infra.backup.here import Here
from emily_infra.backup.settings import load
from tests.backup.world import building, seeing
from tests.backup.world.faults import Faults
from tests.backup.world.programs import faults as record
from tests.backup.world.programs.state import Snapshot, State, changing, clock, guid, reading

MARK = "org.emily-infra:policy"


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


class World:
    """The host `box` in a folder; `start` gives it pools, datasets and a host.json."""

    def __init__(self, root: Path, *, version: str = "2.4.4") -> None:
        self.root = root.resolve()
        self.config = self.root / "host.json"
        self.folder = str(self.root)
        self.faults = Faults(self.root)
        seeing.of_its_own()
        building.lay_out(self.root, version)
        self.environment = building.environment(self.root)
        self.faults.write()

    def start(self, **changes: Any) -> "World":
        """Write host.json, with CHANGES to the keys of building.host; make what it names."""
        raw = building.host(self.root, changes)
        self.config.write_text(json.dumps(raw, indent=1))
        with changing(self.folder) as state:
            building.make_pools(state, [*raw["datasets"], *building.INTO.values()])
            building.make_datasets(state, self.root, raw["datasets"])
        self.faults.write()
        return self

    # What runs in it.

    def begin(self, *argv: str) -> "subprocess.Popen[bytes]":
        """`emily-infra backup ARGV`, in a session of its own, while the test goes on."""
        return self.begin_program("emily-infra", "backup", "--config", str(self.config), *argv)

    def run(self, *argv: str, stdin: bytes = b"", deadline: float = 120.0) -> Done:
        """`emily-infra backup ARGV`, to its end."""
        return ended(self.begin(*argv), stdin=stdin, deadline=deadline)

    def begin_program(self, *argv: str) -> "subprocess.Popen[bytes]":
        """Any program, as this host would run it."""
        return subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=self.environment, cwd=self.root, start_new_session=True,
            executable=seeing.program(argv[0], self.environment["PATH"]),
        )  # fmt: skip

    def program(self, *argv: str, stdin: bytes = b"", deadline: float = 120.0) -> Done:
        """Any program of this host, to its end."""
        return ended(self.begin_program(*argv), stdin=stdin, deadline=deadline)

    def zfs(self, *argv: str) -> str:
        """What `zfs ARGV` answers; it must not fail."""
        done = self.program("zfs", *argv, deadline=3600)
        assert done.code == 0, done.err
        return done.out

    def here(self) -> Here:
        """The host for code that runs in the test itself."""
        return Here(load(self.config), now=self.now, environment=self.environment)

    # Its time.

    def now(self) -> datetime:
        """The time here."""
        return datetime.fromtimestamp(clock(self.folder), UTC)

    def at(self, moment: datetime) -> None:
        """The clock stands at a moment, until it is set again."""
        (self.root / "clock").write_text(f"={moment.timestamp()!r}")

    def later(self, **spans: float) -> None:
        """Time passes: `later(hours=1)`; a running clock then stands."""
        self.at(self.now() + timedelta(**spans))

    # Its files.

    def mountpoint(self, dataset: str) -> Path:
        """Where a dataset is mounted."""
        return building.mountpoint(self.root, dataset)

    def write(self, dataset: str, path: str, data: bytes = b"") -> Path:
        """A file in a dataset, with the folders above it."""
        file = self.mountpoint(dataset) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        return file

    def contents(self, name: str) -> Path:
        """The folder behind a dataset or a snapshot."""
        with reading(self.folder) as state:
            found = state.snapshot(name) if "@" in name else state.datasets[name]
            assert found, name
            return Path(state.place(found.folder))

    # Its snapshots.

    def snapshots(self, dataset: str) -> list[str]:
        """What stands behind the @, the oldest first."""
        with reading(self.folder) as state:
            if dataset not in state.datasets:
                return []
            taken = state.datasets[dataset].snapshots
            return sorted(taken, key=lambda name: taken[name].createtxg)

    def holds(self, snapshot: str) -> set[str]:
        """The tags on a snapshot."""
        with reading(self.folder) as state:
            found = state.snapshot(snapshot)
            return set(found.holds) if found else set()

    def take(self, *datasets: str, reason: str = "policy") -> str:
        """Our own snapshot of these datasets, now by the world's clock; its name."""
        name = self.now().strftime("emily-%Y%m%dT%H%M%SZ")
        self.zfs("snapshot", "-o", f"{MARK}={reason}", *(f"{each}@{name}" for each in datasets))
        return name

    def past(self, dataset: str, moments: Sequence[datetime], *, mark: str = "policy") -> None:
        """Empty snapshots of ours as if taken at these moments, without a call for each."""
        with changing(self.folder) as state:
            for moment in moments:
                name = moment.strftime("emily-%Y%m%dT%H%M%SZ")
                state.datasets[dataset].snapshots[name] = _empty(state, moment, mark)

    def weigh(self, snapshot: str, used: int) -> None:
        """What destroying a snapshot would free."""
        with changing(self.folder) as state:
            found = state.snapshot(snapshot)
            assert found, snapshot
            found.used = used

    def resize(self, pool: str, size: int) -> None:
        """A pool of so many bytes: what is full is counted then."""
        with changing(self.folder) as state:
            state.pools[pool].size = size

    # Its other programs.

    def watch(self, *names: str) -> None:
        """Note the calls of real programs too, so that they can go wrong (restic, ssh)."""
        for name in names:
            building.install(self.root, name)

    def script(self, name: str, text: str) -> None:
        """A program that only this world has, as its text with a first line that says by what."""
        file = self.root / "bin" / name
        file.write_text(text)
        file.chmod(0o755)

    # What tests ask afterwards.

    def calls(self, program: str = "zfs", *words: str) -> list[list[str]]:
        """The arguments of every call of a program so far, that has these words in it."""
        made = [call["argv"] for call in record.calls(self.folder) if call["program"] == program]
        return [argv for argv in made if all(word in argv for word in words)]

    def violations(self) -> list[str]:
        """What was asked that must never be: -r, -R, -f, ranges, rollback, raw streams."""
        path = self.root / "violations"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def forgive(self) -> None:
        """Forget the violations, where a test provokes them."""
        (self.root / "violations").unlink(missing_ok=True)

    def mounts_left(self) -> list[str]:
        """Where any process of this machine still sees a snapshot of this world."""
        return seeing.mounts(self.root)

    def close(self) -> None:
        """End what still runs in it, and take its mounts away."""
        seeing.end(self.folder)
        seeing.clear(self.root)


def ended(
    process: "subprocess.Popen[bytes]", *, stdin: bytes = b"", deadline: float = 120.0
) -> Done:
    """How it ends; it is killed at the deadline, which is an error."""
    try:
        out, err = process.communicate(stdin, deadline)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    return Done(
        process.returncode,
        out.decode(errors="surrogateescape"),
        err.decode(errors="surrogateescape"),
    )


def _empty(state: State, moment: datetime, mark: str) -> Snapshot:
    return Snapshot(
        guid=guid(), createtxg=state.next_txg(), creation=int(moment.timestamp()), folder="",
        props={MARK: mark} if mark else {}, holds={}, used=0, referenced=24576,
    )  # fmt: skip
