"""One dataset on its way: asked for over there, sent, and pinned here once it has arrived."""

import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from emily_infra.backup import catalogue, pools
from emily_infra.backup.catalogue import Snapshot
from emily_infra.backup.faults import BackupError
from emily_infra.backup.here import Here
from emily_infra.backup.names import pool_of
from emily_infra.backup.replication import choice
from emily_infra.backup.replication.asking import Abort, Copy, Done, Receive, There, Took
from emily_infra.backup.replication.choice import Source, Step
from emily_infra.backup.replication.far import Far
from emily_infra.backup.replication.faults import Disagree, NoRoom, NothingToSend, NotSealed
from emily_infra.backup.replication.pins import Pins
from emily_infra.errors import EmilyError
from emily_infra.machine import CommandFailed, Ending
from emily_infra.machine.child import Program
from emily_infra.machine.pipe import Meter, pipe

FLAGS = ("-L", "-c")
"""Large blocks stay large, compressed ones compressed; never -w: ADR 0035."""
_UNREAD = (0, -signal.SIGINT, -signal.SIGPIPE)
"""How a sender ends once nobody reads: by itself, or asked to."""
_PIPE_WORDS = ("Broken pipe", "signal received")
_GONE_WORDS = ("no longer", "is corrupt")
_ESTIMATE = 900.0


@dataclass(frozen=True)
class Progress:
    """How far a snapshot is on its way."""

    dataset: str
    snapshot: str
    done: int
    """Bytes."""
    total: int | None
    """About; nothing where zfs cannot tell."""


Watch = Callable[[Progress], None]


