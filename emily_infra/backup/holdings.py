"""What the copies in a repository hold at a path."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emily_infra.backup import source
from emily_infra.backup.here import Here
from emily_infra.backup.restic.messages import Message, moment
from emily_infra.backup.restic.patterns import escaped
from emily_infra.backup.restic.program import Call, Restic
from emily_infra.backup.restic.repository import contact, own_copies
from emily_infra.backup.versions import Body, Place, Version

_KINDS = {"file": "file", "dir": "folder", "symlink": "link"}
_FRACTION = re.compile(r"\.(\d+)")
_DEADLINE = 3600.0


@dataclass(frozen=True)
class Kept:
    """A repository, and a path in its copies."""

    restic: Restic
    wanted: Place

    @property
    def path(self) -> Path:
        """Where the copies have it: below the folder of mounted snapshots."""
        return source.place(self.restic.here.settings, self.wanted.dataset) / self.wanted.below

    def versions(self, *, folder: bool) -> Iterator[Version]:
        """What each copy holds.

        A file is looked for in all of them by one call; `restic find` would list all that is below
        a folder, so a folder takes a call for each copy.
        """
        there = own_copies(self.restic)
        found = None if folder else self._found()
        for each in there:
            body = self.body(each.id) if found is None else found.get(each.id)
            yield Version(each.time, self.restic.name, each.id, body)

    def body(self, copy: str) -> Body | None:
        """What one copy holds."""
        first: list[Body] = []

        def hear(message: Message) -> None:
            if not first and "type" in message.body and "path" in message.body:
                first.append(_body(message.body))

        words = ("ls", "--no-lock", copy, os.fsdecode(self.path))
        self.restic.must(Call(words, deadline=_DEADLINE), hear)
        return first[0] if first else None

    def _found(self) -> dict[str, Body] | None:
        """By copy; nothing where the path is a folder in one of them."""
        pattern = escaped(os.fsdecode(self.path))
        ours = ("--host", self.restic.here.settings.host, "--tag", self.restic.tag)
        words = ("find", "--no-lock", *ours, "--", pattern)
        text = self.restic.answer(Call(words, deadline=_DEADLINE))
        try:
            data = json.loads(text or b"[]")
        except ValueError:  # a line longer than any list of files: there is a folder
            return None
        return {
            each["snapshot"]: _body(each["matches"][0]) for each in data or () if each["matches"]
        }


def kept(here: Here, repository: str, wanted: Place) -> Kept:
    """A path in the copies of a repository, which answers."""
    return Kept(contact(here, repository), wanted)


def _body(raw: Mapping[str, Any]) -> Body:
    kind = _KINDS.get(str(raw.get("type")), "other")
    size = int(raw.get("size", 0)) if kind == "file" else 0
    return Body(kind, size, _nanoseconds(str(raw.get("mtime", ""))))


def _nanoseconds(text: str) -> int:
    """A time of restic's, to its last digit."""
    try:
        whole = moment(_FRACTION.sub("", text))
    except ValueError:
        return 0
    fraction = _FRACTION.search(text)
    rest = int(fraction[1][:9].ljust(9, "0")) if fraction else 0
    return int(whole.timestamp()) * 10**9 + rest
