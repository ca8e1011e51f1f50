"""A mind that answers at once and always the same, served as a process of its own."""

import asyncio
import logging
import os
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from secrets import token_hex

from emily_runtime.config import credential, read
from emily_runtime.messages import Refused
from emily_runtime.mind.hypotheses import drawn
from emily_runtime.mind.ledger import Row
from emily_runtime.mind.metrics import Metrics
from emily_runtime.mind.stimulus import Stimulus
from emily_runtime.mind.structs import (
    Attention,
    BudgetView,
    Fired,
    FlagView,
    Held,
    Hypotheses,
    Plan,
    Remembered,
    Reply,
    Status,
    SubstrateView,
    TopologyView,
    Transmitter,
    Weighed,
    WindowView,
    WorkspaceView,
)
from emily_runtime.mind.wishes import Facet, Wish
from emily_runtime.nerves.bus import Bus
from emily_runtime.nerves.clock import RealClock
from emily_runtime.notify import Notifier
from emily_runtime.service.life import Service
from emily_runtime.service.limits import Limits
from emily_runtime.service.loops import loop_factory
from emily_runtime.service.metering import Tally
from emily_runtime.service.standing import Standing
from emily_runtime.service.surroundings import Surroundings
from emily_runtime.tiers import alpha
from emily_runtime.tiers.substrate import TRANSMITTERS


class StandIn:
    """Some words make it misbehave: see stimulate()."""

    def __init__(self) -> None:
        self.clock = RealClock()
        self.run = token_hex(8)
        self.bus = Bus(self.clock)
        self.metrics = Metrics()
        self.rung = 0
        self.ill: str | None = None
        self.stands: str | None = None

    async def start(self) -> None:
        self.bus.publish("begun", {"by": "a stand-in"})

    async def stop(self) -> None:
        self.bus.publish("over", {})

    def healthy(self) -> str | None:
        return self.ill

    def stuck(self) -> str | None:
        return self.stands

    async def stimulate(self, stimulus: Stimulus) -> Reply:
        if self.rung >= 3 and stimulus.text != "ping":
            raise Refused("EMY-2015", step=self.rung)
        match stimulus.text.split():
            case ["break"]:
                raise KeyError("a secret of the inside")
            case ["refuse"]:
                raise Refused("EMY-1001", file="memory.sqlite", reason="gone")
            case ["sleep", seconds]:
                await asyncio.sleep(float(seconds))
            case ["pressure", step]:
                self.rung = int(step)
                asyncio.get_running_loop().call_later(2, setattr, self, "rung", 0)
            case ["ill" | "stands" as what, *why]:
                setattr(self, what, " ".join(why) or None)
            case ["flood", topic, count]:
                self.bus.publish_many(topic, [({"number": one}, "") for one in range(int(count))])
            case ["drip", topic, count]:
                for number in range(int(count)):
                    self.bus.publish(topic, {"number": number, "filler": "x" * 1000})
                    await asyncio.sleep(0)
        self.bus.publish("stimulus", {"text": stimulus.text}, "t")
        attention = self.attend(stimulus.signals or (1.0,), None)
        return Reply("t", "inference", "answer", "yes", 1.5, attention=attention, plan=_PLAN)

    def attend(self, signals: Sequence[float], at: float | None = None) -> Attention:
        firing = alpha.gate(alpha.Alpha(), signals, at or 0.0)
        fired = [Fired(one.place, one.output, one.delay * 1000) for one in firing]
        return Attention(fired, at or 0.0, 0.5, reset=False)

    async def generate(
        self, facets: Sequence[Facet], wish: Wish, seed: int | None = None
    ) -> Hypotheses:
        found = drawn(facets, wish, seed or 0)
        texts, names = [list(one) for one in found.hypotheses], [one.name for one in facets]
        unique, expected = found.unique, found.expected_unique
        return Hypotheses(names, texts, found.log_z, unique, expected, "distinct")

    async def plan(self, *_: object) -> Plan:
        return _PLAN

    async def remember(self, text: str, source: str = "") -> Remembered:
        return Remembered("01JD0000000000000000000000", text, 1.0, 1.0, source)

    async def exposition(self) -> bytes:
        return self.metrics.text()

    async def said_since(self, run: str, sequence: int) -> list[Row]:
        kept = {"the one before": [4, 9]}.get(run, [])
        return [
            Row(run, one, "alert", 1.0, "", b'{"text":"fire"}') for one in kept if one > sequence
        ]

    def pressure(self) -> int:
        return self.rung

    async def recall(self, text: str, *_: object) -> list[Remembered]:
        return [Remembered("01JD0000000000000000000000", text, 0.9, 1.0)]

    def status(self) -> Status:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        return Status(
            "0", self.ill is None, self.ill or "", 61.0, 488, 12, 34567, self.rung, peak,
            0.001, self.bus.published, 0, "sqlite", ["offline"],
        )  # fmt: skip

    def workspace(self) -> WorkspaceView:
        ignited = [Held(1, "door", "stimulus", "the door of rack 4 is open", 0.91)]
        waiting = [Held(2, "fan", "memory", "fan 2 was loud last week", 0.41, 2)]
        return WorkspaceView(488, 7, ignited, waiting, 3, 0.4659, 0.3341)

    def substrate(self) -> SubstrateView:
        levels = [0.5, 0.55, 0.48, 0.31, 0.72]
        rows = zip(TRANSMITTERS, levels, strict=True)
        transmitters = [Transmitter(name, level, 0.5, level - 0.5) for name, level in rows]
        return SubstrateView(transmitters, 1.1, 1.2, 3, 0.5, 0.0)

    def topology(self) -> TopologyView:
        return TopologyView(3, [], [["gate", "workspace"]], [["gate"], ["workspace"]], [])

    def budget(self) -> BudgetView:
        windows = [WindowView("hour", 10, 1.25, 0.05, 8.7), WindowView("day", 100, 3, 0.05, 96.95)]
        return BudgetView(windows, ["offline"], {"offline": "closed"})

    def flags(self) -> list[FlagView]:
        return [FlagView("tree-planner", 10.0, [], killed=False, owner="ops", since="2026-11-01")]


_PLAN = Plan("answer", [Weighed("wait", 0.1), Weighed("answer", 0.9)], 2.1, 0.3, 0.4, 2, 1.0, 16)


def main() -> None:
    logging.basicConfig()
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    config = read(Path(sys.argv[1]))
    rate, at_once = config.service.rate, config.service.concurrency
    arrive = float(os.environ.get("ARRIVE", "10"))
    limits = Limits(
        arrive=arrive, rate=rate, burst=2 * rate, at_once=at_once, answer=1.0, late=30.0
    )
    colour = sys.argv[2] if len(sys.argv) > 2 else "alone"
    standing = Standing(
        credential("token", os.environ), config.language, limits, Tally(),
        colour,  # type: ignore[arg-type]
    )  # fmt: skip
    around = Surroundings.from_environment(os.environ)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        service = Service(
            (config.host, config.port), StandIn(), standing,
            Notifier.from_environment(os.environ), around,
        )  # fmt: skip
        runner.run(service.run())


if __name__ == "__main__":
    main()
