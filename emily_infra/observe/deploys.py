"""The flight recorder: what every deploy left on the machine, and who holds the lock."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from emily_infra.observe.answer import Answer
from emily_infra.observe.links import Links
from emily_infra.observe.units import Units
from emily_infra.observe.values import json_of, number, word

VERDICTS = ("committed", "abandoned", "rolled-back", "lost")
_ID = re.compile(r"/deploys/([0-9]{8}T[0-9]{6}Z-[0-9A-Za-z]+)/")
_NAME = re.compile(
    r"/var/lib/emily/deploys/([0-9][0-9A-Za-z]*T[0-9]+Z-[0-9A-Za-z]+)/(settings|events)"
)
_PENDING = "/var/lib/emily/deploys/pending"
_SWITCHING = "/run/nixos/switch-to-configuration.lock"
_TRANSIENT = "/run/systemd/transient/emily-deploy.service"
_OPERATOR = "emily-deploy.service"
_ALONE = ("emily-boot-guard.service", "emily-dead-man.service")
"""What settles a deploy without its operator: after a boot, and when its time is over."""
_STARTED = re.compile(r"([0-9]{8}T[0-9]{6})Z-")


@dataclass(frozen=True)
class Event:
    """A line of the record."""

    at: int
    """Seconds since 1970; 0 where the line does not say."""
    word: str
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Deploy:
    """One deploy, from the lease to the verdict."""

    id: str
    settings: Mapping[str, str]
    events: tuple[Event, ...]

    @property
    def who(self) -> str:
        """Who began it."""
        return self.settings.get("WHO", "")

    @property
    def from_where(self) -> str:
        """From which machine."""
        return self.settings.get("FROM_WHERE", "")

    @property
    def old(self) -> str:
        """The toplevel before."""
        return self.settings.get("OLD", "")

    @property
    def new(self) -> str:
        """The toplevel it was for."""
        return self.settings.get("NEW", "")

    @property
    def kind(self) -> str:
        """live, reboot or rollback."""
        return self.settings.get("KIND", "")

    @property
    def started(self) -> int:
        """When, in seconds since 1970."""
        written = _moment(self.settings.get("STARTED", "")) or number(self.settings.get("STARTED"))
        return written or _started(self.id)

    @property
    def verdict(self) -> str:
        """How it ended; empty while it has not."""
        return next((e.word for e in reversed(self.events) if e.word in VERDICTS), "")

    @property
    def why(self) -> str:
        """The reason that was given last for not going on."""
        reasons = (e.details["why"] for e in reversed(self.events) if e.details.get("why"))
        return next(reasons, "")

    @property
    def seconds(self) -> int | None:
        """From the first line to the verdict or to the last line."""
        times = [event.at for event in self.events if event.at]
        return max(0, times[-1] - times[0]) if len(times) > 1 else None


@dataclass(frozen=True)
class Lock:
    """Who is at work on the machine."""

    deploy: str
    """The deploy's ID; empty where it is not one of ours."""
    who: str
    since: int
    """Seconds since 1970; 0 where its name does not say."""


@dataclass(frozen=True)
class Deploys:
    """The newest deploys, oldest first, and what is going on now."""

    records: tuple[Deploy, ...] = ()
    lock: Lock | None = None
    pending: str = ""
    """The deploy that a boot would have to settle."""
    switching: bool = False
    """Whether a switch-to-configuration runs, ours or anyone's."""

    @property
    def last(self) -> Deploy | None:
        """The newest one."""
        return self.records[-1] if self.records else None

    def interrupted(self, deploy: Deploy) -> bool:
        """Whether it ended without a verdict."""
        at_work = self.lock is not None and self.lock.deploy == deploy.id
        return not deploy.verdict and not at_work


def deploys(answer: Answer, texts: Mapping[str, str], links: Links, units: Units) -> Deploys:
    """Everything that the machine says of deploys."""
    records = _records(answer.texts("state"))
    link = links.get(_PENDING)
    pending = link.target.rpartition("/")[2] if link else ""
    stc = links.get(_SWITCHING)
    locks = texts.get("/proc/locks", "")
    return Deploys(
        records=records,
        lock=_lock(records, texts.get(_TRANSIENT, ""), pending, units),
        pending=pending,
        switching=bool(stc and re.search(rf":{re.escape(stc.inode)} ", locks)),
    )


def _records(files: Mapping[str, str]) -> tuple[Deploy, ...]:
    settings: dict[str, str] = {}
    events: dict[str, str] = {}
    for path, text in files.items():
        if name := _NAME.fullmatch(path):
            (settings if name[2] == "settings" else events)[name[1]] = text
    return tuple(
        Deploy(which, _settings(settings.get(which, "")), _events(events.get(which, "")))
        for which in sorted(settings.keys() | events.keys())
    )


def _settings(text: str) -> dict[str, str]:
    try:
        words = shlex.split(text)
    except ValueError:  # cut in the middle of a value
        words = [line.replace("'", "") for line in text.splitlines()]
    return {
        name: value
        for name, equals, value in (each.partition("=") for each in words)
        if equals and name.isidentifier()
    }


def _events(text: str) -> tuple[Event, ...]:
    found = []
    for line in text.splitlines():
        try:
            record = json_of(line)
        except (ValueError, RecursionError):  # a power cut leaves half a line
            continue
        if isinstance(record, dict) and (what := word(record, "event")):
            details = {str(k): str(v) for k, v in record.items() if k not in ("at", "event")}
            found.append(Event(_moment(word(record, "at")), what, details))
    return tuple(found)


def _moment(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return 0


def _lock(records: tuple[Deploy, ...], transient: str, pending: str, units: Units) -> Lock | None:
    if units.runs(_OPERATOR):
        named = _ID.search(transient)
        which = named[1] if named else ""
    elif any(units.runs(unit) for unit in _ALONE):
        which = pending
    else:
        return None
    owner = next((each for each in records if each.id == which), None)
    return Lock(which, owner.who if owner else "", _started(which))


def _started(deploy: str) -> int:
    """The moment in a deploy's name."""
    stamp = _STARTED.match(deploy)
    return _moment(f"{stamp[1]}Z") if stamp else 0
