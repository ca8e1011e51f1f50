"""`apply` with much to copy: a small world behind a real sshd, and the memory that it takes."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.far import ADDRESS, project, way
from benchmarks.memory import Peaks, peaks
from emily_infra.machine import Target, connect
from emily_infra.observe import observe
from emily_infra.plan import Access, Activation, Plan, to_json
from emily_infra.plan.saved import identity
from tests.apply.world import World
from tests.apply.world.system import store, write
from tests.machine.sshd import Server, serving

GIB = 1 << 30
_CHUNK = 1 << 20
_ENTER = ("unshare", "--mount", "sh", "-ec", 'mount --bind "$0" /nix && exec "$@"')
"""With a folder as /nix, and by exec: the process stays the one that was started."""


def copied(ours: str, size: int = GIB) -> Peaks:
    """`apply` of a plan whose system is SIZE random bytes; all of it arrives, or this fails."""
    with tempfile.TemporaryDirectory(prefix="emily-infra-copy.") as name:
        folder = Path(name)
        toplevel = _system(folder, size)
        with _world(folder) as (world, server):
            (folder / "here").mkdir()
            way(folder, server, server.port)
            project(folder)
            plan = folder / "pebble.plan"
            plan.write_text(to_json(_plan(server, toplevel)))
            environment = os.environ | {"PATH": f"{folder / 'here'}:{os.environ['PATH']}"}
            apply = (*_ENTER, str(folder / "nix"), ours, "apply", "pebble", "--plan", str(plan))
            found = peaks(apply, folder, environment)
            arrived = world.root / toplevel.removeprefix("/") / "data"
            assert arrived.exists(), found.output
            assert arrived.stat().st_size == size
            return found


@contextmanager
def _world(folder: Path) -> Iterator[tuple[World, Server]]:
    root = folder / "world"
    store(_made(root), {"old": True})
    (root / "lib").mkdir()
    world = World(root)
    inside = ("nsenter", f"--target={world.pid1}", "--mount", "--pid")
    try:
        world.run("mkdir", "-p", "/run/sshd")
        with serving(_made(folder / "sshd"), before=inside) as server:
            yield world, server
    finally:
        world.shut_down()


def _system(folder: Path, size: int) -> str:
    """A toplevel in a store of our own, which becomes /nix for whoever comes in by `_ENTER`."""
    top = write(folder / "made", "copied")
    with (top / "data").open("wb") as data:
        for _ in range(size // _CHUNK):
            data.write(os.urandom(_CHUNK))
    added = (*_ENTER, str(_made(folder / "nix")), "nix-store", "--add", str(top))
    done = subprocess.run(added, check=True, capture_output=True, text=True)
    shutil.rmtree(folder / "made")
    return done.stdout.strip()


def _plan(server: Server, toplevel: str) -> Plan:
    """A plan as `plan --out` saves it, of a system that nobody has to build."""
    known, configuration = server.folder / "known_hosts", Path("/dev/null")
    machine = connect(
        Target("pebble", "127.0.0.1", "root", server.port, server.key, known, configuration)
    )
    try:
        seen = observe(machine)
    finally:
        machine.close()
    access = Access(verify_address=ADDRESS, verify_port=server.port)
    return Plan("pebble", identity(seen), toplevel, Activation.SWITCH, access=access)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
