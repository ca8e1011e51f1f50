"""What is said on the bus reaches whoever listens, and what doesn't is counted."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.runtime.process import TOKEN
from tests.runtime.service.served import BEARER, Served, served


def heard(client: ClientConnection) -> Any:
    return json.loads(client.recv(timeout=10))


@contextmanager
def listening(running: Served, *topics: str, **wish: Any) -> Iterator[tuple[ClientConnection, Any]]:
    """A subscribed reader, and what it was greeted with."""
    with running.listen() as client:
        hello = heard(client)
        client.send(json.dumps({"op": "subscribe", "topics": topics, **wish}))
        subscribed = heard(client)
        assert subscribed["kind"] == "subscribed"
        yield client, hello


def test_a_reader_hears_its_topics_and_no_others(running: Served) -> None:
    with listening(running, "apples") as (client, _):
        running.say("flood pears 5")
        running.say("flood apples 3")

        told = [heard(client) for _ in range(3)]

    assert [one["topic"] for one in told] == ["apples"] * 3
    assert [one["payload"]["number"] for one in told] == [0, 1, 2]
    assert told[0]["sequence"] < told[1]["sequence"]


def test_a_reader_is_no_request_that_takes_too_long_to_arrive(tmp_path: Path) -> None:
    with served(tmp_path, ARRIVE="0.5") as running, listening(running, "pears") as (client, _):
        time.sleep(1.5)
        running.say("flood pears 1")

        assert heard(client)["topic"] == "pears"


def test_without_topics_a_reader_hears_everything(running: Served) -> None:
    with listening(running) as (client, _):
        running.say("flood plums 1")

        topics = {heard(client)["topic"] for _ in range(3)}

    assert topics == {"plums", "stimulus", "reply"}


def test_a_reader_that_comes_back_goes_on_where_it_was(running: Served) -> None:
    with listening(running, "resume") as (client, hello):
        running.say("flood resume 2")
        last = [heard(client) for _ in range(2)][-1]["sequence"]
    running.say("flood resume 4")

    wish = {"since": last, "instance": hello["instance"]}
    with listening(running, "resume", **wish) as (client, _):
        numbers = [heard(client)["payload"]["number"] for _ in range(4)]

    assert numbers == [0, 1, 2, 3]


def test_what_was_overwritten_in_the_meantime_is_counted(running: Served) -> None:
    with listening(running) as (client, hello):
        running.say("flood away 1")
        first = heard(client)["sequence"]
    running.say("flood away 3000")

    with listening(running, since=first, instance=hello["instance"]) as (client, _):
        lost, following = heard(client), heard(client)

    assert lost["kind"] == "lost"
    assert lost["exact"]
    # Since then: two that followed the first flood, and 3,000 of which 1,024 are held.
    assert lost["count"] == 3000 - 1024
    assert following["kind"] == "message"


@pytest.mark.parametrize("whose", [{"instance": "another"}, {}])
def test_a_number_that_is_not_known_to_be_of_this_run_is_no_place_to_go_on_from(
    running: Served, whose: dict[str, str]
) -> None:
    running.say("flood fresh 3")
    with listening(running, "fresh", since=0, **whose) as (client, hello):
        reset = heard(client)
        running.say("flood fresh 1")
        following = heard(client)

    assert (reset["kind"], reset["code"]) == ("reset", "EMY-2022")
    assert (reset["instance"], reset["next"]) == (hello["instance"], hello["next"])
    assert whose.get("instance", "?") in reset["detail"]
    assert following["payload"]["number"] == 0
    assert following["sequence"] >= reset["next"]


def test_a_number_that_was_not_reached_is_no_place_to_go_on_from(running: Served) -> None:
    with running.listen() as client:
        hello = heard(client)
    wish = {"since": hello["next"] + 1000, "instance": hello["instance"]}

    with listening(running, "fresh", **wish) as (client, _):
        assert heard(client)["kind"] == "reset"


def test_what_durable_topics_said_since_is_told_after_a_reset(running: Served) -> None:
    wish = {"since": 5, "instance": "the one before"}
    with listening(running, "alert", **wish) as (client, _):
        kinds = [heard(client) for _ in range(2)]
    with listening(running, "others", **wish) as (client, _):
        heard(client)
        running.say("flood others 1")
        other = heard(client)

    assert kinds[0]["kind"] == "reset"
    assert (kinds[1]["kind"], kinds[1]["sequence"], kinds[1]["instance"]) == (
        "earlier",
        9,
        "the one before",
    )
    assert kinds[1]["payload"] == {"text": "fire"}
    assert other["kind"] == "message"


def test_a_slow_reader_loses_exactly_what_it_is_told_and_nobody_waits_for_it(
    running: Served,
) -> None:
    with narrow(running) as slow, listening(running, "drops") as (quick, _):
        begun = time.monotonic()
        for _ in range(3):
            running.say("drip drops 5000")
        took = time.monotonic() - begun

        got, lost = everything(quick, 15_000)
        late, missed = everything(slow, 15_000)

    assert got + lost == late + missed == 15_000
    assert missed > 1000
    assert took < 30


@contextmanager
def narrow(running: Served) -> Iterator[ClientConnection]:
    """A reader of drops with the smallest window that TCP has, which reads nothing yet."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    line.connect(("127.0.0.1", running.port))
    address = f"ws://127.0.0.1:{running.port}/ws"
    with connect(address, sock=line, additional_headers=BEARER, max_queue=1) as client:
        heard(client)
        client.send(json.dumps({"op": "subscribe", "topics": ["drops"]}))
        heard(client)
        yield client


