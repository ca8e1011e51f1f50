"""Row 6: an attention by HTTP, with its token and its metrics, asked for by wrk.

Both sides are servers in processes of their own; what is compared is their processor time for a
request. The time that callers wait is of the wall clock, and tells nothing on a busy machine.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

from emily_runtime.bench.peers.peer import Absent, Around, interpreter
from emily_runtime.bench.row import NOT_RUN, Row, by_the_clock, not_run, ratio
from emily_runtime.bench.served import OURS, posted, server, wrk

ROUNDS = 5
SECONDS = 2
CONNECTIONS = 32
P95_MS = 15.0
GOAL = 1.6
PATH = "/api/v1/attention"
BODY = '{"signals":[0.1,0.9,0.4,0.7,0.2,0.6,0.3,0.8,0.5,1.0]}'
WHAT = f"POST {PATH}, {CONNECTIONS} connections"


class Round(NamedTuple):
    """What one round came to."""

    cpu_us: float
    """Of the server, for a request."""
    p95_ms: float
    rate: float


def rows(around: Around) -> list[Row]:
    """The time callers wait, and the work for a request beside FastAPI's."""
    wait, work = f"p95 at most {P95_MS:g} ms", f"{GOAL} times FastAPI"
    if not shutil.which("wrk"):
        return [not_run(number, WHAT, wait, "wrk is not installed") for number in ("6a", "6b")]
    sides: dict[str, Sequence[str]] = {"ours": OURS}
    python = interpreter(around, "fastapi, uvicorn, msgspec")
    if not isinstance(python, Absent):
        sides["fastapi"] = (python, "-m", "emily_runtime.bench.peers.by_fastapi")
    rounds: dict[str, list[Round]] = {side: [] for side in sides}
    with TemporaryDirectory() as folder:
        for _ in range(ROUNDS):
            for side, taken in rounds.items():
                taken.append(_asked(sides[side], Path(folder)))
    p95 = median(one.p95_ms for one in rounds["ours"])
    held = by_the_clock(held=p95 <= P95_MS)
    rate = median(one.rate for one in rounds["ours"])
    first = Row("6a", WHAT, f"p95 {p95:.1f} ms, {rate:,.0f}/s", NOT_RUN, NOT_RUN, wait, held)
    if "fastapi" not in rounds:
        return [first, not_run("6b", WHAT, work, "fastapi is not installed")]
    times = {side: [one.cpu_us for one in each] for side, each in rounds.items()}
    waits = median(one.p95_ms for one in rounds["fastapi"])
    faster = ratio(times["fastapi"], times["ours"])
    peer = f"{median(times['fastapi']):.0f} µs by FastAPI, without token and metrics"
    ours = f"{median(times['ours']):.0f} µs"
    return [
        first._replace(peer=f"{waits:.1f} ms by FastAPI", ratio=f"{waits / p95:.2f}"),
        Row("6b", "processor time of that request", ours, peer, str(faster), work,
            faster.reaches(GOAL)),
    ]  # fmt: skip


def _asked(command: Sequence[str], folder: Path) -> Round:
    """One round against a fresh server."""
    script = folder / "ask.lua"
    script.write_text(posted(PATH, BODY), encoding="utf-8")
    with server(command, folder) as one:
        wrk(one.port, script, 1, CONNECTIONS)
        before = one.cpu
        told = wrk(one.port, script, SECONDS, CONNECTIONS)
        taken = one.cpu - before
    assert not told.errors + told.shed + told.other, f"requests failed: {told}"
    return Round(taken / told.requests * 1e6, told.p95_ms, told.requests / SECONDS)
