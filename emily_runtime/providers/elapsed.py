"""How much time has passed for the budget, whatever people and time servers do to the clock."""

from pathlib import Path
from typing import NamedTuple

from emily_runtime.nerves.clock import Clock

NANOSECONDS = 1_000_000_000
BOOT = Path("/proc/sys/kernel/random/boot_id")


class Seen(NamedTuple):
    """What the clocks showed, or what is remembered of that."""

    boot: str
    monotonic_ns: int
    wall_ns: int


def look(clock: Clock, boot: str) -> Seen:
    """Both clocks, now."""
    return Seen(boot, clock.monotonic_ns(), round(clock.wall() * NANOSECONDS))


def elapsed_ns(before: Seen, now: Seen) -> int:
    """Nanoseconds between two looks, never more than truly passed within one boot.

    Within a boot the monotonic clock counts, which nobody can set. Across a boot there is only
    the wall clock; where it went back, no time has passed.
    """
    if now.boot == before.boot and now.monotonic_ns >= before.monotonic_ns:
        return now.monotonic_ns - before.monotonic_ns
    return max(0, now.wall_ns - before.wall_ns)


def remembered(before: Seen, now: Seen) -> Seen:
    """NOW as it is to be remembered: its wall clock is never behind what has passed since BEFORE.

    Otherwise a wall clock that is wrong for one boot, and right again in the next, would count
    the first boot twice.
    """
    passed = before.wall_ns + elapsed_ns(before, now)
    return now._replace(wall_ns=max(passed, now.wall_ns))


def this_boot() -> str:
    """The kernel's name for this boot, or nothing where it gives none."""
    try:
        return BOOT.read_text(encoding="ascii").strip()
    except OSError:
        return ""