def everything(client: ClientConnection, count: int) -> tuple[int, int]:
    got = lost = 0
    while got + lost < count:
        told = heard(client)
        if told["kind"] == "lost":
            lost += told["count"]
        else:
            got += 1
    return got, lost


def test_snapshots_say_how_things_are(running: Served) -> None:
    with listening(running, "quiet", snapshots=True) as (client, _):
        told = heard(client)

    assert told["kind"] == "snapshot"
    assert set(told["payload"]) == {"service", "status", "workspace", "substrate", "budget"}


@pytest.mark.parametrize(
    "word", ["", "{", "[" * 100_00, '{"op":"sing"}', '{"op":"subscribe","topics":"all"}', "\0"]
)
def test_what_makes_no_sense_is_answered_and_the_line_stays(running: Served, word: str) -> None:
    with running.listen() as client:
        heard(client)
        client.send(word)
        told = heard(client)
        client.send('{"op":"unsubscribe"}')
        client.send('{"op":"subscribe","topics":["t"]}')

        assert (told["kind"], told["code"]) == ("problem", "EMY-2019")
        assert heard(client)["kind"] == "subscribed"


def to_the_end(client: ClientConnection) -> None:
    while True:
        client.recv(timeout=10)


def test_whoever_only_talks_nonsense_is_hung_up_on(running: Served) -> None:
    def talk(client: ClientConnection) -> None:
        for _ in range(40):
            client.send(b"\x00\xff")
        to_the_end(client)

    with running.listen() as client, pytest.raises(ConnectionClosed) as closed:
        talk(client)

    assert closed.value.rcvd
    assert closed.value.rcvd.code == 1008


def test_a_word_that_is_too_long_ends_the_conversation(running: Served) -> None:
    with running.listen() as client:
        client.send("x" * 100_000)
        with pytest.raises(ConnectionClosed) as closed:
            to_the_end(client)

    assert closed.value.rcvd
    assert closed.value.rcvd.code == 1009
    assert running.ask("/health").status == 200


def test_without_the_token_there_is_no_conversation(running: Served) -> None:
    with pytest.raises(InvalidStatus) as refused:
        connect(f"ws://127.0.0.1:{running.port}/ws")

    assert refused.value.response.status_code == 401
    assert json.loads(refused.value.response.body)["code"] == "EMY-2004"


def test_a_browser_brings_the_token_as_a_subprotocol(running: Served) -> None:
    offered: Any = ["emily.v1", f"emily.bearer.{TOKEN.encode().hex()}"]
    with connect(f"ws://127.0.0.1:{running.port}/ws", subprotocols=offered) as client:
        assert client.subprotocol == "emily.v1"
        assert heard(client)["kind"] == "hello"


def test_http_on_the_websocket_says_so(running: Served) -> None:
    assert running.ask("/ws").content["code"] == "EMY-2020"


def test_readers_are_counted_and_forgotten(running: Served) -> None:
    with running.listen() as client:
        heard(client)
        time.sleep(0.5)
        open_now = figure(running)
    time.sleep(0.8)

    assert open_now >= 1
    assert figure(running) == open_now - 1


def figure(running: Served) -> float:
    lines = running.ask("/metrics").text.splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith("emily_ws_clients ")))
