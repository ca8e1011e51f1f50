"""Nothing that arrives takes it down, makes it tell its insides, or keeps it busy afterwards."""

import random
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from emily_runtime.mind.structs import Attention, Hypotheses, Plan, Reply
from emily_runtime.service import openapi
from emily_runtime.service.places import places
from emily_runtime.service.structs import (
    AttentionIn,
    GenerateIn,
    MemoryIn,
    PlanIn,
    SearchIn,
    StimulusIn,
)
from tests.runtime.process import Running, service
from tests.runtime.service.served import BEARER, Served
from tests.runtime.service.standin import StandIn

ROOMS = places(StandIn())
API = schemathesis.openapi.from_dict(openapi.document(ROOMS))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
MOST, LEAST = 1.7e308, 5e-324
COIN = {"likelihood": [[1, 0], [0, 1]], "transition": [[[1, 0], [0, 1]]], "prior": [0.5, 0.5]}
FACETS = [{"name": "cause", "values": ["fan", "disk"], "weights": [700, -700]}]
EDGES: list[tuple[str, dict[str, Any], Any]] = [
    ("stimulus", {"signals": [MOST, MOST], "text": "why?", "intensity": MOST}, Reply),
    ("stimulus", {"signals": [-LEAST]}, Reply),
    ("attention", {"signals": [MOST, LEAST, -0.0], "at": 1e9}, Attention),
    ("attention", {"signals": [], "at": MOST}, Attention),
    ("inference/plan", {"model": COIN | {"preference": [MOST, -MOST]}}, Plan),
    ("inference/plan", {"model": COIN | {"preference": [1e6, -1e6]}, "precision": 1000}, Plan),
    ("inference/plan", {"precision": LEAST, "planner": "tree"}, Plan),
    ("gflownet/generate", {"facets": FACETS, "temperature": LEAST}, Hypotheses),
    ("gflownet/generate", {"facets": FACETS, "temperature": 1e-300}, Hypotheses),
]
TAKEN = [StimulusIn, AttentionIn, GenerateIn, PlanIn, MemoryIn, SearchIn]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The service with its own mind: what a stand-in takes may be too much for arithmetic."""
    text = '[service]\nhost = "127.0.0.1"\nport = 0\nrate = 100000\n'
    with service(tmp_path_factory.mktemp("whole"), text) as started:
        yield started


@API.parametrize()
@settings(max_examples=6, suppress_health_check=list(HealthCheck))
def test_every_place_keeps_to_its_description(whole: Running, case: Any) -> None:
    address = f"http://127.0.0.1:{whole.port}"
    reply = case.call(base_url=address, headers=BEARER, timeout=60)

    case.validate_response(reply, checks=CHECKS, headers=BEARER)
    assert "Traceback" not in reply.text


@pytest.mark.parametrize(("path", "body", "gives"), EDGES)
def test_at_the_edge_of_arithmetic_numbers_come_out_or_a_refusal(
    whole: Running, path: str, body: dict[str, Any], gives: Any
) -> None:
    answer = Served(whole.process, whole.port).ask(f"/api/v1/{path}", body)

    if answer.status == 200:
        msgspec.json.decode(answer.text, type=gives)  # what is no number is null, and does not fit
    else:
        assert (answer.status, answer.content["code"][:5]) == (422, "EMY-2")


@pytest.mark.parametrize("kind", TAKEN)
@settings(max_examples=25)
@given(raw=st.binary(max_size=200))
def test_bytes_are_a_request_or_a_named_error(kind: Any, raw: bytes) -> None:
    decoded_or_refused(kind, raw)


@pytest.mark.parametrize("kind", TAKEN)
@settings(max_examples=25)
@given(value=JSON)
def test_json_is_a_request_or_a_named_error(kind: Any, value: Any) -> None:
    decoded_or_refused(kind, msgspec.json.encode(value))


@pytest.mark.parametrize("kind", TAKEN)
@settings(max_examples=25)
@given(
    names=st.dictionaries(st.sampled_from(["text", "signals", "vector", "facets", "seed"]), JSON)
)
def test_right_names_with_any_values_are_a_request_or_a_named_error(kind: Any, names: Any) -> None:
    decoded_or_refused(kind, msgspec.json.encode(names))


def decoded_or_refused(kind: Any, raw: bytes) -> None:
    try:
        found = msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return
    assert isinstance(found, kind)
    assert msgspec.json.decode(msgspec.json.encode(found), type=kind) == found


def test_noise_on_the_line_is_refused_or_cut_off(running: Served) -> None:
    noise = random.Random(6)
    for _ in range(60):
        with socket.create_connection(("127.0.0.1", running.port), timeout=10) as line:
            line.sendall(noise.randbytes(noise.randint(1, 3000)))
            line.shutdown(socket.SHUT_WR)
            reply = everything(line)
        assert reply == b"" or reply.startswith(b"HTTP/1.1 4")

    assert running.ask("/health").status == 200


def test_requests_cut_off_anywhere_leave_nothing_behind(running: Served) -> None:
    body = b'{"text":"hello"}'
    head = f"POST /api/v1/stimulus HTTP/1.1\r\nAuthorization: {BEARER['Authorization']}\r\n"
    whole = head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body
    before = files(running)

    for end in range(0, len(whole), 3):
        with socket.create_connection(("127.0.0.1", running.port), timeout=10) as line:
            line.sendall(whole[:end])
    time.sleep(0.7)

    assert files(running) <= before
    assert running.say("hello").status == 200


def test_whoever_leaves_in_the_middle_of_an_answer_stops_nothing(running: Served) -> None:
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", running.port), timeout=10) as line:
            head = f"GET /openapi.json HTTP/1.1\r\nAuthorization: {BEARER['Authorization']}\r\n\r\n"
            line.sendall(head.encode() * 20)

    assert running.ask("/health").status == 200


def files(running: Served) -> int:
    return len(list(Path(f"/proc/{running.process.pid}/fd").iterdir()))


def everything(line: socket.socket) -> bytes:
    chunks = []
    try:
        while chunk := line.recv(65536):
            chunks.append(chunk)
    except ConnectionResetError:
        pass
    return b"".join(chunks)
