"""Money is set aside before a call and settled after it, in one file that all processes share."""

import fcntl
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from emily_runtime.nerves.clock import Clock
from emily_runtime.providers.elapsed import (
    NANOSECONDS,
    Seen,
    elapsed_ns,
    look,
    remembered,
    this_boot,
)
from emily_runtime.providers.spending import (
    LIMITS,
    Balance,
    BudgetUnusable,
    Reservation,
    Spent,
    Window,
)

PATIENCE = 5.0
"""Seconds to wait for another process that writes."""
MINUTE_NS = 60 * NANOSECONDS
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS spent"
    " (minute INTEGER PRIMARY KEY, microdollars INTEGER NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS reserved"
    " (identity INTEGER PRIMARY KEY AUTOINCREMENT, microdollars INTEGER NOT NULL,"
    " until_ns INTEGER NOT NULL, minute INTEGER) STRICT",
    "CREATE TABLE IF NOT EXISTS time"
    " (one INTEGER PRIMARY KEY CHECK (one = 1), boot TEXT NOT NULL,"
    " monotonic_ns INTEGER NOT NULL, wall_ns INTEGER NOT NULL, now_ns INTEGER NOT NULL) STRICT",
)
"""A reservation with a minute has run out, and counts as spent in that minute."""


class Budget:
    """At every moment spent + reserved <= most in every window, over all processes and restarts.

    Every method may block for PATIENCE and may be called from any thread; BudgetUnusable where
    the file does not let itself be read or written.
    """

    def __init__(
        self,
        file: Path,
        limits: Sequence[Window] = LIMITS,
        *,
        clock: Clock,
        boot: str | None = None,
    ) -> None:
        self.limits = tuple(limits)
        self._file = file
        self._clock = clock
        self._boot = this_boot() if boot is None else boot
        self._lock = threading.Lock()
        with _told(file):
            self._database = _opened(file)
        self.balances()  # after a boot, the sooner it looks, the less the wall clock is trusted

    def reserve(self, microdollars: int, seconds: float) -> Reservation:
        """Set aside what a call may cost at most, or Spent.

        Unless it is settled within SECONDS, it counts as spent in full from then on.
        """
        with self._transaction() as now_ns:
            short = [at for at in self._balances(now_ns) if at.left < microdollars]
            if not short:
                row = self._database.execute(
                    "INSERT INTO reserved (microdollars, until_ns) VALUES (?, ?)",
                    (microdollars, now_ns + round(seconds * NANOSECONDS)),
                )
                return Reservation(row.lastrowid or 0, microdollars)
        raise Spent(short[0], microdollars)

    def settle(self, reservation: Reservation, microdollars: int) -> None:
        """Exchange a reservation for what the call did cost; a second time, nothing happens.

        One that has run out in between is put right in the minute in which it was charged.
        """
        with self._transaction() as now_ns:
            row = self._database.execute(
                "DELETE FROM reserved WHERE identity = ? RETURNING microdollars, minute",
                (reservation.identity,),
            ).fetchone()
            if row is None:
                return
            reserved, minute = row
            if minute is None:
                self._charge(now_ns // MINUTE_NS, microdollars)
            else:
                self._charge(minute, microdollars - reserved)

    def release(self, reservation: Reservation) -> None:
        """Give back what was reserved for a call that cost nothing."""
        self.settle(reservation, 0)

    def balances(self) -> list[Balance]:
        """How every window stands."""
        with self._transaction() as now_ns:
            return self._balances(now_ns)

    def close(self) -> None:
        """Let go of the file; what is reserved stays so."""
        with self._lock:
            self._database.close()

    @contextmanager
    def _transaction(self) -> Iterator[int]:
        """The budget's own time, in nanoseconds, while no other process can write."""
        with self._lock, _told(self._file):
            self._database.execute("BEGIN IMMEDIATE")
            try:
                now_ns = self._moved()
                self._run_out(now_ns)
                yield now_ns
                self._database.commit()
            except BaseException:
                self._database.rollback()
                raise

    def _moved(self) -> int:
        seen, now_ns = look(self._clock, self._boot), 0
        row = self._database.execute(
            "SELECT boot, monotonic_ns, wall_ns, now_ns FROM time"
        ).fetchone()
        if row is not None:
            before = Seen(*row[:3])
            now_ns = row[3] + elapsed_ns(before, seen)
            seen = remembered(before, seen)
        self._database.execute("REPLACE INTO time VALUES (1, ?, ?, ?, ?)", (*seen, now_ns))
        return now_ns

    def _run_out(self, now_ns: int) -> None:
        """Charge what nobody has settled in time; forget what lies before every window."""
        minute = now_ns // MINUTE_NS
        for (microdollars,) in self._database.execute(
            "UPDATE reserved SET minute = ? WHERE minute IS NULL AND until_ns <= ?"
            " RETURNING microdollars",
            (minute, now_ns),
        ).fetchall():
            self._charge(minute, microdollars)
        oldest = _first_minute(now_ns, max(window.seconds for window in self.limits))
        self._database.execute("DELETE FROM reserved WHERE minute < ?", (oldest,))
        self._database.execute("DELETE FROM spent WHERE minute < ?", (oldest,))

    def _charge(self, minute: int, microdollars: int) -> None:
        self._database.execute(
            "INSERT INTO spent VALUES (?, ?) ON CONFLICT (minute)"
            " DO UPDATE SET microdollars = microdollars + excluded.microdollars",
            (minute, microdollars),
        )

    def _balances(self, now_ns: int) -> list[Balance]:
        reserved = self._sum("SELECT SUM(microdollars) FROM reserved WHERE minute IS NULL")
        spent = "SELECT SUM(microdollars) FROM spent WHERE minute >= ?"
        return [
            Balance(window, self._sum(spent, _first_minute(now_ns, window.seconds)), reserved)
            for window in self.limits
        ]

    def _sum(self, query: str, *values: int) -> int:
        return int(self._database.execute(query, values).fetchone()[0] or 0)


def _first_minute(now_ns: int, seconds: int) -> int:
    """The minute in which a window begins; it counts in full, so a window is never too short."""
    return (now_ns - seconds * NANOSECONDS) // MINUTE_NS


def _opened(file: Path) -> sqlite3.Connection:
    # Two processes that turn on the write-ahead log at once refuse one another without waiting.
    with file.with_name(f"{file.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        database = sqlite3.connect(
            file, timeout=PATIENCE, isolation_level=None, check_same_thread=False
        )
        database.execute("PRAGMA journal_mode = WAL")
        # A power cut must not forget what was spent; NORMAL would lose the last commits.
        database.execute("PRAGMA synchronous = FULL")
        for table in SCHEMA:
            database.execute(table)
        return database


@contextmanager
def _told(file: Path) -> Iterator[None]:
    """Tell a person about a file that fails."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise BudgetUnusable(file, error) from None
