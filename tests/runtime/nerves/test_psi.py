"""The kernel's own file, and what a service manager may hand over in its place."""

import asyncio
import os
import socket
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from emily_runtime.messages import Refused
from emily_runtime.nerves.clock import RealClock
from emily_runtime.nerves.pressure import Ladder, Rung
from emily_runtime.nerves.psi import SYSTEM, Alarm, Stall, Stalls, Watch, parse, read

TEXT = (
    "some avg10=1.23 avg60=0.50 avg300=0.10 total=123456\n"
    "full avg10=0.23 avg60=0.05 avg300=0.01 total=2345\n"
)
BUSY = Path("/proc/pressure/cpu")
REQUEST = b"some 20000 2000000\0"


def test_a_pressure_file_is_read() -> None:
    stalls = Stalls(Stall(1.23, 0.5, 0.1, 123456), Stall(0.23, 0.05, 0.01, 2345))

    assert parse(TEXT) == stalls


@pytest.mark.parametrize("text", ["", "some", TEXT.splitlines()[0], TEXT.replace("=1.23", "=x")])
def test_anything_else_is_no_pressure(text: str) -> None:
    assert parse(text) is None


def test_a_kernel_without_it_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff")

    assert read(tmp_path / "none") is None
    assert read(tmp_path / "binary") is None


@pytest.mark.skipif(not SYSTEM.exists(), reason="this kernel tells no pressure")
def test_this_kernels_file_is_understood() -> None:
    assert read(SYSTEM) is not None


@pytest.mark.parametrize("file", ["", "/dev/null"])
def test_nothing_is_watched_where_systemd_says_so(file: str) -> None:
    assert Watch.from_environment({"MEMORY_PRESSURE_WATCH": file}) is None


def test_what_systemd_says_is_understood() -> None:
    said = {"MEMORY_PRESSURE_WATCH": "/x", "MEMORY_PRESSURE_WRITE": b64encode(REQUEST).decode()}

    assert Watch.from_environment(said) == Watch(Path("/x"), REQUEST)


def test_a_request_that_is_not_base64_is_refused() -> None:
    with pytest.raises(Refused, match="EMY-7015"):
        Watch.from_environment({"MEMORY_PRESSURE_WATCH": "/x", "MEMORY_PRESSURE_WRITE": "?"})


async def _rings(alarm: Alarm, seconds: float) -> bool:
    try:
        await asyncio.wait_for(alarm.wait(), seconds)
    except TimeoutError:
        return False
    return True


def test_a_pipe_rings_once_for_what_is_written_to_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    async def run() -> list[bool]:
        other = os.open(tmp_path / "pipe", os.O_RDWR | os.O_NONBLOCK)
        alarm = Alarm(Watch(tmp_path / "pipe", b""))
        rung = [await _rings(alarm, 0.02)]
        os.write(other, b"now")
        rung += [await _rings(alarm, 10.0), await _rings(alarm, 0.02)]
        alarm.close()
        os.close(other)
        return rung

    assert asyncio.run(run()) == [False, True, False]


def test_a_socket_gets_the_request_and_rings_until_it_closes(tmp_path: Path) -> None:
    async def run() -> tuple[bytes, list[bool]]:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(tmp_path / "socket"))
            server.listen()
            alarm = Alarm(Watch(tmp_path / "socket", REQUEST))
            manager = server.accept()[0]
            asked = manager.recv(100)
            manager.send(b"!")
            rung = [await _rings(alarm, 10.0)]
            manager.close()
            rung += [await _rings(alarm, 10.0), await _rings(alarm, 0.02)]
            return asked, rung

    assert asyncio.run(run()) == (REQUEST, [True, True, False])


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_what_can_not_be_watched_is_refused(tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").touch()

    async def run() -> None:
        Alarm(Watch(tmp_path / kind, REQUEST))

    with pytest.raises(Refused, match="EMY-7015"):
        asyncio.run(run())


@contextmanager
def _crowd() -> Iterator[None]:
    """More work than processors, so that tasks wait for one."""
    number = 2 * (os.cpu_count() or 1)
    spinning = [subprocess.Popen([sys.executable, "-c", "while 1: 0"]) for _ in range(number)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def test_the_kernel_itself_rings_and_the_ladder_moves() -> None:
    async def run() -> int:
        try:
            alarm = Alarm(Watch(BUSY, REQUEST))
        except Refused as refused:
            pytest.skip(refused.told("en"))

        async def nothing() -> None:
            return

        ladder = Ladder(RealClock(), [Rung(nothing, nothing)] * 4, lambda: None, lambda _: None)
        with _crowd():
            task = asyncio.create_task(ladder.run(alarm))
            async with asyncio.timeout(30):
                while not ladder.level:
                    await asyncio.sleep(0.01)
        task.cancel()
        alarm.close()
        return ladder.level

    assert asyncio.run(run()) == 1
