"""Two worlds, `box` and `barn`, and a real sshd between them whose key runs one command."""

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from emily_infra.backup.replication.asking import There
from tests.backup.world import Done, World
from tests.machine.sshd import Server, Wire, make_key, public, serving

INTO = "vault/box"
KEEP = {"frequent": 4, "daily": 30, "monthly": 12}
HOME, PHOTOS, DB = "tank/home", "tank/home/photos", "tank/db"


@dataclass
class Pair:
    """A sender and its far side."""

    box: World
    barn: World
    server: Server
    wire: Wire

    def replicate(self, *more: str, deadline: float = 120.0) -> Done:
        """`backup replicate barn` on the sender."""
        return self.box.run("replicate", "barn", *more, deadline=deadline)

    def take(self, *datasets: str) -> str:
        """A snapshot on the sender; the clock goes on, as no two have the same second."""
        self.later(seconds=1)
        return self.box.take(*datasets)

    def later(self, **spans: float) -> None:
        """Time passes at both ends."""
        self.box.later(**spans)
        self.barn.at(self.box.now())

    def ask(self, line: str, stdin: bytes = b"", key: Path | None = None) -> Done:
        """What the sender's key is answered, from outside of the product."""
        known = f"UserKnownHostsFile={self.server.folder}/known_hosts"
        return self.box.program(
            "ssh", "-F", "/dev/null", "-i", str(key or self.server.key), "-o", known,
            "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "BatchMode=yes",
            "-p", str(self.server.port), "root@127.0.0.1", "--", line, stdin=stdin,
        )  # fmt: skip

    def state(self, dataset: str) -> There:
        """How a dataset is on the far side, as a sender is told."""
        done = self.ask(f"state {dataset}")
        assert done.code == 0, done.err
        return There.model_validate_json(done.out)

    def told(self, **changes: Any) -> None:
        """Change what the sender says of its replica."""
        raw = json.loads(self.box.config.read_text())
        raw["replicas"]["barn"].update(changes)
        self.box.config.write_text(json.dumps(raw))

    def same(self, *datasets: str) -> bool:
        """Whether each newest snapshot is over there, by guid and in all that it holds."""
        return all(self._same(each) for each in datasets)

    def _same(self, dataset: str) -> bool:
        newest = self.box.snapshots(dataset)[-1]
        here, there = f"{dataset}@{newest}", f"{INTO}/{dataset}@{newest}"
        if self.barn.snapshots(f"{INTO}/{dataset}")[-1:] != [newest]:
            return False
        assert self.guid(self.box, here) == self.guid(self.barn, there)
        return files(self.box.contents(here)) == files(self.barn.contents(there))

    @staticmethod
    def guid(world: World, name: str) -> str:
        return world.zfs("get", "-Hp", "-o", "value", "guid", name).strip()


def files(root: Path) -> dict[str, bytes]:
    """Everything below a folder."""
    return {
        str(path.relative_to(root)): path.read_bytes() if path.is_file() else b""
        for path in root.rglob("*")
    }


@contextmanager
def paired(root: Path, **told: Any) -> Iterator[Pair]:
    """A pair of worlds below ROOT; TOLD changes what the sender says of the replica."""
    (root / "sshd").mkdir(parents=True)
    with serving(root / "sshd") as server:
        wire = Wire(server.port)
        barn = World(root / "barn").start(
            host="barn",
            datasets={},
            repositories={},
            receives={"box": {"into": INTO, "keep": KEEP}},
        )
        barn.zfs("create", "-o", "mountpoint=none", "-o", "canmount=off", INTO)
        box = World(root / "box").start(**_sender(server, wire, told))
        _admit(server, barn, "box", server.key)
        noon = (box.now() + timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0)
        box.at(noon)  # a test of some hours begins and ends on the same day
        barn.at(noon)
        yield Pair(box, barn, server, wire)
        wire.close()
        for world in (box, barn):
            world.close()
            assert world.violations() == []


def _sender(server: Server, wire: Wire, told: dict[str, Any]) -> dict[str, Any]:
    datasets = told.pop("datasets", [DB])
    body = {"policy": "daily", "replicas": ["barn"]}
    key = {"credential": "replica-key-barn", "file": str(server.key)}
    replica = {
        "address": "127.0.0.1", "port": wire.port, "user": "root", "host_key": server.host_key(),
        "key": key, "into": INTO, "datasets": datasets, "period": 86400, **told,
    }  # fmt: skip
    return {
        "datasets": dict.fromkeys(datasets, body),
        "repositories": {},
        "replicas": {"barn": replica},
    }


def _admit(server: Server, barn: World, sender: str, key: Path) -> None:
    """Let a key run the one command of a sender."""
    words = [f"{name}={barn.environment[name]}" for name in ("PATH", "EMILY_WORLD", "HOME")]
    command = ["env", *words, str(barn.root / "bin" / "emily-infra"), "backup", "--config"]
    line = shlex.join([*command, str(barn.config), "receive", sender])
    with (server.folder / "authorized_keys").open("a" if sender != "box" else "w") as file:
        file.write(f'restrict,command="{line}" {public(key)}\n')


def second_sender(pair: Pair, name: str) -> Path:
    """The key of another host that sends to the same far side."""
    key = make_key(pair.server.folder / f"id_{name}")
    _admit(pair.server, pair.barn, name, key)
    return key
