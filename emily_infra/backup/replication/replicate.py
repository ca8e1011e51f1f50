"""Snapshots of this host to a second ZFS host, one dataset after the other."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from emily_infra.backup.here import Here
from emily_infra.backup.locks import locked
from emily_infra.backup.replication.courier import Courier, Progress, Watch
from emily_infra.backup.replication.far import Far
from emily_infra.backup.replication.faults import NotReached
from emily_infra.backup.replication.memory import Memory
from emily_infra.errors import EmilyError

CAP = 14
"""Periods without progress after which a target pins no snapshots any more."""
LEAST_CAP = timedelta(days=7)
_ENOUGH = 64 << 20


def _unwatched(progress: Progress) -> None:
    """Nobody looks."""


@dataclass(frozen=True)
class Wish:
    """What whoever starts a run wants of it."""

    anew: frozenset[str] = frozenset()
    """Datasets to send as a whole, where they were sent before and are gone over there."""
    pauses: tuple[float, ...] = (5.0, 20.0, 60.0)
    """Seconds to wait after each break of the line that let little through."""
    watch: Watch = _unwatched


@dataclass(frozen=True)
class Outcome:
    """What became of one dataset."""

    dataset: str
    snapshots: int
    """Sent in this run."""
    bytes: int
    newest: datetime | None
    """When the newest snapshot over there was taken, as the far side said."""
    error: EmilyError | None


@dataclass
class _Run:
    here: Here
    far: Far
    wish: Wish
    memory: Memory
    lost: NotReached | None = None
    behind: list[str] = field(default_factory=list)

    def outcome(self, dataset: str) -> Outcome:
        """Bring one dataset; what stands in its way stops no other one."""
        above = next((each for each in self.behind if dataset.startswith(f"{each}/")), "")
        courier = Courier(
            self.here, self.far, dataset, self.wish.watch, dataset in self.wish.anew, above
        )
        error: EmilyError | None = self.lost
        try:
            if self.lost is None:
                self._bring(courier)
        except EmilyError as failed:
            error = failed
            self.lost = failed if isinstance(failed, NotReached) else None
        self._note(courier, error)
        if error:
            self.behind.append(dataset)
            self._let_go(courier)
        newest = self.memory.of(dataset).newest
        when = datetime.fromtimestamp(newest, UTC) if newest is not None else None
        return Outcome(dataset, courier.snapshots, courier.bytes, when, error)

    def _bring(self, courier: Courier) -> None:
        """Again after a break of the line, as long as that brings it further."""
        pauses = list(self.wish.pauses)
        while True:
            before = courier.bytes
            try:
                return courier.bring()
            except NotReached as error:
                moved = courier.bytes - before
                if not moved or (moved < _ENOUGH and not pauses):
                    raise
                pause = pauses.pop(0) if pauses else self.wish.pauses[-1]
                self.here.tell(f"{error}; it goes on in {pause:g} s")
                time.sleep(pause)

    def _note(self, courier: Courier, error: EmilyError | None) -> None:
        past = self.memory.of(courier.dataset)
        if error is None:
            past.success = self.memory.now()
        if error is None or courier.bytes:
            past.moved = self.memory.now()
        if courier.newest:
            past.newest = courier.newest.creation

    def _let_go(self, courier: Courier) -> None:
        """An absent target does not fill this host: in the end it keeps only bookmarks."""
        period = timedelta(seconds=self.far.told.period)
        since = self.here.now() - max(CAP * period, LEAST_CAP)
        try:
            if self.lost is not None:
                courier.look()
            held = [each for each in courier.taken if each.creation < since]
            if not held or self.memory.unmoved_since(courier.dataset, since) > since:
                return
            free = courier.pins.let_go(held, since)
        except EmilyError as error:
            self.here.tell(f"{courier.dataset}: {error}")
            return
        for name in free:
            self.here.tell(
                f"{name} is not held for {self.far.name} any more, which got nothing since "
                f"{since:%Y-%m-%d}; a bookmark stays, so that the next copy still sends only "
                "what changed"
            )


def replicate(here: Here, target: str, wish: Wish | None = None) -> list[Outcome]:
    """Bring every dataset of a target there, as far as that goes; Busy where a run is at it."""
    far = Far(here, target)
    datasets = here.settings.sent_to(target)
    with locked(here, f"replica-{target}", verb=f"replicate {target}"):
        far.prepare()
        run = _Run(here, far, wish or Wish(), Memory.load(here, target))
        try:
            return [run.outcome(dataset) for dataset in datasets]
        finally:
            run.memory.store(datasets)
