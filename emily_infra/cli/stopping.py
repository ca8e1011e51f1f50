"""Ctrl-C: what it leaves behind is said, and nothing is waited for."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

from emily_infra.machine.local import end_children

T = TypeVar("T")
R = TypeVar("R")
BY_HAND = 130
"""As of a shell's command that SIGINT has ended."""
_GLANCE = 0.2
"""Seconds of waiting at a time: a signal that comes just before a wait does not end it."""


class Stopped(Exception):
    """Somebody has pressed Ctrl-C."""

    exit_code = BY_HAND

    def __init__(self, so_far: str = "") -> None:
        self.so_far = so_far and f": {so_far}"
        super().__init__(so_far)


@contextmanager
def if_stopped(so_far: str) -> Iterator[None]:
    """A part of a command, and what a Ctrl-C in it leaves behind."""
    try:
        yield
    except KeyboardInterrupt:
        raise Stopped(so_far) from None


def before_any_change() -> AbstractContextManager[None]:
    """The part of a command in which hosts are only looked at, and a person is asked."""
    return if_stopped("no host was changed")


def at_once(act: Callable[[T], R], each: Sequence[T], most: int) -> list[R]:
    """What ACT makes of each, in their order; Ctrl-C ends what it started, and waits for nobody."""
    pool = ThreadPoolExecutor(min(most, len(each) or 1))
    try:
        futures = [pool.submit(act, one) for one in each]
        while wait(futures, _GLANCE).not_done:
            pass
        return [future.result() for future in futures]
    except KeyboardInterrupt:
        pool.shutdown(wait=False, cancel_futures=True)
        end_children()
        raise
    finally:
        pool.shutdown(wait=False)
