"""A world whose true time is known, whatever its clocks show."""

from dataclasses import dataclass, field
from pathlib import Path

from emily_runtime.providers.spending import Window

MEMORY = next((folder for folder in (Path("/dev/shm"),) if folder.is_dir()), None)
"""Where thousands of commits need no disk."""
SECOND = 1_000_000_000
LIMITS = (Window("hour", 3_600, 1_000), Window("day", 86_400, 3_000))


@dataclass
class World:
    """True time, the boots, and a wall clock that may be wrong."""

    true_ns: int = 0
    boot: int = 0
    booted_ns: int = 0
    skew_ns: int = 0

    def monotonic_ns(self) -> int:
        return self.true_ns - self.booted_ns

    def wall(self) -> float:
        return 1_790_000_000 + (self.true_ns + self.skew_ns) / SECOND

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self.true_ns += round(seconds * SECOND)

    def reboot(self, off_seconds: float, skew_seconds: float) -> None:
        self.advance(off_seconds)
        self.boot += 1
        self.booted_ns = self.true_ns
        self.skew_ns = round(skew_seconds * SECOND)


@dataclass
class Bills:
    """What the provider really asked for, by true time."""

    world: World
    sums: list[tuple[int, int]] = field(default_factory=list)

    def add(self, microdollars: int) -> None:
        self.sums.append((self.world.true_ns, microdollars))

    def within(self, window: Window) -> int:
        since = self.world.true_ns - window.seconds * SECOND
        return sum(amount for at, amount in self.sums if at > since)
