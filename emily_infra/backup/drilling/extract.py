"""Getting files, or all of them, out of a copy into an empty folder."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from emily_infra.backup.progress import Going, Progress
from emily_infra.backup.restic.messages import Message
from emily_infra.backup.restic.patterns import escaped
from emily_infra.backup.restic.program import Call, Restic

_WAIT = 3600.0
"""Seconds for a prune to let go of the repository."""
_AT_ONCE = 64 << 10
"""Bytes of names in arguments; Linux takes 2 MiB of them all in all."""
_FAILED = 1


@dataclass(frozen=True)
class Extract:
    """What is taken out of which copy."""

    restic: Restic
    copy: str
    place: Path
    """The folder of the dataset, as restic knows it."""
    paths: Sequence[bytes] | None
    """Below that folder; nothing means all of it."""


def extract(wanted: Extract, folder: Path, progress: Progress) -> tuple[str, ...]:
    """Restore into FOLDER/NAME; what restic complained of. An error where it could not work."""
    complaints: list[str] = []
    for words in _runs(wanted, folder):
        call = Call(
            ("restore", f"{wanted.copy}:{wanted.place.parent}", "--target", str(folder),
             "--sparse", *words),
            wait=_WAIT,
        )  # fmt: skip
        done = wanted.restic.talk(call, lambda message: _tell(message, progress))
        complaints += done.complaints
        # 1 is also the exit code where some files came out and others are damaged: the comparison
        # tells that. Where nothing came out, there is nothing to compare.
        if done.status not in (0, _FAILED) or (
            done.status == _FAILED and not (folder / wanted.place.name).exists()
        ):
            raise wanted.restic.fault(done)
    return tuple(complaints)


def _runs(wanted: Extract, folder: Path) -> Iterator[tuple[str, ...]]:
    """The arguments that choose what is restored; names that a list cannot hold go by themselves.

    restic strips lines of such a list, and puts variables of the environment into them.
    """
    top = "/" + escaped(wanted.place.name)
    if wanted.paths is None:
        yield ("--include", top)
        return
    patterns = [f"{top}/{escaped(os.fsdecode(each))}" for each in wanted.paths]
    plain = [each for each in patterns if _is_plain(each)]
    odd = [each for each in patterns if not _is_plain(each)]
    if plain:
        listing = folder.with_name(f"{folder.name}.names")
        listing.write_bytes(b"".join(os.fsencode(each) + b"\n" for each in plain))
        yield ("--include-file", str(listing))
    while odd:
        words: list[str] = []
        size = 0
        while odd and (not words or size + len(os.fsencode(odd[-1])) < _AT_ONCE):
            size += len(os.fsencode(odd[-1]))
            words += ["--include", odd.pop()]
        yield tuple(words)


def _is_plain(pattern: str) -> bool:
    return pattern.isprintable() and "$" not in pattern and not pattern[-1].isspace()


def _tell(message: Message, progress: Progress) -> None:
    if message.kind == "status":
        done, total = message.number("bytes_restored"), message.number("total_bytes")
        files, of_files = message.number("files_restored"), message.number("total_files")
        progress(Going(int(done), int(total), int(files), int(of_files)))
