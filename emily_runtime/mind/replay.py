"""A recorded run, run again: the same inputs must lead to the same bits."""

from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from emily_runtime.messages import Refused
from emily_runtime.mind import records
from emily_runtime.mind.composing import awake, settings, unplain
from emily_runtime.mind.cycle import Mind, arrive, cycle, remind, settle
from emily_runtime.mind.settings import Settings


class Divergence(Struct, frozen=True):
    """The first record whose state came out otherwise."""

    place: int
    """Among the records of the mind, from 0."""
    topic: str
    recorded: str
    computed: str


class Replayed(Struct, frozen=True):
    """What a replay came to."""

    records: int
    cycles: int
    divergence: Divergence | None
    digest: str
    """Of the last state."""


class _Run(NamedTuple):
    settings: Settings
    mind: Mind


def replay(messages: Iterable[tuple[str, Any]]) -> Replayed:
    """Topics and payloads as recorded; Refused where the start is missing or a record is broken."""
    run: _Run | None = None
    count = cycles = 0
    digest = ""
    for topic, payload in messages:
        kind = records.KINDS.get(topic)
        if kind is None:
            continue
        try:
            record: Any = msgspec.convert(payload, kind)
        except msgspec.ValidationError as error:
            raise Refused("EMY-7091", place=count, reason=error) from None
        if run is None and not isinstance(record, records.Begun):
            raise Refused("EMY-7090")
        run = _after(run, record)
        digest = records.digest(run.mind)
        if digest != record.digest:
            return Replayed(count, cycles, Divergence(count, topic, record.digest, digest), digest)
        count += 1
        cycles += topic == records.CYCLED
    if run is None:
        raise Refused("EMY-7090")
    return Replayed(count, cycles, None, digest)


def _after(run: _Run | None, record: Any) -> _Run:
    if run is None or isinstance(record, records.Begun):
        fresh = settings(unplain(record.config))
        return _Run(fresh, awake(fresh, record.habits))
    by, mind = run
    match record:
        case records.Reloaded():
            by = settings(unplain(record.config))
        case records.HeardRecord():
            mind, _ = arrive(by, mind, record.heard, record.now)
        case records.RemindedRecord():
            mind = remind(by, mind, record.recalled, record.time)
        case records.CycledRecord():
            mind, _ = cycle(by, mind, record.measures, record.now)
        case records.DoneRecord():
            mind = settle(by, mind, record.deed)
    return _Run(by, mind)
