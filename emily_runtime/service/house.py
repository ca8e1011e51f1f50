"""Two doors with the same rooms behind them: the shared one, and the instance's own."""

import socket
from pathlib import Path
from typing import Any

import msgspec
from starlette.routing import BaseRoute, Route, WebSocketRoute

from emily_runtime.service import control, openapi
from emily_runtime.service.app import Parts, application, probes
from emily_runtime.service.doors import Door, DoorConfig
from emily_runtime.service.endpoints import Place
from emily_runtime.service.fanout import Fanout
from emily_runtime.service.feed import Feed
from emily_runtime.service.frames import Snapshot
from emily_runtime.service.guard import Socket
from emily_runtime.service.loops import http_protocol
from emily_runtime.service.metering import Gauges
from emily_runtime.service.page import Page
from emily_runtime.service.places import places
from emily_runtime.service.ports import Mind
from emily_runtime.service.standing import Standing
from emily_runtime.service.turns import Turn

SNAPSHOT_EVERY = 4
"""Looks at ourselves between two snapshots for the page."""


class House:
    """Everything that can be reached, and by which door."""

    def __init__(
        self,
        mind: Mind,
        standing: Standing,
        listening: tuple[socket.socket, ...],
        active: Path,
    ) -> None:
        self.mind = mind
        self.standing = standing
        self.fanout = Fanout(mind.bus)
        shared, own = (Door(name, standing.limits, standing.language) for name in ("shared", "own"))
        self.doors = (shared, own)
        rooms = [*probes(standing), *places(mind)]
        rooms.append(_description(rooms))
        standing.instance = mind.run
        feed = Feed(self.fanout, standing, mind.said_since)
        more = [
            Route("/", Page(), methods=["GET"]),
            WebSocketRoute("/ws", feed),
            Route("/ws", feed, methods=["GET"]),
        ]
        self.gauges = Gauges(mind.metrics, [room.path for room in rooms])
        self.turn = Turn(standing, self._way(shared, rooms, more), listening, active)
        self.private = self._way(own, [*rooms, *control.places(self.turn)], more)
        self._looks = 0

    def look(self) -> None:
        """A few times a second: what is to be seen from outside."""
        self.standing.pressure = self.mind.pressure()
        self.gauges.heard(len(self.fanout.readers), self.fanout.lost)
        self._looks += 1
        if self._looks % SNAPSHOT_EVERY == 0 and self.fanout.is_watched:
            self.fanout.snapshot(Snapshot(self._sight()))

    def _sight(self) -> dict[str, Any]:
        mind, standing, tally = self.mind, self.standing, self.standing.tally
        edge = {
            "colour": standing.colour,
            "taking": standing.is_taking,
            "phase": standing.phase.value,
            "complaint": standing.complaint() or "",
            "requests": tally.requests,
            "errors": tally.errors,
            "p95_ms": tally.p95_ms(),
            "since": tally.since,
            "open": len(self.doors[0].visits),
            "at_once": standing.at_once,
            "lag_ms": round(standing.lag * 1000, 1),
        }
        return {
            "service": edge,
            "status": mind.status(),
            "workspace": mind.workspace(),
            "substrate": mind.substrate(),
            "budget": mind.budget(),
        }

    def _way(self, door: Door, rooms: list[Place], more: list[BaseRoute]) -> DoorConfig:
        app = application(Parts(self.standing, self.gauges, rooms, more))
        return DoorConfig(app, door, http_protocol(), Socket)


def _description(rooms: list[Place]) -> Place:
    path, summary = "/openapi.json", "This description."
    described = msgspec.json.encode(openapi.document(rooms))
    return Place("GET", path, summary, bytes, lambda: described)
