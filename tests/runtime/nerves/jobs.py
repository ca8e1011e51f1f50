"""What the tests' workers are asked to do."""

import os
import signal
import time
from pathlib import Path


def square(number: int) -> int:
    return number * number


def who() -> int:
    return os.getpid()


def slow_square(number: int, seconds: float) -> int:
    time.sleep(seconds)
    return number * number


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_once(marker: Path) -> str:
    if not marker.exists():
        marker.touch()
        die()
    return "done"


def divide(number: int) -> float:
    return 1 / number


def leave() -> None:
    raise SystemExit(3)


def unspeakable() -> object:
    return lambda: None


def large(size: int) -> bytes:
    return bytes(size)
