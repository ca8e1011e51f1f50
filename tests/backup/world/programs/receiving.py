"""zfs receive: a stream becomes a snapshot, or what has arrived of it is kept to go on with."""

from __future__ import annotations

import json
import os
import sys
import zlib
from collections.abc import Sequence

from .answers import EXISTS, FULL, Options, Refused, Usage
from .datasets import show
from .faults import Faults, violation
from .listing import exists
from .properties import Asked, arrived, has_room, token
from .record import skip
from .snapshots import copy, remove
from .state import Snapshot, State, changing, new_dataset
from .trees import differing, unpack

TYPE_CHECKING = False  # typing itself is slow to import
if TYPE_CHECKING:
    from typing import Any, BinaryIO

_NEW, _MORE = "cannot receive new filesystem stream", "cannot receive incremental stream"
_AGAIN = "cannot receive resume stream"
_PIECE = 1 << 16


def zfs_receive(folder: str, faults: Faults, argv: Sequence[str]) -> int:
    """`zfs receive`; the state is not locked while bytes come in."""
    options = Options(argv, "o:x:dehMnuvFsA")
    if len(options.words) != 1:
        raise Usage("missing snapshot argument" if not options.words else "too many arguments")
    if options.has("F"):
        violation(folder, "zfs", ["receive", *argv], "what the far side has newer is lost")
        raise Refused("the world receives nothing by force")
    if options.has("A"):
        with changing(folder) as state:
            return _abort(state, faults, options.words[0])
    stream = sys.stdin.buffer
    number = 0
    while skip(stream):
        number += 1
        _one(folder, faults, options, (_header(stream.readline()), stream))
    if not number:
        raise Refused("cannot receive: failed to read from stream")
    return 0


def _header(line: bytes) -> dict[str, Any]:
    try:
        header = json.loads(line)
        if header["stream"] != "emily-world":
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise Refused("cannot receive: invalid stream (bad magic number)") from None
    return dict(header)


def _one(
    folder: str, faults: Faults, options: Options, stream: tuple[dict[str, Any], BinaryIO]
) -> None:
    header, source = stream
    target = _target(options, header["toname"])
    with changing(folder) as state:
        _admit(state, faults, header, target)
        if options.has("n"):
            source.read(header["bytes"] - header["offset"])
            return
        _begin(state, options, header, target)
    payload = os.path.join(folder, "run", f"receive.{header['toguid']:x}")
    came = _take_in(payload, source, header)
    with changing(folder) as state:
        if came < header["bytes"]:
            raise Refused(_broken_off(state, header, target))
        _finish(state, faults, options, (header, target, payload))


def _target(options: Options, sent: str) -> str:
    given = options.words[0]
    path, _, short = sent.partition("@")
    if options.has("e"):
        return f"{given}/{path.rpartition('/')[2]}@{short}"
    if options.has("d"):
        return f"{given}/{path.partition('/')[2]}@{short}"
    return given if "@" in given else f"{given}@{short}"


def _admit(state: State, faults: Faults, header: dict[str, Any], target: str) -> None:
    dataset = target.partition("@")[0]
    data = state.datasets.get(dataset)
    exists(state, faults, dataset.split("/")[0])
    if not has_room(state, faults, dataset.split("/")[0]):
        raise Refused(f"{_MORE if header['fromguid'] else _NEW}: {FULL}")
    if header["offset"]:
        _admit_rest(state, header, dataset)
    elif data and data.partial:
        what = f"{_MORE if header['fromguid'] else _NEW}: destination {dataset} contains"
        raise Refused(f'{what} partially-complete state from "zfs receive -s".')
    elif header["fromguid"]:
        _admit_more(state, header, dataset)
    elif data:
        raise Refused(f"{_NEW}: destination '{dataset}' exists\nmust specify -F to overwrite it")
    elif dataset.rpartition("/")[0] not in state.datasets:
        above = dataset.rpartition("/")[0]
        raise Refused(f"{_NEW}: destination '{above}' does not exist")
    elif Asked(state, faults, dataset.rpartition("/")[0]).value("keystatus")[0] == "unavailable":
        raise Refused(f"{_NEW}: inherited key must be loaded")


def _admit_rest(state: State, header: dict[str, Any], dataset: str) -> None:
    partial = state.datasets[dataset].partial if dataset in state.datasets else {}
    if not partial or partial["header"]["toguid"] != header["toguid"]:
        raise Refused(f"{_AGAIN}: kernel modules must be upgraded to receive this stream.")
    if arrived(state.folder, partial) != header["offset"]:
        raise Refused(f"{_AGAIN}: checksum mismatch")