@dataclass
class Courier:
    """Brings one dataset to the far side, and counts."""

    here: Here
    far: Far
    dataset: str
    watch: Watch
    anew: bool = False
    """Send all of it, where it was sent before and is gone over there."""
    waits_for: str = ""
    """A dataset above it that did not get there."""
    snapshots: int = 0
    bytes: int = 0
    newest: Copy | None = None
    """The newest over there, as the far side said."""
    taken: list[Snapshot] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.pins = Pins(self.here, self.far.name, self.dataset)
        self._counting = threading.Lock()

    def bring(self) -> None:
        """Everything that the far side lacks; an EmilyError where that cannot be."""
        pools.alive(self.here, pool_of(self.dataset))  # else zfs hangs, and no signal ends it
        source = self._source()
        there = self._there(source)
        if there.token:
            there = self._resume(source, there, there.token)
        steps = choice.steps(source, there, self.here.now())
        if not steps and not there.newest:
            raise NothingToSend(
                f"{self.dataset} has no snapshot of ours yet",
                hint="take one: emily-infra backup snapshot",
            )
        for step in steps:
            self._send(step, there)

    def look(self) -> None:
        """See what is here, and what is held of it."""
        self.taken = catalogue.snapshots(self.here, self.dataset)
        self.pins.look(self.taken)

    def _source(self) -> Source:
        """What is here to be sent."""
        wanted = "encryption,keystatus"
        command = ("zfs", "get", "-Hp", "-o", "property,value", wanted, self.dataset)
        try:
            looks = dict(line.split("\t", 1) for line in self.here.run(*command).splitlines())
        except CommandFailed as error:
            if "does not exist" not in error.stderr:
                raise
            raise NothingToSend(
                f"{self.dataset} is not on this host any more",
                hint="if it was renamed or given up, say so in host.yaml and apply the host",
            ) from error
        self.look()
        return Source(
            self.dataset,
            self.taken,
            self.pins.bookmarks(),
            sealed=looks.get("encryption", "off") != "off",
            key_loaded=looks.get("keystatus") != "unavailable",
        )

    def _there(self, source: Source) -> There:
        """How it is over there, once it is clear that something may be sent."""
        if not source.key_loaded:
            raise NotSealed(
                f"the key of {self.dataset} is not loaded, and what is sent has to be read",
                hint=f"zfs load-key {self.dataset}",
            )
        there = self.far.state(self.dataset)
        place = f"{there.into}/{self.dataset}"
        if source.sealed and not there.sealed:
            raise NotSealed(
                f"{self.dataset} is encrypted, and {self.far.name} would keep it in the clear as "
                f"{place}; nothing was sent",
                hint=f"on {self.far.name}, receive into a dataset with a key of its own: zfs "
                "create -o encryption=on -o keyformat=passphrase POOL/NAME",
            )
        if there.sealed and not there.key_loaded:
            raise NotSealed(
                f"the key of {place} is not loaded on {self.far.name}; nothing was sent",
                hint=f"on {self.far.name}: zfs load-key -r {there.into}",
            )
        if not there.exists and self.waits_for:
            raise Disagree(
                f"{self.dataset} waits for {self.waits_for}, below which it will stand, and which "
                f"has not got to {self.far.name}",
                hint=f"see to {self.waits_for} first; this one follows with the next run",
            )
        if not self.anew:
            choice.must_be_known(source, there)
        choice.base(source, there)
        self._settle(there)
        return there

    def _settle(self, there: There) -> None:
        """Both ends as the last snapshot that arrived demands, whatever ended the last run."""
        self.newest = newest = there.newest
        if newest is None:
            return
        if not there.settled:
            self.far.tell(Done(self.dataset, newest.name, newest.guid))
        ours = next((each for each in self.taken if each.guid == newest.guid), None)
        if ours:
            self.pins.hold(ours.full)
            self.pins.remember(ours)
        if not there.token:
            self.pins.only(*([ours.full] if ours else []))

    def _resume(self, source: Source, there: There, token: str) -> There:
        """Send the rest of what broke off; where its source is gone, that half is given up."""
        try:
            text = self.here.run("zfs", "send", "-nvP", "-t", token, deadline=_ESTIMATE)
        except CommandFailed as error:
            if not any(words in error.stderr for words in _GONE_WORDS):
                raise
            self.here.tell(
                f"{self.dataset}: the snapshot that came to {self.far.name} by half is gone here; "
                "that half is given up"
            )
            self.far.tell(Abort(self.dataset, token))
            return self.far.state(self.dataset)
        name, size = estimate(text)
        known = {each.full: each for each in source.snapshots if each.mine}
        # A token comes from over there: it may name nothing but a snapshot of this dataset.
        if name not in known or "rawok" in text:
            raise Disagree(
                f"{self.far.name} asks for the rest of {name or 'something'} as {self.dataset}",
                hint=f"on {self.far.name}, give up what came by half: "
                f"zfs receive -A {there.into}/{self.dataset}",
            )
        base = there.newest.guid if there.newest else 0
        self._transfer(known[name], base, ("zfs", "send", "-t", token), (size, source.sealed))
        return self.far.state(self.dataset)

    def _send(self, step: Step, there: There) -> None:
        """One snapshot, whole or as what changed since its base."""
        since = ("-i", step.base.full) if step.base else ()
        rest = (*FLAGS, *since, step.snapshot.full)
        size = self._size(rest)
        room = there.available - self.bytes
        if size is not None and size > room:
            raise NoRoom(
                f"{step.snapshot.full} takes about {size / 1e9:.2f} GB, and {self.far.name} has "
                f"room for {max(room, 0) / 1e9:.2f} GB in {there.into}",
                hint=f"on {self.far.name}: look at quota and used: zfs list -o space {there.into}; "
                f"or keep fewer: backup.receives.{self.here.settings.host}.keep",
            )
        base = step.base.guid if step.base else 0
        self._transfer(step.snapshot, base, ("zfs", "send", *rest), (size, there.sealed))

    def _size(self, rest: tuple[str, ...]) -> int | None:
        try:
            return estimate(self.here.run("zfs", "send", "-nvP", *rest, deadline=_ESTIMATE))[1]
        except CommandFailed as error:
            if "does not exist" not in error.stderr:
                raise
            raise NothingToSend(
                f"{rest[-1]} went away while it was to be sent",
                hint="the next run sends what there is then",
            ) from error

    def _transfer(
        self, snapshot: Snapshot, base: int, argv: tuple[str, ...], about: tuple[int | None, bool]
    ) -> None:
        size, sealed = about
        self.pins.hold(snapshot.full)
        request = Receive(self.dataset, snapshot.name, snapshot.guid, base, sealed)
        limit = self.far.told.upload_kib
        meter = Meter(self._counter(snapshot, size), limit * 1024 if limit else None)
        environment = self.here.machine.environment
        programs = [Program(argv, environment), Program(self.far.argv(request), environment)]
        sent, took = pipe(programs, meter=meter)
        # What the far side has is whole: ZFS compares checksums to the last record.
        if took.status != 0:
            raise self._failure(argv, sent, took)
        answer = self.far.answer(took.stdout, Took)
        self.newest = answer.newest
        self.snapshots += 1
        self.pins.remember(snapshot)
        self.pins.only(snapshot.full)

    def _counter(self, snapshot: Snapshot, size: int | None) -> Callable[[int], None]:
        done = 0

        def count(more: int) -> None:
            nonlocal done
            with self._counting:
                done += more
                self.bytes += more
            self.watch(Progress(self.dataset, snapshot.name, done, size))

        count(0)
        return count

    def _failure(self, argv: tuple[str, ...], sent: Ending, took: Ending) -> EmilyError:
        """Whichever end failed first: the other one only sees a stream that stops."""
        theirs: BackupError = self.far.failure(took)
        stopped = sent.status in _UNREAD or any(words in sent.stderr for words in _PIPE_WORDS)
        if stopped:
            return theirs
        return CommandFailed(self.here.settings.host, argv, sent)


def estimate(text: str) -> tuple[str, int | None]:
    """What `zfs send -nvP` would send, and how many bytes that is."""
    for line in text.splitlines():
        words = line.split("\t")
        if words[0] in ("full", "incremental") and len(words) > 2 and words[-1].isdigit():
            return words[-2], int(words[-1])
    return "", None
