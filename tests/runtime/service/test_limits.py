"""How much and how often, and what is said to whoever wants more."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message, Scope, Send

from emily_runtime.mind.metrics import Metrics
from emily_runtime.service.front import Front
from emily_runtime.service.limits import Limits
from emily_runtime.service.metering import Gauges, Tally
from emily_runtime.service.rates import MOST, Buckets
from emily_runtime.service.standing import Phase, Standing
from tests.runtime.process import TOKEN
from tests.runtime.service.served import Served, served


def test_a_bucket_gives_what_was_saved_and_then_its_rate() -> None:
    buckets = Buckets(rate=10.0, burst=3.0)

    waits = [buckets.take("a", now) for now in (0.0, 0.0, 0.0, 0.0, 0.1, 0.15)]

    assert waits[:3] == [0.0, 0.0, 0.0]
    assert abs(waits[3] - 0.1) < 1e-9
    assert waits[4] == 0.0
    assert abs(waits[5] - 0.05) < 1e-9


def test_one_principal_does_not_drink_from_the_bucket_of_another() -> None:
    buckets = Buckets(rate=1.0, burst=1.0)

    assert [buckets.take(name, 0.0) for name in ("a", "b")] == [0.0, 0.0]
    assert buckets.take("a", 0.0) == 1.0


def test_principals_are_forgotten_before_they_fill_the_memory() -> None:
    buckets = Buckets(rate=1.0, burst=1.0)

    for number in range(3 * MOST):
        buckets.take(str(number), 0.0)

    assert len(buckets._levels) == MOST


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("strict"), "rate = 1\nconcurrency = 2") as started:
        yield started


def test_whoever_comes_too_often_is_told_when_to_come_back(strict: Served) -> None:
    answers = [strict.ask("/api/v1/status") for _ in range(8)]

    assert [one.status for one in answers[:2]] == [200, 200]
    assert answers[-1].status == 429
    assert answers[-1].headers["retry-after"] == "1"
    assert answers[-1].content["code"] == "EMY-2010"
    assert strict.ask("/health").status == 200


def test_guessing_becomes_slow(strict: Served) -> None:
    guesses = [strict.ask("/api/v1/status", Authorization=f"Bearer {n}") for n in range(40)]

    assert [one.status for one in guesses[:20]] == [401] * 20
    assert guesses[-1].status == 429
    assert "right one" in guesses[-1].content["action"]


def test_with_all_hands_full_the_next_one_is_sent_away(tmp_path: Path) -> None:
    with served(tmp_path, "rate = 1000\nconcurrency = 2") as running:
        busy = [threading.Thread(target=running.say, args=["sleep 0.8"]) for _ in range(2)]
        for one in busy:
            one.start()
        time.sleep(0.4)

        crowded, probed = running.ask("/api/v1/status"), running.ask("/health")
        for one in busy:
            one.join()

        assert (crowded.status, crowded.content["code"]) == (503, "EMY-2013")
        assert crowded.headers["retry-after"] == "1"
        assert probed.status == 200
        assert running.ask("/api/v1/status").status == 200


def test_short_of_memory_it_takes_no_new_work_but_can_be_looked_at(running: Served) -> None:
    running.say("pressure 3")
    time.sleep(0.8)

    refused, seen = running.say("hello"), running.ask("/api/v1/status")
    reflex, other = running.say("ping"), running.ask("/api/v1/attention", {"signals": [1]})
    time.sleep(2)

    assert (refused.status, refused.content["code"]) == (503, "EMY-2015")
    assert refused.headers["retry-after"] == "5"
    assert (other.status, other.content["code"]) == (503, "EMY-2015")
    assert seen.content["pressure"] == 3
    assert reflex.status == 200
    assert running.say("hello").status == 200


def test_an_ill_mind_is_an_unhealthy_service_with_a_reason(running: Served) -> None:
    running.say("ill the store is gone")
    answer = running.ask("/health")
    running.say("ill")

    assert answer.status == 503
    assert answer.content["reason"] == "the store is gone"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"lasting": 0.6}, "EMY-2014"),
        ({"at_once": 64}, "EMY-2013"),
        ({"phase": Phase.STOPPING}, "EMY-2012"),
        ({"pressure": 4}, "EMY-2015"),
    ],
)
def test_overload_is_told_from_pressure(changes: dict[str, Any], code: str) -> None:
    standing = replace(Standing(TOKEN, "en", Limits(), Tally(), phase=Phase.READY), **changes)
    metrics = Metrics()
    front = Front(nowhere, standing, Gauges(metrics, []))
    told: list[Any] = []

    asyncio.run(front(scope(), empty, keep(told)))

    assert told[0]["status"] == 503
    assert (b"retry-after", told[0]["headers"][-2][1]) in told[0]["headers"]
    assert json.loads(told[1]["body"])["code"] == code
    assert f'emily_requests_shed_total{{code="{code}"}} 1.0' in metrics.text().decode()


@pytest.mark.parametrize(
    ("lags", "status"), [([0.9], 200), ([0.9, 0.6], 503), ([0.9, 0.6, 0.0], 200)]
)
def test_one_stall_turns_nobody_away_and_a_loop_that_stays_late_does(
    lags: list[float], status: int
) -> None:
    standing = Standing(TOKEN, "en", Limits(), Tally(), phase=Phase.READY)
    front = Front(well, standing, Gauges(Metrics(), []))
    told: list[Any] = []

    for lag in lags:
        standing.looked(lag)
    asyncio.run(front(scope(), empty, keep(told)))

    assert told[0]["status"] == status


async def well(_: object, __: object, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})


async def nowhere(*_: object) -> None:
    raise AssertionError("it must not be reached")


async def empty() -> dict[str, Any]:
    return {"type": "http.request"}


def keep(told: list[Any]) -> Send:
    async def send(message: Message) -> None:
        told.append(message)

    return send


def scope() -> Scope:
    headers = [(b"authorization", f"Bearer {TOKEN}".encode())]
    state = {"door": "shared"}
    path = "/api/v1/memory"
    given = {"type": "http", "http_version": "1.1", "method": "POST", "path": path}
    return given | {"headers": headers, "state": state}


def test_prometheus_on_this_machine_needs_no_token_and_others_do(running: Served) -> None:
    running.ask("/health")
    here = running.ask("/metrics", Authorization="none")
    through_a_proxy = running.ask("/metrics", Authorization="none", X_Forwarded_For="10.0.0.9")

    assert here.status == 200
    assert "emily_http_request_seconds_count" in here.text
    assert through_a_proxy.status == 401


def test_unknown_paths_share_one_line_of_the_metrics(running: Served) -> None:
    for number in range(20):
        running.ask(f"/guess/{number}")

    text = running.ask("/metrics").text

    assert 'route="other",status="4xx"' in text
    assert "/guess/" not in text


def test_a_large_body_without_a_token_is_not_kept(running: Served) -> None:
    caller = HTTPConnection("127.0.0.1", running.port, timeout=20)
    caller.request("POST", "/api/v1/stimulus", b"x" * 1_000_000)

    assert caller.getresponse().status == 401


def test_a_body_of_a_mebibyte_fits_and_a_byte_more_does_not(running: Served) -> None:
    sizes = (1024 * 1024, 1024 * 1024 + 1)
    bodies = [b'{"text":"x"}' + b" " * (size - 12) for size in sizes]

    assert [running.ask("/api/v1/stimulus", body).status for body in bodies] == [200, 413]
