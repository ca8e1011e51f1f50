"""What can be asked for, and what is said where it cannot be had."""

import math
import subprocess
from typing import Any

import pytest

from tests.runtime.process import TOKEN
from tests.runtime.service.served import Served

FACETS = [{"name": "cause", "values": ["fan", "disk"]}, {"name": "act", "values": ["wait", "look"]}]
ASKED: list[tuple[str, Any, str]] = [
    ("/api/v1/stimulus", {"text": "hello"}, "words"),
    ("/api/v1/attention", {"signals": [1.0, 2.0]}, "firing"),
    ("/api/v1/gflownet/generate", {"facets": FACETS, "count": 3}, "hypotheses"),
    ("/api/v1/inference/plan", {}, "action"),
    ("/api/v1/memory", {"text": "the door was open"}, "identity"),
    ("/api/v1/status", None, "healthy"),
    ("/api/v1/workspace", None, "ignited"),
    ("/api/v1/substrate", None, "transmitters"),
    ("/api/v1/topology", None, "order"),
    ("/api/v1/budget", None, "windows"),
]


@pytest.mark.parametrize(("path", "body", "key"), ASKED)
def test_every_place_answers(running: Served, path: str, body: object, key: str) -> None:
    answer = running.ask(path, body)

    assert answer.status in (200, 201)
    assert key in answer.content


def test_lists_are_lists(running: Served) -> None:
    found = running.ask("/api/v1/memory/search", {"text": "door"}).content
    flags = running.ask("/api/v1/flags").content

    assert (found[0]["text"], flags[0]["name"]) == ("door", "tree-planner")


@pytest.mark.parametrize(
    ("path", "body", "status", "code", "word"),
    [
        ("/api/v1/nothing", None, 404, "EMY-2005", "/api/v1/nothing"),
        ("/api/v1/status/", None, 404, "EMY-2005", "/api/v1/status/"),
        ("/api/v1/status", {}, 405, "EMY-2006", "GET"),
        ("/api/v1/stimulus", None, 405, "EMY-2006", "POST"),
        ("/api/v1/stimulus", b"", 400, "EMY-2009", "truncated"),
        ("/api/v1/stimulus", b"{", 400, "EMY-2009", "truncated"),
        ("/api/v1/stimulus", b"\xff\xfe", 400, "EMY-2009", ""),
        ("/api/v1/stimulus", b'{"text":"\xff"}', 400, "EMY-2009", ""),
        ("/api/v1/stimulus", b'{"text":"\\ud800"}', 400, "EMY-2009", ""),
        ("/api/v1/stimulus", b"[" * 500_000, 422, "EMY-2008", "object"),
        ("/api/v1/stimulus", {}, 422, "EMY-2008", "neither"),
        ("/api/v1/stimulus", {"text": 1}, 422, "EMY-2008", "$.text"),
        ("/api/v1/stimulus", {"txt": "x"}, 422, "EMY-2008", "txt"),
        ("/api/v1/stimulus", {"text": "x" * 70_000}, 422, "EMY-2008", "65536"),
        ("/api/v1/attention", {"signals": ["1"]}, 422, "EMY-2008", "$.signals"),
        ("/api/v1/attention", {"signals": [1] * 5000}, 422, "EMY-2008", "4096"),
        ("/api/v1/attention", b'{"signals":[NaN]}', 400, "EMY-2009", ""),
        ("/api/v1/attention", b'{"signals":[1e999]}', 422, "EMY-2008", "range"),
        ("/api/v1/attention", b'{"signals":[' + b"9" * 5000 + b"]}", 422, "EMY-2008", "range"),
        ("/api/v1/attention", {"signals": [], "at": 1e300}, 422, "EMY-2008", "$.at"),
        ("/api/v1/gflownet/generate", {"facets": []}, 422, "EMY-2008", "facets"),
        ("/api/v1/gflownet/generate", {"facets": FACETS, "count": 10**30}, 422, "EMY-2008", ""),
        ("/api/v1/gflownet/generate", {"facets": FACETS, "seed": -1}, 422, "EMY-2008", "seed"),
        ("/api/v1/inference/plan", {"horizon": 99}, 422, "EMY-2008", "horizon"),
        ("/api/v1/memory/search", {"vector": [1.0]}, 422, "EMY-2008", "256"),
        ("/api/v1/stimulus", {"text": "refuse"}, 503, "EMY-1001", "gone"),
        ("/api/v1/stimulus", {"text": "sleep 9"}, 504, "EMY-2016", "1 s"),
    ],
)
def test_what_cannot_be_served_says_why(
    running: Served, path: str, body: object, status: int, code: str, word: str
) -> None:
    answer = running.ask(path, body)

    assert (answer.status, answer.content["code"]) == (status, code)
    assert word in answer.content["detail"]
    assert answer.content["action"]
    assert answer.headers["content-type"] == "application/problem+json"


def test_too_many_hypotheses_for_an_exact_answer_are_refused_with_the_numbers(
    running: Served,
) -> None:
    facets = [{"name": str(n), "values": [str(v) for v in range(100)]} for n in range(16)]

    answer = running.ask("/api/v1/gflownet/generate", {"facets": facets})

    assert (answer.status, answer.content["code"]) == (422, "EMY-2017")
    assert "at most" in answer.content["detail"]


def test_what_breaks_inside_is_a_number_outside_and_a_story_in_the_journal(
    running: Served,
) -> None:
    answer = running.say("break")

    assert (answer.status, answer.content["code"]) == (500, "EMY-2018")
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert running.ask("/health").status == 200


@pytest.mark.parametrize(
    ("wanted", "word"), [("ko-KR,en;q=0.5", "아무것도"), ("fr, en", "nothing")]
)
def test_a_refusal_is_in_the_language_of_whoever_asked(
    running: Served, wanted: str, word: str
) -> None:
    answer = running.ask("/nothing", Accept_Language=wanted)

    assert word in answer.content["detail"]
    assert answer.headers["content-language"] == ("ko" if word == "아무것도" else "en")


def test_replies_are_kept_by_nobody(running: Served) -> None:
    headers = running.ask("/api/v1/status").headers

    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert "date" in headers


def test_a_chunked_body_is_a_body(running: Served) -> None:
    chunks = b'5\r\n{"sig\r\n10\r\nnals":[1.0,2.0]}\r\n0\r\n\r\n'
    head = f"POST /api/v1/attention HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\r\n"
    data = head.encode() + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + chunks
    command = [
        "timeout",
        "5",
        "bash",
        "-c",
        f"exec 3<>/dev/tcp/127.0.0.1/{running.port}; cat >&3; cat <&3",
    ]

    reply = subprocess.run(command, input=data, capture_output=True).stdout

    assert reply.startswith(b"HTTP/1.1 200 ")


def test_signals_come_out_strongest_first(running: Served) -> None:
    fired = running.ask("/api/v1/attention", {"signals": [0.3, 2.0, 1.0]}).content["firing"]

    outputs = [one["output"] for one in fired]
    assert outputs == sorted(outputs, reverse=True)
    assert all(math.isfinite(one) for one in outputs)
