"""The real mind behind the real service."""

import json
import select
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect

from tests.runtime.process import TOKEN, Running, service

BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with service(tmp_path_factory.mktemp("whole")) as started:
        yield started


def asked(running: Running, path: str, body: object = None) -> HTTPConnection:
    """A connection that waits for its answer."""
    caller = HTTPConnection("127.0.0.1", running.port, timeout=20)
    data = None if body is None else json.dumps(body)
    caller.request("GET" if body is None else "POST", f"/api/v1/{path}", data, BEARER)
    return caller


def ask(running: Running, path: str, body: object = None) -> Any:
    reply = asked(running, path, body).getresponse()
    assert reply.status in (200, 201), reply.read()
    return json.loads(reply.read())


def test_a_stimulus_goes_through_and_is_remembered(whole: Running) -> None:
    reply = ask(whole, "stimulus", {"text": "the fan of rack 4 failed", "source": "rack 4"})

    found = ask(whole, "memory/search", {"text": "fan rack"})

    assert reply["trace"]
    assert reply["tier"] in ("workspace", "inference")
    assert reply["episode"] in {one["identity"] for one in found}


def test_what_is_remembered_is_found_by_words(whole: Running) -> None:
    kept = ask(whole, "memory", {"text": "spare keys hang behind the switchboard"})

    found = ask(whole, "memory/search", {"text": "switchboard keys", "most": 1})

    assert found[0]["identity"] == kept["identity"]


@pytest.mark.parametrize(
    "view", ["status", "workspace", "substrate", "topology", "budget", "flags"]
)
def test_every_view_is_there(whole: Running, view: str) -> None:
    assert ask(whole, view) is not None


def test_hypotheses_and_plans_are_there(whole: Running) -> None:
    facets = [{"name": "cause", "values": ["a", "b"]}, {"name": "act", "values": ["c", "d"]}]

    drawn = ask(whole, "gflownet/generate", {"facets": facets, "count": 4})
    plan = ask(whole, "inference/plan", {"planner": "tree"})

    assert len({tuple(one) for one in drawn["hypotheses"]}) == 4
    assert 0 <= plan["efe_score"] <= 1
    assert ask(whole, "inference/plan", {"identity": "ann"})["planner"] == "policies"


def test_health_is_answered_before_the_hypotheses_that_were_asked_for_earlier(
    whole: Running,
) -> None:
    facets = [{"name": name, "values": [str(one) for one in range(21)]} for name in "abcd"]
    wish = {"facets": facets, "count": 10_000, "distinct": False}
    callers = [asked(whole, "gflownet/generate", wish) for _ in range(6)]

    assert whole.get("/health").startswith("HTTP/1.1 200 ")

    answered, _, _ = select.select([one.sock for one in callers], [], [], 0)
    replies = [one.getresponse() for one in callers]
    assert len(answered) < len(callers)
    assert [reply.status for reply in replies] == [200] * len(callers)


def test_the_beat_is_heard_over_the_websocket(whole: Running) -> None:
    address = f"ws://127.0.0.1:{whole.port}/ws"
    with connect(address, additional_headers=BEARER) as client:
        client.send(json.dumps({"op": "subscribe", "topics": ["mind.cycled"]}))
        kinds = [json.loads(client.recv(timeout=10))["kind"] for _ in range(4)]

    assert kinds == ["hello", "subscribed", "message", "message"]


def test_the_metrics_are_those_of_the_mind(whole: Running) -> None:
    caller = HTTPConnection("127.0.0.1", whole.port, timeout=20)
    caller.request("GET", "/metrics")
    text = caller.getresponse().read().decode()

    assert 'allostatic_neurotransmitter_levels{neurotransmitter="dopamine"}' in text
    assert text.count("# TYPE") >= 60


def planner(running: Running, identity: str, **named: str) -> Any:
    return ask(running, "inference/plan", {"identity": identity} | named)["planner"]


def test_a_flag_puts_a_planner_in_and_a_reload_takes_it_away_from_everybody(tmp_path: Path) -> None:
    text = '[service]\nhost = "127.0.0.1"\nport = 0\n[flags.tree-planner]\n'
    text += "owner = 'ann'\nsince = '2026-11-22'\nidentities = ['ann']\n"
    with service(tmp_path, text) as running:
        before = planner(running, "ann"), planner(running, "bob")
        (tmp_path / "runtime.toml").write_text(text + "killed = true\n")
        running.process.send_signal(1)
        running.told()
        running.told()

        assert before == ("tree", "policies")
        assert planner(running, "ann") == "policies"
        assert planner(running, "ann", planner="tree") == "tree"


def test_a_reload_takes_over_what_it_can_and_names_the_rest(tmp_path: Path) -> None:
    text = '[service]\nhost = "127.0.0.1"\nport = 0\n'
    with service(tmp_path, text) as running:
        (tmp_path / "runtime.toml").write_text(text.replace("0.1", "0.2") + "rate = 1\n")
        running.process.send_signal(1)
        running.told()

        assert running.told()[1].endswith("service.host")
        (tmp_path / "runtime.toml").write_text("[servce]\n")
        running.process.send_signal(1)
        running.told()

        assert "servce" in running.told()[1]
        assert running.get("/health").startswith("HTTP/1.1 200 ")
