"""Two instances share one socket, and whoever's turn it is answers."""

import http.client
import signal
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.runtime.service.instances import Instance, instance


@pytest.fixture(scope="module")
def shared() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as door:
        yield door


@pytest.fixture(scope="module")
def both(
    tmp_path_factory: pytest.TempPathFactory, shared: socket.socket
) -> Iterator[tuple[Instance, Instance]]:
    folder = tmp_path_factory.mktemp("turns")
    with ExitStack() as stack:
        blue, green = (
            stack.enter_context(instance(folder, shared, colour)) for colour in ("blue", "green")
        )
        yield blue, green


def calling(shared: socket.socket) -> http.client.HTTPConnection:
    host, port = shared.getsockname()
    return http.client.HTTPConnection(host, port, timeout=10)


def switch(giver: Instance, taker: Instance) -> None:
    """As a deployment does it: first the new one, then not the old one."""
    assert taker.ask("POST", "/control/take")[0] == 200
    assert giver.ask("POST", "/control/leave")[0] == 200


def test_at_the_first_start_it_is_the_turn_of_blue(both: tuple[Instance, Instance]) -> None:
    blue, green = (each.ask("GET", "/control/state")[1] for each in both)

    assert (blue["colour"], blue["taking"], blue["phase"]) == ("blue", True, "ready")
    assert (green["colour"], green["taking"], green["phase"]) == ("green", False, "ready")


def test_systemd_is_told_whose_turn_it_is(
    both: tuple[Instance, Instance], shared: socket.socket
) -> None:
    blue, green = both

    switch(blue, green)
    said = blue.told(), green.told()
    switch(green, blue)

    host, port = shared.getsockname()
    assert said[0] == ["STATUS=blue waits; it can take over at once"]
    assert said[1] == [f"STATUS=ready on {host}:{port}"]


def test_the_control_socket_is_for_its_user_alone(both: tuple[Instance, Instance]) -> None:
    mode = (both[0].folder / "control.sock").stat().st_mode

    assert stat.S_IMODE(mode) == 0o600


@pytest.mark.usefixtures("both")
def test_the_control_places_are_not_found_by_the_shared_socket(shared: socket.socket) -> None:
    caller = calling(shared)
    caller.request(
        "GET", "/control/state", headers={"Authorization": "Bearer a-token-for-tests-only"}
    )

    assert caller.getresponse().status == 404


def test_a_switch_refuses_nobody(both: tuple[Instance, Instance], shared: socket.socket) -> None:
    answers: list[int] = []
    going = threading.Event()

    def ask_on() -> None:
        while not going.is_set():
            caller = calling(shared)
            for _ in range(5):
                caller.request("GET", "/health")
                reply = caller.getresponse()
                reply.read()
                answers.append(reply.status)
            caller.close()

    callers = [threading.Thread(target=ask_on) for _ in range(4)]
    for caller in callers:
        caller.start()
    for _ in range(5):
        switch(both[0], both[1])
        switch(both[1], both[0])
    going.set()
    for caller in callers:
        caller.join()

    assert len(answers) > 50
    assert set(answers) == {200}


def test_whoever_is_inside_gets_a_last_reply(
    both: tuple[Instance, Instance], shared: socket.socket
) -> None:
    blue, green = both
    caller = calling(shared)
    caller.request("GET", "/health")
    before = caller.getresponse()
    before.read()

    switch(blue, green)
    caller.request("GET", "/health")
    after = caller.getresponse()

    assert before.getheader("connection") is None
    assert (after.status, after.getheader("connection")) == (200, "close")
    assert blue.ask("GET", "/control/state")[1]["open"] == 0
    switch(green, blue)


def test_a_restart_remembers_whose_turn_it_is(tmp_path: Path) -> None:
    (tmp_path / "active").write_text("green\n")

    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        instance(tmp_path, other, "green") as green,
    ):
        taking = green.ask("GET", "/control/state")[1]["taking"]
        green.ask("POST", "/control/leave")
        (tmp_path / "active").unlink()
        green.ask("POST", "/control/take")

    assert taking
    assert (tmp_path / "active").read_text() == "green\n"


@pytest.mark.parametrize("said", ["", "\n", "purple\n", "\0\0\0\0\0"])
def test_where_no_colour_is_on_record_it_is_the_turn_of_blue(tmp_path: Path, said: str) -> None:
    (tmp_path / "active").write_text(said)

    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        instance(tmp_path, other, "blue") as blue,
    ):
        assert blue.ask("GET", "/control/state")[1]["taking"]


def test_what_it_has_served_is_counted_from_its_turn(
    both: tuple[Instance, Instance], shared: socket.socket
) -> None:
    blue, green = both
    switch(blue, green)
    switch(green, blue)
    for _ in range(3):
        caller = calling(shared)
        caller.request("GET", "/api/v1/nothing")
        assert caller.getresponse().status == 401
        caller.close()

    state = blue.ask("GET", "/control/state")[1]

    assert (state["requests"], state["errors"]) == (3, 0)
    assert state["p95_ms"] > 0


def test_sighup_is_a_reload_by_the_protocol_of_systemd(both: tuple[Instance, Instance]) -> None:
    lines = (one for one in iter(both[0].told, []) if not one[0].startswith("STATUS="))
    both[0].process.send_signal(signal.SIGHUP)

    begin, moment = next(lines)

    assert begin == "RELOADING=1"
    assert moment.removeprefix("MONOTONIC_USEC=").isdecimal()
    assert next(lines)[0] == "READY=1"
