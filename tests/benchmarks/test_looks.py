"""What a look asks of a host, as the server counts it, over a line that is as slow as it says."""

import getpass
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.distance import Distance
from benchmarks.far import Count, Far, far_away
from benchmarks.looks import counted
from emily_infra.machine import Target, connect
from tests.cli.served import SSHD

OURS = str(Path(sys.executable).parent / "emily-infra")
needs_sshd = pytest.mark.skipif(SSHD is None, reason="needs sshd")


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Far]:
    with far_away(tmp_path_factory.mktemp("far"), round_trip=0.0) as there:
        yield there


@needs_sshd
@pytest.mark.parametrize("command", ["plan", "status"])
def test_a_host_as_it_should_be_is_seen_by_one_connection_and_one_command(
    far: Far, command: str
) -> None:
    found = counted(far, (OURS, command, "pebble"))

    assert found == Count(connections=1, commands=1)


@needs_sshd
def test_every_command_of_a_connection_counts(far: Far) -> None:
    known, nothing = far.folder / "known_hosts", Path("/dev/null")
    port, key = far.distance.port, far.server.key
    target = Target("pebble", "127.0.0.1", getpass.getuser(), port, key, known, nothing)
    before = far.count()

    machine = connect(target)
    said = [machine.run("echo", word) for word in ("well", "met")]
    machine.close()

    assert said == ["well\n", "met\n"]
    assert far.count().since(before) == Count(connections=1, commands=2)


def test_a_connection_takes_a_round_trip_and_every_byte_half_of_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        distance = Distance(int(server.getsockname()[1]), round_trip=0.2)
        begin = time.monotonic()
        with socket.create_connection(("127.0.0.1", distance.port)) as near:
            near.sendall(b"well")
            there, _ = server.accept()
            with there:
                assert there.recv(4) == b"well"
                came = time.monotonic() - begin
                there.sendall(b"met")
                assert near.recv(3) == b"met"
                back = time.monotonic() - begin
        distance.close()

    assert distance.connections == 1
    assert came >= 0.3
    assert back >= 0.4


def test_nothing_is_lost_on_the_way() -> None:
    sent = os.urandom(3_000_000)
    with socket.create_server(("127.0.0.1", 0)) as server:
        distance = Distance(int(server.getsockname()[1]), round_trip=0.02)
        near = socket.create_connection(("127.0.0.1", distance.port))
        there, _ = server.accept()

        threading.Thread(target=_say, args=(near, sent)).start()
        with there, there.makefile("rb") as stream:
            heard = stream.read()
        distance.close()

    assert heard == sent


def _say(line: socket.socket, text: bytes) -> None:
    with line:
        line.sendall(text)
