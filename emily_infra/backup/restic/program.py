"""restic, driven by its program: the one place that knows its arguments and environment."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import inf
from pathlib import Path

from emily_infra.backup.faults import BackupError
from emily_infra.backup.here import Here
from emily_infra.backup.restic import keys
from emily_infra.backup.restic.faults import ResticFailed, TooOld
from emily_infra.backup.restic.messages import Message, parse
from emily_infra.backup.restic.outcome import DONE, Done, fault
from emily_infra.backup.settings import Repository
from emily_infra.machine import CommandFailed, Expired, Program, stream

OLDEST = (0, 17)
_HARD_LINKS = "device-id-for-hardlinks"
_KEEP_ALIVE = "-o ServerAliveInterval=15 -o ServerAliveCountMax=8"
"""ssh by itself waits for ever for a server that went away without a word."""
_REMEMBERED = 100
_CLEANING_UP = 30.0
"""Seconds that restic gets to remove its lock."""


def unheard(message: Message) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Call:
    """One run of restic."""

    words: tuple[str, ...]
    folder: Path | None = None
    wait: float = 0.0
    """Seconds to wait for a lock that somebody else holds."""
    deadline: float = inf
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Restic:
    """The program, and the repository that it works on."""

    here: Here
    name: str

    @cached_property
    def repository(self) -> Repository:
        """What host.json says of it."""
        return self.here.repository(self.name)

    @property
    def tag(self) -> str:
        """The one tag of our copies there."""
        return f"emily-{self.name}"

    @property
    def cache(self) -> Path:
        """What it may remember of this repository; may go at any time that nobody works on it."""
        return self.here.settings.paths.cache / "restic" / self.name

    def talk(self, call: Call, hear: Callable[[Message], None] = unheard) -> Done:
        """Run restic; each message is heard as it comes. Any exit status is for the caller."""
        complaints = _Complaints()

        def heard(line: bytes) -> None:
            message = parse(line)
            if message.kind != "text":  # prune tells its result in words
                complaints.note(message)
            hear(message)

        def complained(line: bytes) -> None:
            complaints.note(message := parse(line))
            hear(message)

        try:
            ending = stream(
                self.program(call), heard, on_complaint=complained, deadline=call.deadline
            )
        except Expired as error:
            raise self._silent(call, complaints) from error
        return Done(-1 if ending.status is None else ending.status, complaints.all())

    def must(self, call: Call, hear: Callable[[Message], None] = unheard) -> Done:
        """As `talk`, where anything but success is an error."""
        done = self.talk(call, hear)
        if done.status != DONE:
            raise self.fault(done)
        return done

    def answer(self, call: Call) -> bytes:
        """All that restic says on stdout, for answers that are one document."""
        answer = bytearray()
        complaints = _Complaints()
        try:
            ending = stream(
                self.program(call),
                lambda line: answer.extend(line + b"\n"),
                on_complaint=lambda line: complaints.note(parse(line)),
                deadline=call.deadline,
            )
        except Expired as error:
            raise self._silent(call, complaints) from error
        if ending.status != DONE:
            raise self.fault(Done(-1 if ending.status is None else ending.status, complaints.all()))
        return bytes(answer)

    def fault(self, done: Done) -> BackupError:
        """The error for a run that did not end well."""
        return fault(self.name, self.repository.url, done)

    def program(self, call: Call) -> Program:
        """The command and its environment; no secret and no address stands in an argument."""
        words = ["restic", "--json"]
        if call.wait:
            words += ["--retry-lock", f"{int(call.wait)}s"]
        if self.repository.url.startswith("sftp:"):
            words += ["-o", f"sftp.args={_KEEP_ALIVE}"]
        if self.repository.upload_kib:
            words += ["--limit-upload", str(self.repository.upload_kib)]
        return Program(
            (*words, *call.words),
            {**self._environment, **call.environment},
            call.folder,
            patience=_CLEANING_UP,
        )

    @cached_property
    def _environment(self) -> dict[str, str]:
        features = known_features(self.here)
        return {
            **self.here.environment,
            **keys.environment(self.here, self.repository.environment),
            "RESTIC_REPOSITORY": self.repository.url,
            "RESTIC_PASSWORD_FILE": str(keys.password_file(self.here, self.repository.password)),
            "RESTIC_CACHE_DIR": str(self.cache),
            "RESTIC_PROGRESS_FPS": "2",
            **({"RESTIC_FEATURES": f"{_HARD_LINKS}=true"} if _HARD_LINKS in features else {}),
            # A local time that an hour repeats would name two moments.
            "TZ": "UTC",
        }

    def _silent(self, call: Call, complaints: "_Complaints") -> BackupError:
        said = (*complaints.all(), f"no answer within {call.deadline:g} s")
        return self.fault(Done(1, said))


def known_features(here: Here) -> str:
    """The features that this restic knows; TooOld where it is missing or from before 0.17.

    Without the exit codes of 0.17 a locked repository, a missing one and a wrong password look
    alike, and `forget` with a mistyped tag removes everything.
    """
    needed = f"restic {OLDEST[0]}.{OLDEST[1]} or newer is needed"
    hint = "NixOS and Debian 13 have a newer one; Debian 12's 0.14 will not do"
    try:
        text = here.run("restic", "version")
        version = re.match(r"restic (\d+)\.(\d+)", text)
        if not version or tuple(map(int, version.groups())) < OLDEST:
            raise TooOld(f"{text.strip()[:100]}: {needed}", hint=hint)
        return here.run("restic", "features")
    except CommandFailed as error:
        raise TooOld(f"{needed}: {error.stderr.strip()[:200]}", hint=hint) from error


def document(restic: Restic, *words: str, deadline: float = 600.0) -> dict[str, object]:
    """An answer that is one object, read without a lock."""
    text = restic.answer(Call(("--no-lock", *words), deadline=deadline))
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise ResticFailed(
            f"repository {restic.name}: restic {' '.join(words[:2])} answered something else",
            hint=f"look at it by hand: restic {' '.join(words)}",
        )
    return data


def waiting(call: Call, seconds: float) -> Call:
    """The same run, which waits for a lock."""
    return replace(call, wait=seconds)


class _Complaints:
    """What restic said was wrong: bounded, the beginning and the end."""

    def __init__(self) -> None:
        self._first: list[str] = []
        self._last: list[str] = []

    def note(self, message: Message) -> None:
        """Remember it, if it is a complaint."""
        if message.kind not in ("error", "exit_error", "text"):
            return
        words = f"{message.item}: {message.words}" if message.item else message.words
        if not words:
            return
        kept = self._first if len(self._first) < _REMEMBERED else self._last
        kept.append(words[:2000])
        del self._last[:-_REMEMBERED]

    def all(self) -> tuple[str, ...]:
        """What is remembered."""
        return (*self._first, *self._last)
