"""Snapshots: made, held, released, marked and destroyed."""

import fcntl
import os
import re
import time
from collections.abc import Callable, Sequence

from .answers import BUSY, EXISTS, FULL, MISSING, Options, Refused, Usage, complain, say
from .faults import Faults, violation
from .listing import exists
from .mounts import is_mounted
from .properties import can_be_set, has_room, size
from .state import Bookmark, Snapshot, State, guid

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.:-]*")
_LONGEST = 255
Deed = Callable[[State, str, str], None]


def zfs_snapshot(state: State, faults: Faults, argv: Sequence[str]) -> int:
    """All of them or none, in one transaction group."""
    options = Options(argv, "ro:")
    props = options.pairs()
    if options.has("r"):
        violation(state.folder, "zfs", ["snapshot", *argv], "everything below it is taken too")
        raise Usage("the world takes no snapshot of what is not named")
    if not options.words:
        raise Usage("missing snapshot argument")
    for name in options.words:
        if "@" not in name:
            raise Usage("")
        try:
            exists(state, faults, name.partition("@")[0])
        except Refused as refusal:
            raise Usage(str(refusal)) from None
    for name in props:
        if ":" not in name:
            why = (
                f"property '{name}' can not be set on a snapshot"
                if can_be_set(name)
                else f"invalid property '{name}'"
            )
            raise Refused(f"cannot create snapshots : {why}")
    try:
        _take(state, faults, options.words, props)
    except Refused as refusal:
        more = "\nno snapshots were created" if len(options.words) > 1 else ""
        raise Refused(f"{refusal}{more}") from None
    return 0


def _take(state: State, faults: Faults, names: Sequence[str], props: dict[str, str]) -> None:
    for name in names:
        if not valid(name):
            raise Refused(f"cannot create snapshot '{name}': invalid name")
    datasets = [name.partition("@")[0] for name in names]
    if len(set(datasets)) < len(datasets):
        raise Refused("cannot create snapshots : multiple snapshots of same fs not allowed")
    if len({name.split("/")[0] for name in datasets}) > 1:
        raise Refused("cannot create snapshots : operation crosses datasets or pools")
    there = [name for name in names if state.snapshot(name)]
    if there:
        raise Refused("\n".join(f"cannot create snapshot '{name}': {EXISTS}" for name in there))
    pool = datasets[0].split("/")[0]
    if not has_room(state, faults, pool):
        raise Refused("\n".join(f"cannot create snapshot '{name}': {FULL}" for name in names))
    txg, when = state.next_txg(), state.now()
    for name in names:
        add(state, name, props, (txg, when))


def add(state: State, name: str, props: dict[str, str], moment: tuple[int, int]) -> Snapshot:
    """A snapshot of what the dataset holds now."""
    dataset, _, short = name.partition("@")
    data = state.datasets[dataset]
    identity = guid()
    folder = f"{identity:016x}"
    copy(state.place(data.folder), state.place(folder))
    snapshot = Snapshot(
        guid=identity, createtxg=moment[0], creation=moment[1], folder=folder, props=dict(props),
        holds={}, used=0, referenced=size(state.place(folder)),
    )  # fmt: skip
    data.snapshots[short] = snapshot
    return snapshot


def copy(source: str, target: str) -> None:
    """The whole tree with all that can be said of a file."""
    os.makedirs(target, exist_ok=True)
    argv = ["cp", "-a", "--reflink=auto", f"{source}/.", target]
    if os.spawnvp(os.P_WAIT, argv[0], argv):
        raise Refused(f"the world cannot copy {source}")


def valid(name: str) -> bool:
    """Whether a snapshot may be called that."""
    short = name.partition("@")[2]
    return _NAME.fullmatch(short) is not None and len(os.fsencode(name)) <= _LONGEST


def zfs_destroy_snapshots(state: State, faults: Faults, options: Options) -> int:
    """Those of one dataset by their names: missing ones don't count, a kept one stops it all."""
    dataset, _, text = options.words[0].partition("@")
    exists(state, faults, dataset)
    there = [short for short in text.split(",") if short in state.datasets[dataset].snapshots]
    names = [f"{dataset}@{short}" for short in there]
    for name in names:
        clones = state.clones(name)
        if clones:
            raise Refused(
                f"cannot destroy '{name}': snapshot has dependent clones\n"
                "use '-R' to destroy the following datasets:\n" + "\n".join(clones)
            )
    if not names:
        raise Refused("could not find any snapshots to destroy; check snapshot names.")
    _announce(state, options, names)
    if not options.has("n"):
        _refuse_kept(state, names)
        for short in there:
            forget(state, dataset, short)
    return 0


def _announce(state: State, options: Options, names: Sequence[str]) -> None:
    freed = sum(snapshot.used for snapshot in map(state.snapshot, names) if snapshot)
    if options.has("p"):
        say("\n".join([*(f"destroy\t{name}" for name in names), f"reclaim\t{freed}"]))
    elif options.has("v"):
        word = "would" if options.has("n") else "will"
        say("\n".join([*(f"{word} destroy {name}" for name in names), f"{word} reclaim {freed}B"]))


