"""No family of metrics is empty: each is fed by a run in which everything happens once."""

import json
import math
import os
import select
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.sync.client import connect

from emily_runtime.mind.families import FAMILIES, Family
from tests.runtime.mind.runtimes import PING
from tests.runtime.nerves.stalling import figures
from tests.runtime.process import TOKEN, Running, service

SETTINGS = """
[service]
port = 0
rate = 100
[pressure]
hold = 0
period = 0.1
[flags.tree-planner]
share = 10
owner = "ops"
since = "2026-11-01"
[llm]
order = ["openai", "offline"]
openai_url = "http://127.0.0.1:9"
openai_model = "tiny"
seconds = 1
prices = { tiny = [0, 0] }
"""
QUIET = {
    "emily_bus_lost_total": "nobody was too slow for the bus",
    "emily_bus_unkept_total": "the disk was there for the durable topics",
    "emily_ws_lost_total": "nobody was too slow for the WebSocket",
    "gflownet_mode_collapse_total": "no sampler collapsed",
    "emily_restarts_total": "no task of the process failed; a worker did",
    "emily_llm_cost_dollars_total": "the model that was asked is free",
}
"""Counters that stay at 0 in a run in which all is well, and why."""
BEARER = {"Authorization": f"Bearer {TOKEN}"}
FACETS = [{"name": name, "values": list("abcdef")} for name in "pqr"]


def asked(running: Running, path: str, body: object = None, token: str = TOKEN) -> HTTPConnection:
    """A connection that waits for its answer."""
    caller = HTTPConnection("127.0.0.1", running.port, timeout=60)
    data = None if body is None else json.dumps(body)
    headers = {"Authorization": f"Bearer {token}"}
    caller.request("GET" if body is None else "POST", f"/api/v1/{path}", data, headers)
    return caller


def status(running: Running, path: str, body: object = None, token: str = TOKEN) -> int:
    caller = asked(running, path, body, token)
    reply = caller.getresponse()
    reply.read()
    caller.close()
    return reply.status


def exposed(running: Running) -> dict[str, list[float]]:
    """Every sample's values by its name."""
    text = running.get("/metrics").partition("\r\n\r\n")[2]
    found: dict[str, list[float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample.value)
    return found


@contextmanager
def until(seconds: float = 60) -> Iterator[float]:
    """A moment after which a test fails instead of waiting on."""
    end = time.monotonic() + seconds
    yield end
    assert time.monotonic() < end


def killed(running: Running) -> None:
    """Kill the worker that trains, once it does."""
    with until() as end:
        while time.monotonic() < end:
            for number in forked(running.process.pid):
                ticks = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[11]
                if int(ticks) >= 10:
                    os.kill(number, signal.SIGKILL)
                    return
            time.sleep(0.01)


def forked(process: int) -> list[int]:
    """Grandchildren of a process."""
    tasks = Path(f"/proc/{process}/task").iterdir()
    zygotes = [one for task in tasks for one in (task / "children").read_text().split()]
    files = [Path(f"/proc/{zygote}/task/{zygote}/children") for zygote in zygotes]
    return [int(one) for file in files if file.exists() for one in file.read_text().split()]


def thought(running: Running) -> None:
    """A reflex, a question, hypotheses, a plan, and memory."""
    with connect(f"ws://127.0.0.1:{running.port}/ws", additional_headers=BEARER) as client:
        client.send('{"op":"subscribe"}')
        status(running, "stimulus", {"text": "ping"})
        status(running, "stimulus", {"text": "disk 3 failed", "signals": [-1.0]})
        status(running, "attention", {"signals": [0.5, 1.0]})
        status(running, "inference/plan", {})
        status(running, "memory", {"text": "spare keys hang behind the switchboard"})
        status(running, "memory/search", {"text": "keys"})
        status(running, "gflownet/generate", {"facets": FACETS, "distinct": False})
        time.sleep(0.6)


def tripped(running: Running) -> None:
    """Questions that the first model does not answer, until its breaker opens."""
    with until() as end:
        number = 0
        while time.monotonic() < end:
            status(running, "stimulus", {"text": f"why is pool {number} slow?"})
            if sum(exposed(running).get("emily_breaker_trips_total", [])):
                return
            number += 1


def switched(running: Running) -> None:
    """A training whose worker is killed, and which the spare does."""
    wish = {"facets": FACETS, "count": 10, "trained": True}
    caller = asked(running, "gflownet/generate", wish)
    killed(running)
    assert not select.select([caller.sock], [], [], 0)[0]
    assert caller.getresponse().status == 200


def turned_away(running: Running, file: Path) -> None:
    """A wrong token, too much in a second, and memory that is short."""
    assert status(running, "status", token="a guess") == 401
    with until() as end:
        while time.monotonic() < end and status(running, "flags") != 429:
            pass
    time.sleep(1)
    file.write_text(figures(35.0))
    with until() as end:
        while time.monotonic() < end and status(running, "memory", {"text": "a key"}) != 503:
            time.sleep(0.1)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[float]]:
    """What was measured of a run in which everything happened."""
    folder = tmp_path_factory.mktemp("families")
    file = folder / "memory.pressure"
    file.write_text(figures(0.0))
    with service(folder, SETTINGS + PING, MEMORY_PRESSURE_WATCH=str(file)) as running:
        thought(running)
        tripped(running)
        switched(running)
        turned_away(running, file)
        return exposed(running)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_family_is_fed(family: Family, samples: dict[str, list[float]]) -> None:
    if family.kind == "histogram":
        assert sum(samples[f"{family.name}_count"]) > 0
    elif family.kind == "gauge":
        assert samples[family.name]
        assert not any(map(math.isnan, samples[family.name]))
    elif family.name in QUIET:
        assert samples[family.name]
    else:
        assert sum(samples[family.name]) > 0


def test_what_may_be_quiet_is_a_counter_of_ours() -> None:
    assert set(QUIET) <= {one.name for one in FAMILIES if one.kind == "counter"}
