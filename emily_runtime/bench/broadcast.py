"""Row 22: what it costs to tell a message to everybody who listens by WebSocket.

Each side is a server in a process of its own, whose processor time is taken; the listeners are
here, and throw away what they hear. Messages are said one at a time, not in bursts.
"""

import asyncio
import base64
import os
import selectors
import socket
import subprocess
import sys
from statistics import median
from time import process_time
from typing import Any

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from emily_runtime.bench.row import REPEATS, Row, ratio
from emily_runtime.nerves.bus import Bus
from emily_runtime.nerves.clock import RealClock
from emily_runtime.service.doors import Door, DoorConfig
from emily_runtime.service.fanout import Fanout
from emily_runtime.service.guard import Socket
from emily_runtime.service.limits import Limits
from emily_runtime.service.loops import http_protocol, loop_factory

LISTENERS = 20
MESSAGES = 3000
PAYLOAD = {"text": "x" * 60}
GOAL = 1.2


def rows() -> list[Row]:
    """Ours beside Starlette's own way."""
    times: dict[str, list[float]] = {"ours": [], "starlette": []}
    for _ in range(REPEATS):
        for side, taken in times.items():
            taken.append(_told(side) / (LISTENERS * MESSAGES))
    faster = ratio(times["starlette"], times["ours"])
    ours, peer = (f"{median(each) * 1e6:.2f} µs" for each in times.values())
    what = f"telling {LISTENERS} WebSockets, per delivery"
    held = faster.reaches(GOAL)
    return [Row("22", what, ours, f"{peer} by Starlette", str(faster), f"{GOAL} times", held)]


def _told(side: str) -> float:
    """Seconds of the server's processor for all deliveries."""
    command = [sys.executable, "-m", "emily_runtime.bench.broadcast", side]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:  # noqa: S603
        assert server.stdout
        port = int(server.stdout.readline())
        lines = [_listener(port) for _ in range(LISTENERS)]
        with selectors.DefaultSelector() as waiting:
            for line in lines:
                waiting.register(line, selectors.EVENT_READ)
            while waiting.get_map():
                for key, _ in waiting.select():
                    if not os.read(key.fd, 1 << 20):
                        waiting.unregister(key.fd)
        for line in lines:
            line.close()
        return float(server.stdout.readline())


def _listener(port: int) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", port))
    key = base64.b64encode(os.urandom(16)).decode()
    head = "GET /ws HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    line.sendall(f"{head}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode())
    return line


async def _ours() -> float:
    """A server with our way of telling."""
    bus = Bus(RealClock())
    fanout = Fanout(bus)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        reader = fanout.join(scope["extensions"]["emily.socket"]["is"])
        fanout.subscribe(reader, ("bench",), None)
        await receive()
        fanout.leave(reader)

    async def tell() -> None:
        bus.publish("bench", PAYLOAD)
        await asyncio.sleep(0)

    door = Door("bench", Limits(), "en")
    way = DoorConfig(app, door, http_protocol(), Socket)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(way.protocol, "127.0.0.1", 0)
    _say(server.sockets[0].getsockname()[1])
    while len(fanout.readers) < LISTENERS:
        await asyncio.sleep(0.01)
    begun = process_time()
    for _ in range(MESSAGES):
        await tell()
    while fanout.delivered < LISTENERS * MESSAGES:
        await asyncio.sleep(0)
    taken = process_time() - begun
    for visit in list(door.visits):
        visit.transport.abort()
    return taken


async def _starlette() -> float:
    """A server that sends to one after the other, the text made once."""
    inside: set[WebSocket] = set()

    async def listen(line: WebSocket) -> None:
        await line.accept()
        inside.add(line)
        try:
            await line.receive_text()
        except WebSocketDisconnect:
            inside.discard(line)

    app = Starlette(routes=[WebSocketRoute("/ws", listen)])
    config = uvicorn.Config(
        app, port=0, ws="websockets-sansio", log_config=None, ws_per_message_deflate=False
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as door:
        task = asyncio.create_task(server.serve([door]))
        _say(door.getsockname()[1])
        while len(inside) < LISTENERS:
            await asyncio.sleep(0.01)
        begun = process_time()
        for number in range(MESSAGES):
            said = {"kind": "message", "sequence": number, "topic": "bench", "at_ns": 0}
            text = msgspec.json.encode(said | {"trace": "", "payload": PAYLOAD}).decode()
            for line in inside:
                await line.send_text(text)
            await asyncio.sleep(0)
        taken = process_time() - begun
        server.should_exit = True
        await task
    return taken


def _say(word: object) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    side = {"ours": _ours, "starlette": _starlette}[sys.argv[1]]
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        _say(runner.run(side()))
