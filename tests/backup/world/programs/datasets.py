"""Datasets: created, cloned, mounted, set and destroyed."""

import os
from collections.abc import Sequence

from .answers import BUSY, EXISTS, FULL, MISSING, Options, Refused, Usage
from .faults import Faults, violation
from .listing import exists
from .mounts import attach_dataset, is_mounted, real
from .properties import Asked, can_be_set, has_room
from .snapshots import copy, remove, zfs_destroy_snapshots
from .state import State, new_dataset

_NEVER = {"r": "what is below goes too", "R": "clones go too", "f": "by force", "d": "later"}


def zfs_create(state: State, faults: Faults, argv: Sequence[str]) -> int:
    """A file system, with -p those above it too."""
    options = Options(argv, "o:puv")
    if len(options.words) != 1:
        raise Usage("missing dataset argument")
    name, props = options.words[0], options.pairs()
    words = f"cannot create '{name}'"
    if name in state.datasets:
        if options.has("p"):
            return 0
        raise Refused(f"{words}: {EXISTS}")
    _check_room(state, faults, name, words)
    for prop in props:
        if not can_be_set(prop):
            raise Refused(f"{words}: invalid property '{prop}'")
    above = name.rpartition("/")[0]
    if above not in state.datasets:
        if not options.has("p") or name.split("/")[0] not in state.pools:
            raise Refused(f"{words}: parent does not exist")
        zfs_create(state, faults, ["-p", above])
    if props.get("encryption") == "on":
        props["encryption"] = "aes-256-gcm"
    state.datasets[name] = new_dataset(state, props)
    if not options.has("u"):
        show(state, faults, name)
    return 0


def _check_room(state: State, faults: Faults, name: str, words: str) -> None:
    pool = name.split("/")[0]
    if pool not in state.pools:
        raise Refused(f"{words}: no such pool '{pool}'")
    exists(state, faults, pool, "cannot open")
    if not has_room(state, faults, pool):
        raise Refused(f"{words}: {FULL}")


def show(state: State, faults: Faults, name: str) -> None:
    """Mount it where its property says, if that is inside the world."""
    path = Asked(state, faults, name).value("mountpoint")[0]
    can = Asked(state, faults, name).value("canmount")[0]
    if path.startswith(state.folder + "/") and can == "on":
        attach_dataset(state, name, path)


def zfs_clone(state: State, faults: Faults, argv: Sequence[str]) -> int:
    """A file system that begins as a snapshot."""
    options = Options(argv, "o:pu")
    if len(options.words) != 2:
        raise Usage("missing source dataset argument")
    source, target = options.words
    exists(state, faults, source)
    words = f"cannot create '{target}'"
    if target in state.datasets:
        raise Refused(f"{words}: {EXISTS}")
    _check_room(state, faults, target, words)
    snapshot = state.snapshot(source)
    assert snapshot
    data = new_dataset(state, options.pairs())
    data.origin = source
    if snapshot.folder:
        copy(state.place(snapshot.folder), state.place(data.folder))
    state.datasets[target] = data
    if not options.has("u"):
        show(state, faults, target)
    return 0


def zfs_destroy(state: State, faults: Faults, argv: Sequence[str]) -> int:
    """Snapshots by name, a bookmark, or one dataset that has nothing below it."""
    options = Options(argv, "vpndfrR")
    if len(options.words) != 1:
        raise Usage("too many arguments" if options.words else "missing dataset argument")
    name = options.words[0]
    wrong = [why for letter, why in _NEVER.items() if options.has(letter)]
    after = name.partition("@")[2]
    wrong += ["a range"] if "%" in after else []
    wrong += ["an empty name"] if "@" in name and "" in after.split(",") else []
    if wrong:
        violation(state.folder, "zfs", ["destroy", *argv], ", ".join(wrong))
        raise Refused(f"the world destroys nothing this way: {', '.join(wrong)}")
    if "@" in name:
        return zfs_destroy_snapshots(state, faults, options)
    if "#" in name:
        return _destroy_bookmark(state, faults, name)
    exists(state, faults, name)
    _refuse_dependents(state, name)
    if not options.has("n"):
        data = state.datasets[name]
        if is_mounted(data.folder):
            _take_away(data.folder, name)
        remove(state, data.folder)
        del state.datasets[name]
    return 0


def _destroy_bookmark(state: State, faults: Faults, name: str) -> int:
    dataset, _, short = name.partition("#")
    exists(state, faults, dataset)
    if state.datasets[dataset].bookmarks.pop(short, None) is None:
        raise Refused(f"bookmark '{name}' does not exist.")
    return 0


def _refuse_dependents(state: State, name: str) -> None:
    if "/" not in name:
        raise Refused(f"cannot destroy '{name}': operation does not apply to pools")
    below = [other for other in state.datasets if other.startswith(f"{name}/")]
    below += [f"{name}@{short}" for short in state.datasets[name].snapshots]
    if below:
        raise Refused(
            f"cannot destroy '{name}': filesystem has children\n"
            "use '-r' to destroy the following datasets:\n" + "\n".join(sorted(below))
        )


