"""The whole loop, from a stimulus to an action: over the bus, and over HTTP in a real process.

After part 2.5 of the third source document, with what it got wrong put right: a score of expected
free energy is a share of its bound, and a stimulus that a reflex answers goes no further.
"""

import asyncio
import json
from http.client import HTTPConnection
from pathlib import Path
from subprocess import CompletedProcess
from typing import NamedTuple

import msgspec
import pytest
from websockets.sync.client import connect

from emily_runtime.mind.stimulus import Stimulus
from emily_runtime.mind.structs import Beat, Reply
from tests.runtime.mind.runtimes import PING, running
from tests.runtime.process import TOKEN, Running, run, service

SLA_MS = 50
BEARER = {"Authorization": f"Bearer {TOKEN}"}


def test_the_loop_over_the_bus(tmp_path: Path) -> None:
    async def life() -> None:
        async with running(tmp_path) as runtime:
            with runtime.bus.subscribe("reflex", "stimulus", "beat", "alert") as reader:
                reflex = await runtime.stimulate(Stimulus("ping", (0.1, 0.5, 0.9)))
                reply = await runtime.stimulate(Stimulus("disk 3 failed", (-0.1, -0.5, -0.9)))
                said = reader.read()

        assert reflex.latency_ms < SLA_MS
        assert reply.attention
        assert [one.place for one in reply.attention.firing] == [2, 1, 0]
        assert abs(reply.attention.firing[0].output) > 0.7
        assert reply.standing == "ignited"
        assert reply.plan
        assert 0 <= reply.plan.efe_score < 1
        assert reply.action == "alert"
        assert said.lost == 0
        topics = [one.topic for one in said.items if one.topic != "beat"]
        assert topics == ["stimulus", "reflex", "stimulus", "alert"]
        beats = [one.payload for one in said.items if isinstance(one.payload, Beat)]
        assert sum(beat.broadcast > 0 for beat in beats) >= 1

    asyncio.run(life())


class Lived(NamedTuple):
    """What a service said in its life, and what was left of it."""

    reflex: Reply
    reply: Reply
    topics: list[str]
    """Heard by WebSocket, in order."""
    found: list[dict[str, object]]
    """In its memory."""
    status: int
    """It ended with."""
    again: CompletedProcess[str]
    """The run, replayed."""


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    folder = tmp_path_factory.mktemp("triune")
    file, text = folder / "run", f"[service]\nport = 0\n{PING}"
    with service(folder, text, options=["--record", str(file)]) as process:
        with connect(f"ws://127.0.0.1:{process.port}/ws", additional_headers=BEARER) as ears:
            ears.send('{"op":"subscribe","topics":["reflex","stimulus","alert"]}')
            reflex = told(process, "ping", [0.1, 0.5, 0.9])
            reply = told(process, "disk 3 failed", [-0.1, -0.5, -0.9])
            heard = [json.loads(ears.recv(timeout=20)) for _ in range(6)]
        state = ("--config", folder / "runtime.toml", "--state", folder)
        found = json.loads(run("memory", "search", "disk 3", *state, "--json").stdout)
        status = process.stop()
    topics = [one["topic"] for one in heard if one["kind"] == "message"]
    return Lived(reflex, reply, topics, found, status, run("replay", file))


def told(process: Running, text: str, signals: list[float]) -> Reply:
    caller = HTTPConnection("127.0.0.1", process.port, timeout=20)
    body = json.dumps({"text": text, "signals": signals})
    caller.request("POST", "/api/v1/stimulus", body, BEARER)
    return msgspec.json.decode(caller.getresponse().read(), type=Reply)


def test_the_loop_over_http(lived: Lived) -> None:
    reflex, reply = lived.reflex, lived.reply

    assert (reflex.tier, reflex.words) == ("reflex", "pong")
    assert reflex.latency_ms < SLA_MS
    assert reply.attention
    assert [one.place for one in reply.attention.firing] == [2, 1, 0]
    assert reply.plan
    assert 0 <= reply.plan.efe_score < 1
    assert (reply.standing, reply.action) == ("ignited", "alert")
    assert lived.topics == ["stimulus", "reflex", "stimulus", "alert"]


def test_the_loop_over_http_is_remembered_and_replayed_bit_for_bit(lived: Lived) -> None:
    assert lived.status == 0
    assert [one["text"] for one in lived.found] == ["disk 3 failed"]
    assert lived.found[0]["identity"] == lived.reply.episode
    assert lived.again.returncode == 0, lived.again.stderr
    assert "the same, bit for bit" in lived.again.stdout
