"""The whole loop, from a stimulus to an action: over the bus, and over HTTP in a real process.

After part 2.5 of the third source document, with what it got wrong put right: a score of expected
free energy is a share of its bound, and a stimulus that a reflex answers goes no further.
"""

import asyncio
import json
from http.client import HTTPConnection
from pathlib import Path

from emily_runtime.mind.stimulus import Stimulus
from emily_runtime.mind.structs import Beat
from tests.runtime.mind.runtimes import PING, running
from tests.runtime.process import TOKEN, run, service

SLA_MS = 50


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


def test_the_loop_over_http_and_its_recording(tmp_path: Path) -> None:
    with service(
        tmp_path, f"[service]\nport = 0\n{PING}", STATE_DIRECTORY=str(tmp_path)
    ) as process:

        def told(text: str) -> dict[str, object]:
            caller = HTTPConnection("127.0.0.1", process.port, timeout=20)
            headers = {"Authorization": f"Bearer {TOKEN}"}
            caller.request("POST", "/api/v1/stimulus", json.dumps({"text": text}), headers)
            found: dict[str, object] = json.loads(caller.getresponse().read())
            return found

        reflex, answer = told("ping"), told("why is the pool slow?")
        state = ("--config", tmp_path / "runtime.toml", "--state", tmp_path)
        remembered = run("memory", "search", "pool slow", *state, "--json")
        status = process.stop()

    assert (reflex["tier"], reflex["words"]) == ("reflex", "pong")
    assert (answer["tier"], answer["action"]) == ("inference", "answer")
    assert json.loads(remembered.stdout)[0]["text"] == "why is the pool slow?"
    assert status == 0
