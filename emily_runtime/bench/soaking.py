"""Row 24: what stays after minutes at the knee, and what happens far beyond it.

The knee is the least number of connections that nearly reaches the best rate: more of them only
wait longer. Stimuli are remembered, and a memory holds its vectors: their size, which is known, is
taken from the slope and told.
"""

import re
import shutil
import threading
import time
from collections import Counter
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

from emily_runtime.bench.peers.peer import Around
from emily_runtime.bench.row import Row, by_the_clock, not_run
from emily_runtime.bench.served import OURS, TOKEN, Server, Told, mixed, server, wrk
from emily_runtime.bench.serving import BODY
from emily_runtime.memory.episode import DIMENSIONS

TRIED = (1, 2, 4, 8, 16, 32)
NEAR = 0.9
"""Of the best rate, at the knee."""
WARM = 0.25
"""The share of the time that is not looked at: the rings are full after two minutes of ticks."""
P95_MS, SLOPE, LIMIT, BEYOND = 100.0, 1.0, 512, 10
LONG = 3.0
"""Minutes from which on a slope is a slope."""
SHORT = 2
"""Seconds of a try of the knee, and the least for which it is flooded."""
_STIMULUS = '{"text":"why is the pool slow?","signals":[0.4,0.9],"source":"bench"}'
_LOOKS = [("GET", f"/api/v1/{view}", "") for view in ("status", "workspace", "budget", "topology")]
USUAL = [*[("POST", "/api/v1/attention", BODY)] * 35, *_LOOKS,
         ("POST", "/api/v1/stimulus", _STIMULUS)]  # fmt: skip
"""35 attentions, 4 looks, 1 stimulus."""
STIMULI = [("POST", "/api/v1/stimulus", _STIMULUS)]
_GOAL = f"p95 {P95_MS:g} ms, no error, at most {SLOPE:g} MB/min"
_BEYOND = "alive; 200, or 503 or 429 with Retry-After"


class Soaked(NamedTuple):
    """What minutes at the knee came to."""

    connections: int
    told: Told
    slope: float
    """MiB a minute, without the vectors."""
    vectors: float
    """MiB a minute that memory grew by."""
    size: float
    """MiB, the most."""
    put_off: Counter[str]
    """Codes with which requests were told to come back later."""


def rows(around: Around) -> list[Row]:
    """The knee for so many minutes, then ten times as many callers for a tenth of them."""
    first = f"{around.minutes:g} min at the knee, by the clock"
    second = f"stimuli from {BEYOND} times the knee's connections, {LIMIT} MiB"
    if not shutil.which("wrk"):
        why = "wrk is not installed"
        return [not_run("24a", first, _GOAL, why), not_run("24b", second, _BEYOND, why)]
    with TemporaryDirectory() as folder:
        found = soaked(Path(folder), around.minutes * 60)
    with TemporaryDirectory() as folder:
        beyond, lost, size = flooded(Path(folder), found.connections, around.minutes * 6)
    told = found.told
    return [
        Row("24a", first,
            f"p95 {told.p95_ms:.1f} ms, {told.good:,} good, {told.errors + told.other} bad, "
            f"{told.shed} shed{_because(found.put_off)}",
            f"{found.connections} connections; {found.vectors:.1f} MB/min of vectors beside",
            f"{found.slope:+.2f} MB/min, most {found.size:.0f} MB", _GOAL,
            _held(found, around.minutes)),
        Row("24b", second, f"{beyond.good:,} good, {beyond.shed:,} shed, {beyond.other} other",
            f"p95 {beyond.p95_ms:.0f} ms; {beyond.errors} broken",
            f"most {size:.0f} MB; {lost} lost, as counted", _BEYOND,
            not beyond.other + beyond.errors),
    ]  # fmt: skip


def _because(put_off: Counter[str]) -> str:
    """The codes, the most frequent first, as they stand behind a number."""
    why = ", ".join(f"{code}: {number}" for code, number in put_off.most_common())
    return f" ({why})" if why else ""


def _held(found: Soaked, minutes: float) -> bool | None:
    """Neither a short run's slope nor a busy machine's clock tells anything."""
    told = found.told
    if told.errors + told.other + told.shed or (minutes >= LONG and found.slope > SLOPE):
        return False
    if told.p95_ms > P95_MS:
        return by_the_clock(held=False)
    return True if minutes >= LONG else None


def soaked(folder: Path, seconds: float) -> Soaked:
    """SECONDS at the knee."""
    script = folder / "usual.lua"
    script.write_text(mixed(USUAL), encoding="utf-8")
    with server(OURS, folder) as one:
        rates = {many: wrk(one.port, script, SHORT, many).requests for many in TRIED}
        knee = min(many for many, rate in rates.items() if rate >= NEAR * max(rates.values()))
        before, put_off, watch = _episodes(one), _put_off(one), _Watch(one)
        told = wrk(one.port, script, seconds, knee)
        slope, most = watch.stop()
        grown = (_episodes(one) - before) * 4 * (DIMENSIONS + 2) / 2**20 / (seconds / 60)
        put_off = _put_off(one) - put_off
    return Soaked(knee, told, slope - grown, grown, most, put_off)


def flooded(folder: Path, knee: int, seconds: float) -> tuple[Told, int, float]:
    """What wrk was told, how many messages were lost, and the most MiB; it has to be alive."""
    script = folder / "stimuli.lua"
    script.write_text(mixed(STIMULI), encoding="utf-8")
    with server(OURS, folder, most=LIMIT) as one:
        watch = _Watch(one)
        told = wrk(one.port, script, max(seconds, SHORT), BEYOND * knee)
        _, most = watch.stop()
        lost = _metric(one, "emily_bus_lost_total")
        assert one.process.poll() is None, "the service died"
    return told, int(lost), most


class _Watch:
    """Looks at a process's memory once a second."""

    def __init__(self, one: Server) -> None:
        self._sizes: list[tuple[float, float]] = []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, args=(one,))
        self._thread.start()

    def stop(self) -> tuple[float, float]:
        """MiB a minute by least squares, after the warm-up, and the most MiB."""
        self._end.set()
        self._thread.join()
        settled = self._sizes[int(len(self._sizes) * WARM) :]
        times, sizes = np.array(settled).T
        slope = np.polyfit(times / 60, sizes, 1)[0] if len(settled) > 1 else 0.0
        return float(slope), float(max(size for _, size in self._sizes))

    def _look(self, one: Server) -> None:
        while True:
            self._sizes.append((time.monotonic(), one.size))
            if self._end.wait(1.0):
                return


def _episodes(one: Server) -> float:
    return _metric(one, "emily_memory_rows")


def _put_off(one: Server) -> Counter[str]:
    found = re.findall(r'^emily_requests_shed_total\{code="(.+)"\} (.+)$', _told(one), re.MULTILINE)
    return Counter({code: round(float(number)) for code, number in found})


def _metric(one: Server, name: str) -> float:
    found = re.search(rf"^{name}(?:{{[^}}]*}})? (\S+)", _told(one), re.MULTILINE)
    return float(found[1]) if found else 0.0


def _told(one: Server) -> str:
    line = HTTPConnection("127.0.0.1", one.port, timeout=60)
    line.request("GET", "/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    text = line.getresponse().read().decode()
    line.close()
    return text
