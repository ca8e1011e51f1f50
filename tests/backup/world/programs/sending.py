"""zfs send: the difference between two snapshots as a stream of the world's own.

A stream is ZFS's own first record, a line of JSON and so many bytes of a tar; several may follow
one another. One that goes on where another broke off leaves out the bytes that have arrived.
"""

from __future__ import annotations

import json
import os
import sys
import time
import zlib
from collections.abc import Iterator, Sequence

from .answers import Options, Refused, Usage, complain, say
from .faults import Faults, violation
from .listing import exists
from .properties import Asked
from .record import beginning
from .snapshots import in_use
from .state import Bookmark, Snapshot, State, reading
from .trees import differing, pack, paths

TYPE_CHECKING = False  # typing itself is slow to import
if TYPE_CHECKING:
    from typing import Any

_PIECE = 1 << 16


def zfs_send(folder: str, faults: Faults, argv: Sequence[str]) -> int:
    """`zfs send`; the state is not locked while it lasts, and what is sent is busy."""
    options = Options(argv, "i:I:RpVvnPLehbct:w")
    for letter, why in {"w": "raw streams bind both ends to one key", "R": "all below"}.items():
        if options.has(letter):
            violation(folder, "zfs", ["send", *argv], why)
            raise Refused(f"the world sends nothing this way: {why}")
    with reading(folder) as state:
        steps = list(_steps(state, faults, options))
        held = [in_use(state, source.snapshot) for source, _, _ in steps]
    sent = 0
    try:
        for source, base, offset in steps:
            sent += _send(faults, options, (source, base, offset), sent)
    finally:
        for descriptor in held:
            os.close(descriptor)
    if options.has("n") and options.has("P"):
        say(f"size\t{sent}")
    return 0


Step = tuple[Asked, "Snapshot | Bookmark | None", int]


def _steps(state: State, faults: Faults, options: Options) -> Iterator[Step]:
    token = options.last("t")
    if token:
        if options.words or options.values[1:]:
            raise Usage("invalid flags combined with -t")
        yield _resumed(state, faults, token)
        return
    if len(options.words) != 1:
        raise Usage("missing snapshot argument" if not options.words else "too many arguments")
    name = options.words[0]
    exists(state, faults, name)
    if "@" not in name:
        raise Refused(f"cannot open '{name}': operation not applicable to datasets of this type")
    source = Asked(state, faults, name)
    if source.value("keystatus")[0] == "unavailable":
        raise Refused(f"warning: cannot send '{name}': dataset key must be loaded")
    base = _base(source, options.last("i") or options.last("I"))
    between = _between(source, base) if options.all("I") else []
    for each in [*between, source]:
        yield each, base, 0
        base = each.snapshot


def _base(source: Asked, text: str) -> Snapshot | Bookmark | None:
    if not text:
        return None
    short = text.partition("@")[2] or text.partition("#")[2] or text
    given: dict[str, Any] = source.data.bookmarks if "#" in text else source.data.snapshots
    words = f"warning: cannot send '{source.name}'"
    if text[0] not in "@#" and text.partition("@")[0].partition("#")[0] not in (source.owner, text):
        raise Refused(f"{words}: not an earlier snapshot from the same fs")
    if short not in given:
        raise Refused(f"{words}: incremental source ({text}) does not exist")
    base: Snapshot | Bookmark = given[short]
    assert source.snapshot
    if base.createtxg >= source.snapshot.createtxg:
        raise Refused(f"{words}: not an earlier snapshot from the same fs")
    return base


def _between(source: Asked, base: Snapshot | Bookmark | None) -> list[Asked]:
    assert source.snapshot
    first = base.createtxg if base else 0
    taken = sorted(source.data.snapshots.items(), key=lambda item: item[1].createtxg)
    return [
        Asked(source.state, source.faults, f"{source.owner}@{short}")
        for short, each in taken
        if first < each.createtxg < source.snapshot.createtxg
    ]


def _resumed(state: State, faults: Faults, token: str) -> Step:
    words = "cannot resume send"
    try:
        told = json.loads(bytes.fromhex(token.removeprefix("1-")))
        name, guid, fromguid = told["toname"], told["toguid"], told["fromguid"]
    except (ValueError, KeyError):
        raise Refused(f"{words}: resume token is corrupt (invalid format)") from None
    snapshot = state.snapshot(name)
    if not snapshot:
        raise Refused(f"{words}: '{name}' used in the initial send no longer exists")
    if snapshot.guid != guid:
        changed = "is no longer the same snapshot used in the initial send"
        raise Refused(f"{words}: '{name}' {changed}")
    source = Asked(state, faults, name)
    bases: list[Snapshot | Bookmark] = [
        *source.data.snapshots.values(),
        *source.data.bookmarks.values(),
    ]
    found = [base for base in bases if base.guid == fromguid]
    if fromguid and not found:
        raise Refused(f"{words}: incremental source {fromguid:#x} no longer exists")
    return source, found[0] if found else None, told["bytes"]


def _send(faults: Faults, options: Options, step: Step, before: int) -> int:
    source, base, offset = step
    state = source.state
    assert source.snapshot
    new = state.place(source.snapshot.folder or "nothing")
    old = state.place(base.folder or "nothing") if base else state.place("nothing")
    changed, gone = differing(old, new) if base else (sorted(paths(new)), [])
    payload = os.path.join(state.folder, "run", f"send.{os.getpid()}")
    pack(new, changed, payload)
    with open(payload, "rb") as file:
        os.unlink(payload)
        whole = file.read()
    header = _header(step, options, whole, (changed, gone))
    _announce(options, source, base, len(whole) - offset)
    if not options.has("n"):
        line = beginning(header) + json.dumps(header).encode() + b"\n"
        _write(faults, line + whole[offset:], before)
    return len(whole) - offset


def _header(
    step: Step, options: Options, whole: bytes, trees: tuple[list[bytes], list[bytes]]
) -> dict[str, Any]:
    source, base, offset = step
    assert source.snapshot
    sent = options.has("p") or options.has("b")
    return {
        "stream": "emily-world", "toname": source.name, "toguid": source.snapshot.guid,
        "fromguid": base.guid if base else 0, "creation": source.snapshot.creation,
        "bytes": len(whole), "offset": offset, "sum": zlib.crc32(whole),
        "changed": [os.fsdecode(path) for path in trees[0]],
        "gone": [os.fsdecode(path) for path in trees[1]],
        "props": source.data.props if sent else {},
        "snapprops": source.snapshot.props if sent else {},
    }  # fmt: skip


def _announce(options: Options, source: Asked, base: object, size: int) -> None:
    tell = say if options.has("n") else complain
    if options.has("P"):
        bases = {**source.data.snapshots, **source.data.bookmarks}
        name = next((short for short, each in bases.items() if each is base), "")
        kind = f"incremental\t{name}" if base else "full"
        tell(f"{kind}\t{source.name}\t{size}")
    elif options.has("v"):
        tell(f"{'send' if base else 'full send'} of {source.name} estimated size is {size}B")


def _write(faults: Faults, data: bytes, before: int) -> None:
    limit = faults.breaks_after()
    for at in range(0, len(data), _PIECE):
        piece = data[at : at + _PIECE]
        if limit is not None and before + at + len(piece) > limit:
            os.write(1, piece[: max(0, limit - before - at)])
            raise Refused("warning: cannot send: signal received")
        try:
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            raise Refused("warning: cannot send: Broken pipe") from None
        time.sleep(faults.trickle())
