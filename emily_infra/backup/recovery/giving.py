"""One dataset out of a copy: restored, counted, and some of it read a second time."""

import json
import os
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from emily_infra.backup import source
from emily_infra.backup.recovery.faults import NotWhole
from emily_infra.backup.recovery.ground import Plot, mounted_at
from emily_infra.backup.restic.messages import Copy, Message
from emily_infra.backup.restic.outcome import DONE
from emily_infra.backup.restic.patterns import escaped
from emily_infra.backup.restic.program import Call, Restic
from emily_infra.backup.sample import draw, walk
from emily_infra.machine.child import Program
from emily_infra.machine.pipe import pipe

_READ_TWICE = 3
"""Files of a dataset; restic has compared all of them already, by its own reckoning."""
_NAMED = 5


@dataclass(frozen=True)
class Given:
    """What was restored of a dataset."""

    files: int
    """And folders."""
    bytes: int


def missing(restic: Restic, copy: Copy, datasets: Iterable[str]) -> list[str]:
    """Which of these datasets are not in a copy; each folder of it is asked for once."""
    settings = restic.here.settings
    places = {dataset: source.place(settings, dataset) for dataset in datasets}
    there: set[str] = set()
    for folder in sorted({place.parent for place in places.values()}):
        listed = restic.answer(Call(("--no-lock", "ls", copy.id, str(folder))))
        there |= {str(json.loads(line).get("path")) for line in listed.splitlines()}
    return [dataset for dataset, place in places.items() if str(place) not in there]


def restored(restic: Restic, copy: Copy, plot: Plot) -> Given:
    """Restore it and compare all of it; what is there of an earlier attempt is kept if it is right.

    The folder above it is what is restored, without anything but it: a restore of the folder
    itself would leave out the folder's own owner, mode and attributes.
    """
    place = source.place(restic.here.settings, plot.dataset)
    left_out = [word for each in _others(restic, plot) for word in ("--exclude", each)]
    what = f"{copy.id}:{place.parent}"
    target = str(plot.place.parent)
    heard = _Heard()
    done = restic.talk(
        Call(("restore", "--verify", *left_out, "--target", target, "--", what)), heard.hear
    )
    if done.status != DONE and not heard.failed:
        raise restic.fault(done)
    if heard.failed or heard.given.files < heard.expected:
        missing = len(heard.failed) or heard.expected - heard.given.files
        named = "".join(f"\n  {each}" for each in heard.failed[:_NAMED])
        raise NotWhole(
            f"{plot.dataset}: {missing} files were not restored as the copy has them{named}",
            hint="run the same command again: it goes on from here",
        )
    return heard.given


def _others(restic: Restic, plot: Plot) -> Iterator[str]:
    """Patterns that leave out everything but one dataset; the last one that matches counts."""
    settings = restic.here.settings
    own = source.place(settings, plot.dataset)
    yield "/*"
    yield f"!/{escaped(own.name)}"
    for dataset in sorted(settings.datasets):
        place = source.place(settings, dataset)
        if own in place.parents:
            yield f"/{escaped(str(place.relative_to(own.parent)))}"


class _Heard:
    """What `restic restore --json` has said so far."""

    def __init__(self) -> None:
        self.given = Given(0, 0)
        self.expected = 0
        self.failed: list[str] = []

    def hear(self, message: Message) -> None:
        """Take in a message."""
        if message.kind == "error":
            self.failed.append(": ".join(filter(None, (message.item, message.words))))
        elif message.kind == "summary":
            self.expected = int(message.number("total_files"))
            done = message.number("files_restored") + message.number("files_skipped")
            self.given = Given(int(done), int(message.number("total_bytes")))


def compared(restic: Restic, copy: Copy, plot: Plot) -> list[Path]:
    """Files that are not what the copy says when they are read from it once more, and alone."""
    place = source.place(restic.here.settings, plot.dataset)
    return [
        plot.place / path
        for path in _some(plot.place)
        if not _same(
            restic, Call(("--no-lock", "dump", copy.id, str(place / path))), plot.place / path
        )
    ]


def _some(top: Path) -> list[Path]:
    """A few files, each as likely as any other."""
    root, mounts = os.fsencode(top), mounted_at()
    everything = walk(root, lambda path: root + b"/" + path in mounts)
    files = (each for each in everything if each.size)
    seed = random.getrandbits(64)
    drawn = draw(files, seed, files=_READ_TWICE, size=0, room=1 << 63)
    return [Path(os.fsdecode(path)) for path in drawn.paths]


def _same(restic: Restic, call: Call, file: Path) -> bool:
    hashed = Program(("sha256sum",))
    there, digest = pipe([restic.program(call), hashed])
    with file.open("rb") as opened:
        own = pipe([hashed], source=opened.fileno())[0]
    return there.status == 0 and digest.stdout == own.stdout
