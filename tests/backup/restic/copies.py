"""Repositories with copies in them, made by restic itself."""

import json
import os
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

from emily_infra.backup.here import Here
from emily_infra.backup.restic.program import Restic
from emily_infra.backup.restic.repository import initialise
from tests.backup.light import lighten
from tests.backup.world import World


def made(world: World, name: str = "shed") -> Restic:
    """A repository that was just made."""
    initialise(world.here(), name)
    restic = Restic(world.here(), name)
    if restic.repository.url.startswith("/"):
        lighten(Path(restic.repository.url))
    return restic


def raw(here: Here, name: str, *words: str, stdin: bytes = b"") -> str:
    """restic by hand, as root would: nothing of ours is in between."""
    done = subprocess.run(
        ["restic", *words], input=stdin, check=True, capture_output=True,
        env=environment(here, name),
    )  # fmt: skip
    return done.stdout.decode()


def environment(here: Here, name: str) -> dict[str, str]:
    """What restic by hand is given."""
    repository = here.repository(name)
    return {
        **os.environ,
        "RESTIC_REPOSITORY": repository.url,
        "RESTIC_PASSWORD_FILE": str(repository.password.file),
        "RESTIC_CACHE_DIR": str(here.settings.paths.cache / "by-hand"),
        "TZ": "UTC",
    }


def copied(
    restic: Restic, moment: datetime, *, host: str = "box", tags: str = "", data: bytes = b"data"
) -> str:
    """A copy of one file, as if made at a moment; its id."""
    source = Path(restic.here.settings.paths.state).parent / "source"
    source.mkdir(exist_ok=True)
    (source / "file").write_bytes(data)
    said = raw(
        restic.here, restic.name, "backup", "--json", "--host", host,
        "--tag", tags or restic.tag, "--time", f"{moment:%Y-%m-%d %H:%M:%S}", str(source),
    )  # fmt: skip
    return str(json.loads(said.splitlines()[-1])["snapshot_id"])


def ids(restic: Restic) -> set[str]:
    """Every copy in the repository, whoever made it."""
    return {each["id"] for each in json.loads(raw(restic.here, restic.name, "snapshots", "--json"))}


def taken_over(world: World, origin: World) -> Restic:
    """The repository of another world, as it is: making one anew takes seconds."""
    for folder in ("repositories", "state/repositories"):
        shutil.copytree(origin.root / folder, world.root / folder)
    return Restic(world.here(), "shed")


def figure(world: World, file: str, series: str) -> float:
    """A published figure of the repository shed."""
    text = (world.root / "metrics" / f"emily-{file}-shed.prom").read_text()
    (line,) = (line for line in text.splitlines() if line.startswith(f"{series}{{"))
    return float(line.split()[-1])
