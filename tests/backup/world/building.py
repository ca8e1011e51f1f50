"""How a world is laid out: its folders, its programs, its pools and its host.json."""

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tests.backup.world.programs.datasets import show
from tests.backup.world.programs.faults import Faults
from tests.backup.world.programs.properties import LARGE
from tests.backup.world.programs.state import Pool, State, changing, guid, new_dataset

REPOSITORY = Path(__file__).parents[3]
PROGRAMS = ("zfs", "zpool", "mount", "umount")
INTO = {"cellar": "vault"}
"""Pools that are there beside those of the datasets."""
_PROGRAM = """#!{python} -SE
import sys
sys.path.insert(0, {library!r})
from programs.main import main
sys.exit(main({name!r}, {folder!r}))
"""
_EMILY = """#!{python}
import sys
sys.path.insert(0, {repository!r})
from tests.backup.world.inside import main
main({folder!r})
"""
_WATCHED = """#!{python} -SE
import sys
sys.path.insert(0, {library!r})
from programs.watched import main
main({name!r}, {folder!r})
"""


def lay_out(root: Path, version: str) -> None:
    """The folders and the programs."""
    for name in ("bin", "contents/nothing", "run", "srv", "state", "secrets", "home", "kstat"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "secrets" / "restic").write_text("correct horse battery staple\n")
    (root / "secrets" / "restic").chmod(0o600)
    for name in PROGRAMS:
        install(root, name, _PROGRAM)
    install(root, "emily-infra", _EMILY)
    with changing(str(root)) as state:
        state.version = version


def install(root: Path, name: str, text: str = _WATCHED) -> None:
    """A program of the world; without its text, one that is noted and then is the real one."""
    file = root / "bin" / name
    words = {
        "name": name,
        "python": sys.executable,
        "library": str(Path(__file__).parent),
        "repository": str(REPOSITORY),
        "folder": str(root),
    }
    file.write_text(text.format(**words))
    file.chmod(0o755)


def environment(root: Path) -> dict[str, str]:
    """What a program of this host is given."""
    passed = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(("RESTIC_", "AWS_", "EMILY_", "PYTEST_"))
        and name not in ("CREDENTIALS_DIRECTORY", "XDG_CACHE_HOME")
    }
    return {
        **passed,
        "PATH": f"{root}/bin:{os.environ['PATH']}",
        "EMILY_WORLD": str(root),
        "HOME": str(root / "home"),
        "NO_COLOR": "1",
        "COLUMNS": "200",
    }


def host(root: Path, changes: Mapping[str, Any]) -> dict[str, Any]:
    """host.json; a dataset without a mountpoint has one below srv/."""
    datasets = changes.get("datasets", DATASETS)
    named = [name for name, body in datasets.items() if "shed" in body.get("repositories", ())]
    paths = {
        "cache": "cache", "kstat": "kstat", "locks": "run/locks", "metrics": "metrics",
        "source": "run/snapshot", "state": "state",
    }  # fmt: skip
    whole: dict[str, Any] = {
        "version": 2,
        "host": "box",
        "host_id": "0badcafe",
        "paths": {name: str(root / place) for name, place in paths.items()},
        "policies": {"daily": {"frequent": 8, "hourly": 24, "daily": 30, "monthly": 6}},
        "repositories": {"shed": repository(root, "shed", named)},
        **changes,
    }
    whole["datasets"] = {
        name: {"mountpoint": str(mountpoint(root, name)), **body} for name, body in datasets.items()
    }
    return whole


DATASETS: dict[str, dict[str, Any]] = {
    "tank/home": {"policy": "daily", "repositories": ["shed"]},
    "tank/home/photos": {"policy": "daily", "repositories": ["shed"]},
    "tank/db": {"policy": "daily", "repositories": ["shed"]},
    "tank/scratch": {"exempt": "nothing in it is worth a copy"},
}
"""What a host has unless a test says otherwise."""


def repository(root: Path, name: str, datasets: Iterable[str]) -> dict[str, Any]:
    """A repository in a folder of the world."""
    return {
        "url": str(root / "repositories" / name),
        "password": {"credential": "restic", "file": str(root / "secrets" / "restic")},
        "datasets": list(datasets),
        "keep": {"daily": 7, "weekly": 4, "monthly": 12},
        "period": 86400,
        "verify": {"subsets": 4, "period": 86400, "whole_in": 604800},
    }


def mountpoint(root: Path, dataset: str) -> Path:
    """Where a dataset is mounted; the pool's own name is left out for tank."""
    pool, _, rest = dataset.partition("/")
    return root / "srv" / (rest if pool == "tank" else dataset)


def make_pools(state: State, datasets: Iterable[str]) -> None:
    """The pools of these datasets, as far as they are not there."""
    for name in sorted({dataset.split("/")[0] for dataset in datasets}):
        if name not in state.pools:
            state.pools[name] = Pool(guid=guid(), size=LARGE, available=-1)
            state.datasets[name] = new_dataset(state, {"mountpoint": "none"})


def make_datasets(state: State, root: Path, bodies: Mapping[str, Any]) -> None:
    """The datasets, each mounted; those above them come first."""
    for name, body in sorted(bodies.items()):
        parts = name.split("/")
        for depth in range(2, len(parts)):
            above = "/".join(parts[:depth])
            if above not in state.datasets:
                state.datasets[above] = new_dataset(state, {"mountpoint": "none"})
        if name not in state.datasets:
            place = body.get("mountpoint")
            state.datasets[name] = new_dataset(state, {"mountpoint": str(place or "none")})
            show(state, Faults(str(root)), name)
