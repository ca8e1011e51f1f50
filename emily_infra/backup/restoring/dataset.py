"""A new dataset that is filled before it gets its name, and datasets that killed runs left."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from emily_infra.backup import catalogue
from emily_infra.backup.faults import InTheWay
from emily_infra.backup.here import Here, lives, this_run
from emily_infra.backup.shielded import apart, away
from emily_infra.machine import CommandFailed, Expired

MARK = "org.emily-infra:scratch"
"""The run that made a dataset, as long as it may be destroyed with all that is in it."""
_DESTROYING = 3600.0


@contextlib.contextmanager
def new_dataset(here: Here, name: str, shown_as: str) -> Iterator[Path]:
    """A folder with a new dataset mounted in it, which is called NAME once the block is done."""
    above = name.rpartition("/")[0]
    if catalogue.exists(here, name):
        raise InTheWay(
            f"the dataset {name} is there already", hint=f"name a new one: {name}-restored"
        )
    if not above or not catalogue.exists(here, above):
        raise InTheWay(
            f"{name}: there is no dataset {above or name} to make it in",
            hint="a folder begins with a slash; a dataset is made inside of one that is there",
        )
    with scratch(here, above, "restore") as (made, root):
        folder = root / shown_as
        folder.mkdir()
        try:
            mount(here, made, folder)
            yield root
            here.run("sync", "--file-system", str(folder), deadline=3600)
        finally:  # a Ctrl-C may come when the mount is there and its command has not ended
            away(here, folder)
        # A kill between the two leaves it whole: the mark counts only beside the run's own name.
        here.run("zfs", "rename", made, name)
        here.run("zfs", "inherit", MARK, name)


@contextlib.contextmanager
def scratch(here: Here, above: str, job: str, quota: int = 0) -> Iterator[tuple[str, Path]]:
    """A dataset that is gone afterwards, unless its mark was taken off; not mounted yet.

    Beside it, an empty folder that belongs to this process alone.
    """
    sweep(here, above)
    apart()
    name = f"{above}/emily-{job}-{this_run()}"
    # Access lists come back only where the file system keeps them; ZFS does not by itself.
    options = [
        f"{MARK}={this_run()}", "mountpoint=legacy", "readonly=off", "acltype=posixacl", "xattr=sa",
    ]  # fmt: skip
    if quota:
        options.append(f"refquota={quota}")
    words = [word for each in options for word in ("-o", each)]
    with tempfile.TemporaryDirectory(prefix=f"emily-{job}-") as folder:
        try:  # a Ctrl-C may come when it is made and its command has not ended
            here.run("zfs", "create", "-u", *words, name)
            yield name, Path(folder)
        finally:
            _destroy(here, name)


def sweep(here: Here, above: str) -> list[str]:
    """Destroy what killed runs left in a dataset, each by its name; only what bears the mark."""
    gone = []
    for name, run in _marked(here, above):
        if not lives(run):
            here.tell(f"{name}: left by a run that was killed; destroyed")
            _destroy(here, name)
            gone.append(name)
    return gone


def _marked(here: Here, above: str) -> list[tuple[str, str]]:
    columns = ("zfs", "list", "-Hp", "-d", "1", "-t", "filesystem", "-o", f"name,{MARK}", above)
    try:
        listed = here.run(*columns)
    except CommandFailed as error:
        if catalogue.GONE in error.stderr:
            return []
        raise
    pairs = [line.split("\t") for line in listed.splitlines()]
    # An inherited mark says nothing of a dataset: its own name has to agree.
    return [(name, run) for name, run in pairs if run != "-" and name.endswith(f"-{run}")]


def _destroy(here: Here, name: str) -> None:
    """Destroy it if it still bears its mark; what cannot go now, the next run tries again."""
    try:
        mark = here.run("zfs", "list", "-Hp", "-o", MARK, name).strip()
        if name.endswith(f"-{mark}"):
            here.run("zfs", "destroy", name, deadline=_DESTROYING)
    except (CommandFailed, Expired) as error:
        if catalogue.GONE not in str(error):
            here.tell(f"{name} could not be destroyed; the next run tries again: {error}")


def mount(here: Here, name: str, folder: Path) -> None:
    """Show a dataset of ours to this process."""
    here.run("mount", "-t", "zfs", name, str(folder))