def _admit_more(state: State, header: dict[str, Any], dataset: str) -> None:
    data = state.datasets.get(dataset)
    if not data:
        raise Refused(f"{_MORE}: destination '{dataset}' does not exist")
    newest = _newest(state, dataset)
    if any(each.guid == header["toguid"] for each in data.snapshots.values()):
        raise Refused(f"{_MORE}: destination {dataset}: {EXISTS}")
    if not newest or newest.guid != header["fromguid"]:
        raise Refused(
            f"{_MORE}: most recent snapshot of {dataset} does not\nmatch incremental source"
        )
    changed, gone = differing(state.place(newest.folder or "nothing"), state.place(data.folder))
    if changed != [b"."] and (changed or gone):
        raise Refused(
            f"{_MORE}: destination {dataset} has been modified\nsince most recent snapshot"
        )


def _newest(state: State, dataset: str) -> Snapshot | None:
    taken = state.datasets[dataset].snapshots.values()
    return max(taken, key=lambda each: each.createtxg, default=None)


def _begin(state: State, options: Options, header: dict[str, Any], target: str) -> None:
    """Of a stream that may break off it is remembered what it was to be."""
    dataset = target.partition("@")[0]
    if options.has("s") or header["offset"]:
        fresh = dataset not in state.datasets
        if fresh:
            _add(state, options, header, dataset)
        kept = {**header, "offset": 0}
        state.datasets[dataset].partial = {"header": kept, "new": fresh or _is_new(state, dataset)}


def _add(state: State, options: Options, header: dict[str, Any], dataset: str) -> None:
    data = state.datasets[dataset] = new_dataset(state, options.pairs())
    dropped = options.all("x")
    data.received = {key: text for key, text in header["props"].items() if key not in dropped}


def _is_new(state: State, dataset: str) -> bool:
    return bool(state.datasets[dataset].partial.get("new"))


def _take_in(payload: str, source: BinaryIO, header: dict[str, Any]) -> int:
    with open(payload, "r+b" if header["offset"] else "wb", buffering=0) as file:
        came = file.seek(header["offset"])
        while came < header["bytes"]:
            piece = source.read(min(_PIECE, header["bytes"] - came))
            if not piece:
                break
            came += file.write(piece)
    return came


def _broken_off(state: State, header: dict[str, Any], target: str) -> str:
    data = state.datasets.get(target.partition("@")[0])
    words = _AGAIN if header["offset"] else _MORE if header["fromguid"] else _NEW
    if data and data.partial:
        return (
            f"{words}: checksum mismatch or incomplete stream.\n"
            "Partially received snapshot is saved.\n"
            "A resuming stream can be generated on the sending system by running:\n"
            f"    zfs send -t {token(state.folder, data.partial)}"
        )
    return f"{words}: incomplete stream"


def _finish(
    state: State, faults: Faults, options: Options, stream: tuple[dict[str, Any], str, str]
) -> None:
    header, target, payload = stream
    dataset, _, short = target.partition("@")
    if dataset not in state.datasets:
        _add(state, options, header, dataset)
    data = state.datasets[dataset]
    with open(payload, "rb") as file:
        if zlib.crc32(file.read()) != header["sum"]:
            raise Refused(f"{_MORE if header['fromguid'] else _NEW}: checksum mismatch")
    gone, changed = (list(map(os.fsencode, header[key])) for key in ("gone", "changed"))
    unpack(state.place(data.folder), payload, gone, changed)
    os.unlink(payload)
    data.partial = {}
    folder = f"{header['toguid']:016x}.{state.next_txg()}"
    copy(state.place(data.folder), state.place(folder))
    data.snapshots[short] = Snapshot(
        guid=header["toguid"], createtxg=state.txg, creation=header["creation"], folder=folder,
        props=header["snapprops"], holds={}, used=0, referenced=24576,
    )  # fmt: skip
    if not options.has("u") and not data.mounted:
        show(state, faults, dataset)


def _abort(state: State, faults: Faults, dataset: str) -> int:
    exists(state, faults, dataset)
    data = state.datasets[dataset]
    if not data.partial:
        raise Refused(f"'{dataset}' does not have any resumable receive state to abort")
    new, data.partial = data.partial["new"], {}
    if new:
        remove(state, data.folder)
        del state.datasets[dataset]
    return 0
