"""emily-runtime as systemd and its callers meet it."""

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runtime.process import TOKEN, Running, everything, service

HEAD = b"GET /health HTTP/1.1\r\nHost: test\r\n"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with service(tmp_path_factory.mktemp("runtime")) as started:
        yield started


def content(reply: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(reply.partition("\r\n\r\n")[2])
    return found


def test_health_needs_no_token(running: Running) -> None:
    reply = running.get("/health")

    assert reply.startswith("HTTP/1.1 200 OK\r\n")
    assert content(reply)["status"] == "healthy"


def test_a_started_service_is_ready(running: Running) -> None:
    assert content(running.get("/ready?why=now")) == {"status": "ready"}


@pytest.mark.parametrize(
    "given", ["", "Authorization: Bearer wrong", "Authorization: Basic " + TOKEN]
)
def test_everything_else_needs_the_token(running: Running, given: str) -> None:
    reply = running.get("/api/v1/status", *([given] if given else []))

    assert reply.startswith("HTTP/1.1 401 ")
    assert "www-authenticate: Bearer" in reply


def test_with_the_token_an_unknown_place_is_a_problem_with_a_code(running: Running) -> None:
    reply = running.get("/api/v1/nowhere", f"Authorization: Bearer {TOKEN}")

    assert reply.startswith("HTTP/1.1 404 ")
    assert "application/problem+json" in reply
    assert content(reply)["code"] == "EMY-2005"


def test_a_probe_is_not_written_to(running: Running) -> None:
    reply = running.send(
        b"POST /health HTTP/1.1\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"
    )

    assert reply.startswith("HTTP/1.1 405 ")
    assert "allow: GET, HEAD" in reply


def test_head_gets_no_body(running: Running) -> None:
    reply = running.send(b"HEAD /health HTTP/1.1\r\nConnection: close\r\n\r\n")

    assert reply.startswith("HTTP/1.1 200 ")
    assert reply.endswith("\r\n\r\n")


def test_a_connection_serves_one_request_after_another(running: Running) -> None:
    with running.connect() as client:
        client.sendall(HEAD + b"\r\n" + HEAD + b"Connection: close\r\n\r\n")
        reply = everything(client)

    assert reply.count("HTTP/1.1 200 OK") == 2


@pytest.mark.parametrize(
    ("garbage", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
        (b"get /health HTTP/1.1\r\n\r\n", 400),
        (b"GET health HTTP/1.1\r\n\r\n", 400),
        (b"GET /health HTTP/2.0\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nA : b\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nA: b\r\n folded\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nA: b\nB: c\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nContent-Length: +1\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n\r\n", 400),
        (b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400),
        (b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n" + b"x" * 1048577, 413),
        (b"GET /health HTTP/1.1\r\nContent-Length: 9\r\n\r\nshort", 400),
        (b"GET /health HTT", 400),
        (b"GET /health HTTP/1.1\r\nContent-Length: 1048577\r\n\r\n", 413),
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n", 431),
        (b"GET /health HTTP/1.1\r\nA: " + b"a" * 100_000, 431),
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused_and_the_service_lives(
    running: Running, garbage: bytes, status: int
) -> None:
    reply = running.send(garbage)

    assert reply.startswith(f"HTTP/1.1 {status} ")
    assert reply.count("HTTP/1.1 4") == 1
    assert running.get("/health").startswith("HTTP/1.1 200 ")


def test_a_refusal_reaches_a_caller_that_goes_on_sending(running: Running) -> None:
    with running.connect() as client:
        client.sendall(b"POST /x HTTP/1.1\r\nContent-Length: 4000000\r\n\r\n" + b"x" * 400_000)
        client.shutdown(socket.SHUT_WR)
        reply = everything(client)

    assert reply.startswith("HTTP/1.1 413 ")


def test_a_caller_that_dribbles_is_sent_away_and_holds_up_nobody(tmp_path: Path) -> None:
    with service(tmp_path) as running, running.connect() as slow:
        begun = time.monotonic()
        slow.sendall(b"GET /hea")
        assert running.get("/health").startswith("HTTP/1.1 200 ")
        slow.settimeout(20)
        reply = everything(slow)

    assert reply.startswith("HTTP/1.1 408 ")
    assert 9 < time.monotonic() - begun < 14


def test_a_full_house_says_so_and_is_open_again_later(running: Running) -> None:
    guests = [running.connect() for _ in range(256)]

    crowded = running.get("/health")
    for guest in guests:
        guest.close()
    time.sleep(0.3)

    assert crowded.startswith("HTTP/1.1 503 ")
    assert running.get("/health").startswith("HTTP/1.1 200 ")


def test_sigterm_stops_it_cleanly_and_systemd_is_told(tmp_path: Path) -> None:
    with service(tmp_path) as running:
        status = running.stop()

        assert status == 0
        assert running.told()[0] == "STOPPING=1"


def test_a_request_under_way_is_answered_before_it_stops(tmp_path: Path) -> None:
    with service(tmp_path) as running, running.connect() as client:
        client.sendall(HEAD)
        time.sleep(0.2)
        running.process.terminate()
        assert running.told()[0] == "STOPPING=1"
        client.sendall(b"\r\n")

        assert everything(client).startswith("HTTP/1.1 200 ")
        assert running.process.wait(timeout=15) == 0


def test_the_watchdog_hears_of_it_while_it_answers_itself(tmp_path: Path) -> None:
    with service(tmp_path, WATCHDOG_USEC="600000") as running:
        begun = time.monotonic()
        signs = [running.told() for _ in range(4)]

    assert signs == [["WATCHDOG=1"]] * 4
    assert time.monotonic() - begun < 2


def test_a_stuck_service_falls_silent(tmp_path: Path) -> None:
    with service(tmp_path, WATCHDOG_USEC="300000") as running:
        running.told()
        stuck(running)
        running.systemd.settimeout(0.8)

        with pytest.raises(TimeoutError):
            running.told()


def test_a_service_that_answers_itself_again_takes_its_complaint_back(tmp_path: Path) -> None:
    with service(tmp_path, WATCHDOG_USEC="600000") as running:
        running.told()
        stuck(running)
        time.sleep(1.2)
        os.kill(running.process.pid, signal.SIGCONT)
        running.systemd.settimeout(10)
        *complaints, sign = iter(running.told, ["WATCHDOG=1"])

    assert all(one.startswith("STATUS=gives no sign of life: ") for (one,) in complaints)
    assert sign == ["WATCHDOG=1", f"STATUS=ready on 127.0.0.1:{running.port}"]


def stuck(running: Running) -> None:
    """Stop the process where it is, and forget what it has said until then."""
    os.kill(running.process.pid, signal.SIGSTOP)
    running.systemd.settimeout(0.2)
    try:
        while running.told():
            pass
    except TimeoutError:
        return


def test_a_full_house_is_no_reason_for_the_watchdog_to_bite(tmp_path: Path) -> None:
    with service(tmp_path, WATCHDOG_USEC="4000000") as running:
        guests = [running.connect() for _ in range(600)]

        signs = [running.told() for _ in range(3)]
        assert signs.count(["WATCHDOG=1"]) >= 2
        assert len(guests) == 600


def test_it_speaks_korean_where_the_operator_does(tmp_path: Path) -> None:
    text = '[service]\nhost = "127.0.0.1"\nport = 0\nlanguage = "ko"\n'
    with service(tmp_path, text) as running:
        reply = running.get("/anything")

    assert "토큰" in str(content(reply)["detail"])


def test_a_watchdog_meant_for_another_process_is_not_served(tmp_path: Path) -> None:
    with service(tmp_path, WATCHDOG_USEC="300000", WATCHDOG_PID="1") as running:
        running.systemd.settimeout(0.6)

        with pytest.raises(TimeoutError):
            running.told()
