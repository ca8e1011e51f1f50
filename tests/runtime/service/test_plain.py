"""Without uvloop and httptools it serves as well, only slower, and says so."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runtime.process import TOKEN
from tests.runtime.service.served import Served, served
from tests.runtime.service.test_hostile import everything


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("plain")
    for name in ("uvloop", "httptools"):
        (folder / f"{name}.py").write_text("raise ImportError\n")
    with served(folder, PYTHONPATH=f"{folder}:{Path.cwd()}") as started:
        yield started


def sent(plain: Served, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", plain.port), timeout=15) as line:
        line.sendall(data)
        line.shutdown(socket.SHUT_WR)
        return everything(line)


def test_it_answers_and_remembers_its_limits(plain: Served) -> None:
    assert plain.ask("/health").status == 200
    assert plain.say("hello").content["words"] == "yes"
    assert plain.ask("/api/v1/stimulus", b"[" * 300_000).status == 422
    assert plain.ask("/nothing").content["code"] == "EMY-2005"


@pytest.mark.parametrize(
    ("garbage", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
        (b"GET /health HTTP/2.0\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost: a\r\nA : b\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", 400),
        (b"GET /health HTT", 400),
        (b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n", 413),
        (b"GET /health HTTP/1.1\r\nHost: a\r\nA: " + b"a" * 100_000, 431),
    ],
)
def test_what_is_no_request_is_refused_and_it_lives(
    plain: Served, garbage: bytes, status: int
) -> None:
    reply = sent(plain, garbage)

    assert reply.startswith(b"HTTP/1.1 %d " % status)
    assert plain.ask("/health").status == 200


def test_one_request_follows_another(plain: Served) -> None:
    one = f"GET /api/v1/flags HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"

    assert sent(plain, one.encode() * 3).count(b"HTTP/1.1 200") == 3


def test_its_websocket_speaks(plain: Served) -> None:
    with plain.listen() as client:
        assert "hello" in str(client.recv(timeout=10))


def test_both_are_said_to_be_missing(plain: Served) -> None:
    plain.process.terminate()

    told = plain.process.communicate(timeout=20)[1]

    assert "uvloop is not installed" in told
    assert "httptools is not installed" in told
