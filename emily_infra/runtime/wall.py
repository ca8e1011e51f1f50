"""The time of day, because a deploy may go on after a reboot."""

import time


class Wall:
    """A clock whose readings mean the same to the next process."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)
