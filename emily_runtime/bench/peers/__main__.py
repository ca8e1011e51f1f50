"""The peer's side: `python -m emily_runtime.bench.peers NAME JSON`, then a line for each turn.

A module of this package has `NAMES`, the distributions whose versions are told, and `prepared`,
which takes what was given and returns the work. What the work returns is told, too; where that is
a function, its result is, which is no part of the time.
"""

import json
import os
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.metadata import version
from typing import Any

from emily_runtime.bench.row import cpu_seconds


def main(name: str, given: str) -> None:
    """Work once for every line of standard input."""
    with os.fdopen(os.dup(1), "w") as line:
        os.dup2(2, 1)  # what a peer prints is no answer
        try:
            module: Any = import_module(f"emily_runtime.bench.peers.{name}")
            work: Callable[[], object] = module.prepared(**json.loads(given))
            known = ", ".join(f"{one} {version(one)}" for one in module.NAMES)
        except ImportError as error:
            _say(line, {"absent": f"{error.name} is not installed"})
            return
        _say(line, {"version": known})
        for _ in sys.stdin:
            found: list[Any] = []
            seconds = cpu_seconds(partial(_kept, work, found))
            _say(line, {"seconds": seconds, "told": found[0]() if callable(found[0]) else found[0]})


def _kept(work: Callable[[], object], found: list[object]) -> None:
    found.append(work())


def _say(line: Any, told: object) -> None:
    line.write(json.dumps(told) + "\n")
    line.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