def _refuse_kept(state: State, names: Sequence[str]) -> None:
    held = "it's being held. Run 'zfs holds -r {}' to see holders."
    held = held if state.version >= "2.2" else BUSY
    refused = []
    for name in names:
        snapshot = state.snapshot(name)
        assert snapshot
        if snapshot.holds:
            refused.append(f"cannot destroy snapshot {name}: {held.format(name)}")
        elif is_mounted(snapshot.folder) or is_sent(state, snapshot.folder):
            refused.append(f"cannot destroy snapshot {name}: {BUSY}")
    if refused:
        raise Refused("\n".join(refused))


def in_use(state: State, snapshot: "Snapshot | None") -> int:
    """Keep a snapshot busy until the descriptor is closed, or its process is gone."""
    folder = os.path.join(state.folder, "run", "using")
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, (snapshot and snapshot.folder) or "nothing")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def is_sent(state: State, folder: str) -> bool:
    """Whether a stream of it is under way."""
    path = os.path.join(state.folder, "run", "using", folder)
    if not folder or not os.path.exists(path):
        return False
    with open(path, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def forget(state: State, dataset: str, short: str) -> None:
    """Take a snapshot out of the state; its folder goes now, as its space does."""
    snapshot = state.datasets[dataset].snapshots.pop(short)
    remove(state, snapshot.folder)


def remove(state: State, folder: str) -> None:
    """What was stored in FOLDER."""
    if folder:
        os.spawnvp(os.P_WAIT, "rm", ["rm", "-rf", "--", state.place(folder)])


def zfs_hold(state: State, faults: Faults, argv: Sequence[str]) -> int:
    """A tag on each snapshot; the others get it even when one cannot have it."""
    return _each_held(state, faults, argv, _hold)


def zfs_release(state: State, faults: Faults, argv: Sequence[str]) -> int:
    """The tag off each snapshot."""
    return _each_held(state, faults, argv, _release)


def _each_held(state: State, faults: Faults, argv: Sequence[str], deed: Deed) -> int:
    options = Options(argv, "rt")
    if len(options.words) < 2:
        raise Usage("")
    if options.has("r"):
        violation(state.folder, "zfs", argv, "holds are never recursive")
        raise Usage("the world holds nothing that is not named")
    label, failed = options.words[0], 0
    for name in options.words[1:]:
        try:
            if "@" not in name:
                raise Refused(f"'{name}' is not a snapshot")
            exists(state, faults, name.partition("@")[0])
            deed(state, name, label)
        except Refused as refusal:
            complain(str(refusal))
            failed = 1
    return failed


def _hold(state: State, name: str, label: str) -> None:
    snapshot = state.snapshot(name)
    if not snapshot:
        raise Refused(f"cannot hold snapshot '{name}': {MISSING}")
    if label in snapshot.holds:
        raise Refused(f"cannot hold snapshot '{name}': tag already exists on this dataset")
    snapshot.holds[label] = state.now()


def _release(state: State, name: str, label: str) -> None:
    snapshot = state.snapshot(name)
    words = f"cannot release hold from snapshot '{name}'"
    if not snapshot:
        raise Refused(f"{words}: {MISSING}")
    if snapshot.holds.pop(label, None) is None:
        raise Refused(f"{words}: no such tag on this dataset")


def zfs_holds(state: State, faults: Faults, argv: Sequence[str]) -> int:
    """The tags of each snapshot; -p is not known to 2.1."""
    options = Options(argv, "Hp" if state.version >= "2.2" else "H")
    if not options.words:
        raise Usage("")
    lines: list[str] = []
    failed = 0
    for name in options.words:
        try:
            exists(state, faults, name)
            snapshot = state.snapshot(name)
            assert snapshot
            for label, when in sorted(snapshot.holds.items()):
                date = time.strftime("%a %b %e %H:%M %Y", time.localtime(when))
                lines.append("\t".join((name, label, str(when) if options.has("p") else date)))
        except Refused as refusal:
            complain(str(refusal))
            failed = 1
    if not options.has("H"):
        say("NAME  TAG  TIMESTAMP")
    for line in lines:
        say(line)
    return failed


def zfs_bookmark(state: State, faults: Faults, argv: Sequence[str]) -> int:
    """A place in the past that costs nothing."""
    options = Options(argv, "")
    if len(options.words) != 2:
        raise Usage("wrong number of arguments")
    source, mark = options.words
    owner, _, short = mark.rpartition("#")
    dataset = source.partition("@")[0].partition("#")[0]
    exists(state, faults, source)
    words = f"cannot create bookmark '{mark}'"
    if not has_room(state, faults, dataset.split("/")[0]):
        raise Refused(f"{words}: {FULL}")
    if owner not in ("", dataset):
        raise Refused(f"{words}: bookmark is in a different dataset")
    marks = state.datasets[dataset].bookmarks
    if short in marks:
        raise Refused(f"{words}: bookmark exists")
    made = state.snapshot(source) or marks[source.partition("#")[2]]
    folder = f"{guid():016x}"  # a real one stores nothing, but knows what was born since
    copy(state.place(made.folder or "nothing"), state.place(folder))
    marks[short] = Bookmark(
        guid=made.guid, createtxg=made.createtxg, creation=made.creation, folder=folder
    )
    return 0