def _take_away(folder: str, name: str) -> None:
    program = real("umount")
    for path in _seen_here(folder):
        if os.spawnv(os.P_WAIT, program, ["umount", path]):
            raise Refused(f"cannot unmount '{path}': pool or dataset is busy")
    if is_mounted(folder):
        raise Refused(f"cannot destroy '{name}': {BUSY}")


def _seen_here(folder: str) -> list[str]:
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        lines = [line.split(" ") for line in file if f"/contents/{folder}" in line]
    return [fields[4] for fields in lines]


def zfs_set(state: State, faults: Faults, argv: Sequence[str]) -> int:
    """Properties of datasets and snapshots."""
    words = Options(argv, "u").words
    names = [word for word in words if "=" not in word]
    if not names or len(names) == len(words):
        raise Usage("missing property=value argument")
    for name in names:
        exists(state, faults, name)
        for prop, value in (word.split("=", 1) for word in words if "=" in word):
            if not can_be_set(prop):
                raise Refused(f"cannot set property for '{name}': invalid property '{prop}'")
            snapshot = state.snapshot(name)
            (snapshot.props if snapshot else state.datasets[name].props)[prop] = value
    return 0


def zfs_inherit(state: State, faults: Faults, argv: Sequence[str]) -> int:
    """Give a property up again."""
    options = Options(argv, "rS")
    prop, *names = options.words or [""]
    if not names or options.has("r"):
        raise Usage("missing dataset argument")
    for name in names:
        exists(state, faults, name)
        snapshot = state.snapshot(name)
        (snapshot.props if snapshot else state.datasets[name].props).pop(prop, None)
        if not options.has("S") and not snapshot:
            state.datasets[name].received.pop(prop, None)
    return 0


def zfs_mount(state: State, faults: Faults, argv: Sequence[str]) -> int:
    """Show a dataset; without a name, which ones are shown."""
    options = Options(argv, "flvo:O")
    if not options.words:
        raise Usage("the world lists its mounts with: zfs list -o name,mounted,mountpoint")
    for name in options.words:
        exists(state, faults, name)
        if state.datasets[name].mounted:
            raise Refused(f"cannot mount '{name}': filesystem already mounted")
        show(state, faults, name)
    return 0


def zfs_unmount(state: State, faults: Faults, argv: Sequence[str]) -> int:
    """Hide a dataset."""
    options = Options(argv, "fu")
    for name in options.words:
        exists(state, faults, name)
        data = state.datasets[name]
        if not data.mounted:
            raise Refused(f"cannot unmount '{name}': not currently mounted")
        _take_away(data.folder, name)
        data.mounted = 0
    return 0


def zfs_load_key(state: State, faults: Faults, argv: Sequence[str]) -> int:
    """The key of an encryption root is there."""
    return _key(state, faults, argv, ("unavailable", "available"))


def zfs_unload_key(state: State, faults: Faults, argv: Sequence[str]) -> int:
    """The key is gone."""
    return _key(state, faults, argv, ("available", "unavailable"))


def _key(state: State, faults: Faults, argv: Sequence[str], way: tuple[str, str]) -> int:
    options = Options(argv, "L:")
    if len(options.words) != 1:
        raise Usage("Must specify dataset(s) or -a")
    name = options.words[0]
    exists(state, faults, name)
    asked = Asked(state, faults, name)
    before, after = way
    if asked.value("encryptionroot")[0] != name:
        raise Refused(f"Key change error: '{name}' is no encryption root.")
    if asked.value("keystatus")[0] != before:
        raise Refused(f"Key load error: Key is already {after} for '{name}'.")
    state.datasets[name].props["world:key"] = after
    return 0


def zfs_rename(state: State, faults: Faults, argv: Sequence[str]) -> int:
    """Another name for a dataset, in the same pool."""
    words = Options(argv, "fpu").words
    if len(words) != 2:
        raise Usage("missing source dataset argument")
    old, new = words
    exists(state, faults, old)
    if new in state.datasets:
        raise Refused(f"cannot rename '{old}': {EXISTS}")
    if new.rpartition("/")[0] not in state.datasets or new.split("/")[0] != old.split("/")[0]:
        raise Refused(f"cannot rename '{old}': parent does not exist")
    below = [name for name in state.datasets if name == old or name.startswith(f"{old}/")]
    for name in below:
        state.datasets[new + name.removeprefix(old)] = state.datasets.pop(name)
    return 0


def zfs_rollback(state: State, faults: Faults, argv: Sequence[str]) -> int:
    """What was written since is lost, so the product never does it."""
    exists(state, faults, argv[-1] if argv else MISSING)
    violation(state.folder, "zfs", ["rollback", *argv], "what was written since is lost")
    raise Refused("the world rolls nothing back")
