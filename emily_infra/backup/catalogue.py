"""Snapshots as ZFS has them, and the holds that keep one in place while it is read."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from emily_infra.backup.here import Here, lives
from emily_infra.backup.names import OURS
from emily_infra.machine import CommandFailed

MARK = "org.emily-infra:policy"
"""Set on every snapshot that we take; with the shape of its name, what makes it ours."""
COLUMNS = ("name", "guid", "createtxg", "creation", "userrefs", MARK)
AT_ONCE = 100
"""Names a command: 128 KiB an argument is Linux's limit, and one command a transaction."""
GONE = "dataset does not exist"
"""What zfs says of a dataset or a snapshot that is not there; in English, by LC_ALL."""
_TAG = "emily:"
_RUN = re.compile(rf"{_TAG}(?P<job>[^:]+):(?P<run>[0-9a-f]{{8}}-[0-9]+-[0-9]+)")
_ABSENT = (GONE, "no such tag on this dataset")


@dataclass(frozen=True)
class Snapshot:
    """A snapshot of one dataset."""

    dataset: str
    name: str
    """What stands behind the @."""
    guid: int
    createtxg: int
    """The order of snapshots in a pool, whatever a clock said."""
    creation: datetime
    holds: int
    mine: bool
    """Taken by us: by its name and by its mark, both."""

    @property
    def full(self) -> str:
        """DATASET@NAME."""
        return f"{self.dataset}@{self.name}"


def snapshots(here: Here, dataset: str, deadline: float = 600) -> list[Snapshot]:
    """All snapshots of one dataset, the oldest first; none where there is no such dataset."""
    command = ("zfs", "list", "-Hp", "-t", "snapshot", "-d", "1", "-o", ",".join(COLUMNS), dataset)
    try:
        listed = here.run(*command, deadline=deadline)
    except CommandFailed as error:
        if GONE in error.stderr:
            return []
        raise
    return sorted(parsed(listed), key=lambda each: each.createtxg)


def parsed(listed: str) -> Iterator[Snapshot]:
    """The lines of `zfs list -Hp -o COLUMNS`."""
    for line in listed.splitlines():
        full, guid, txg, creation, holds, mark = line.split("\t")
        dataset, _, name = full.partition("@")
        yield Snapshot(
            dataset=dataset,
            name=name,
            guid=int(guid),
            createtxg=int(txg),
            creation=datetime.fromtimestamp(int(creation), UTC),
            holds=int(holds),
            mine=bool(OURS.fullmatch(name)) and mark != "-",
        )


@dataclass(frozen=True)
class Bookmark:
    """What a snapshot leaves: enough to send what came after it, and none of its data."""

    dataset: str
    name: str
    """What stands behind the #."""
    guid: int
    """Of the snapshot that it was made of."""
    createtxg: int
    creation: datetime

    @property
    def full(self) -> str:
        """DATASET#NAME."""
        return f"{self.dataset}#{self.name}"


def bookmarks(here: Here, dataset: str) -> list[Bookmark]:
    """All bookmarks of one dataset, the oldest first; none where there is no such dataset."""
    columns = "name,guid,createtxg,creation"
    try:
        listed = here.run("zfs", "list", "-Hp", "-t", "bookmark", "-d", "1", "-o", columns, dataset)
    except CommandFailed as error:
        if GONE in error.stderr:
            return []
        raise
    found = []
    for line in listed.splitlines():
        full, guid, txg, creation = line.split("\t")
        moment = datetime.fromtimestamp(int(creation), UTC)
        name = full.partition("#")[2]
        found.append(Bookmark(dataset, name, int(guid), int(txg), moment))
    return sorted(found, key=lambda each: each.createtxg)


def exists(here: Here, dataset: str) -> bool:
    """Whether a dataset is there."""
    return bool(existing(here, [dataset]))


def existing(here: Here, datasets: Sequence[str]) -> list[str]:
    """Those of DATASETS that are there, in their order.

    They are asked for by their names, since a suspended pool is left out of lists.
    """
    try:
        listed = here.run("zfs", "list", "-H", "-o", "name", *datasets)
    except CommandFailed as error:
        if GONE not in error.stderr:
            raise
        listed = error.stdout
    there = set(listed.splitlines())
    return [dataset for dataset in datasets if dataset in there]


def newest_common(taken: dict[str, list[Snapshot]]) -> str | None:
    """The newest of our names that every one of these datasets of one pool has, at one txg."""
    shared: set[tuple[int, str]] | None = None
    for each in taken.values():
        own = {(one.createtxg, one.name) for one in each if one.mine}
        shared = own if shared is None else shared & own
    return max(shared)[1] if shared else None


def tag(job: str, run: str) -> str:
    """The hold of a run; it says who may be asked whether it is still needed."""
    return f"{_TAG}{job}:{run}"


def hold(here: Here, label: str, names: Sequence[str]) -> None:
    """Keep snapshots from being destroyed; one that is held by this label already stays so.

    CommandFailed where one could not be held; all the others are.
    """
    failed: CommandFailed | None = None
    for some in _batches(names):
        try:
            here.run("zfs", "hold", label, *some)
        except CommandFailed as error:
            if "tag already exists" not in error.stderr:
                failed = failed or error
    if failed:
        raise failed


def release(here: Here, label: str, names: Sequence[str]) -> None:
    """Let go of them; what is gone or not held is fine."""
    for some in _batches(names):
        try:
            here.run("zfs", "release", label, *some)
        except CommandFailed as error:  # each is tried; every line is one that was not held
            said = error.stderr.strip().splitlines()
            if not said or any(all(words not in line for words in _ABSENT) for line in said):
                raise


def holds(here: Here, names: Sequence[str]) -> dict[str, set[str]]:
    """The labels on each of these snapshots, which must exist."""
    found: dict[str, set[str]] = {name: set() for name in names}
    for some in _batches(names):
        for line in here.run("zfs", "holds", "-H", *some).splitlines():
            name, label, _ = line.split("\t", 2)
            found[name].add(label)
    return found


def reap(here: Here, job: str, taken: Iterable[Snapshot]) -> int:
    """Free what dead runs of a job still hold, or of any job; how many holds those were."""
    held = [each.full for each in taken if each.holds]
    freed = 0
    for name, labels in _still_held(here, held).items():
        for label in labels:
            found = _RUN.fullmatch(label)
            if found and found["job"] == (job or found["job"]) and not lives(found["run"]):
                release(here, label, [name])
                freed += 1
    return freed


def _still_held(here: Here, names: Sequence[str]) -> dict[str, set[str]]:
    """As `holds`, without those that are gone by now."""
    try:
        return holds(here, names)
    except CommandFailed as error:
        if GONE not in error.stderr:
            raise
    if len(names) == 1:
        return {}
    half = len(names) // 2
    return {**_still_held(here, names[:half]), **_still_held(here, names[half:])}


def _batches(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for at in range(0, len(names), AT_ONCE):
        yield names[at : at + AT_ONCE]
