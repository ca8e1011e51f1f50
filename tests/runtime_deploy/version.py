"""The real service around a mind that is as good or as bad as its settings say."""

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import msgspec

from emily_runtime.notify import Notifier
from emily_runtime.service import house
from emily_runtime.service.endpoints import Place
from emily_runtime.service.life import Service
from emily_runtime.service.limits import Limits
from emily_runtime.service.loops import loop_factory
from emily_runtime.service.metering import Tally
from emily_runtime.service.problems import Refusal
from emily_runtime.service.standing import Standing
from emily_runtime.service.surroundings import Surroundings
from tests.runtime.service.standin import StandIn

TOKEN = "t0ken"


class Faults(msgspec.Struct, forbid_unknown_fields=True):
    """What is wrong with a version; by itself nothing."""

    name: str = "good"
    dies: str = ""
    attention_ms: float = 1.0
    distinct: int = 100
    ill: str = ""
    fails_every: int = 0
    """One of so many requests of callers fails; 0 means none."""
    takes_ms: float = 0.0


def places(faults: Faults) -> list[Place]:
    """What the smoke checks ask for, and /work, for callers."""
    served = 0

    def attention(_: Any) -> dict[str, float]:
        return {"latency_ms": faults.attention_ms}

    def generate(asked: Any) -> dict[str, list[list[int]]]:
        return {"hypotheses": [[n % faults.distinct] for n in range(asked["num_samples"])]}

    async def work() -> dict[str, str]:
        nonlocal served
        served += 1
        if faults.takes_ms:
            await asyncio.sleep(faults.takes_ms / 1000)
        if faults.fails_every and served % faults.fails_every == 0:
            raise Refusal(500, "EMY-2018", trace="0")
        return {"version": faults.name}

    return [
        Place("POST", "/api/v1/attention", "", dict, attention, takes=Any),
        Place("POST", "/api/v1/gflownet/generate", "", dict, generate, takes=Any),
        Place("GET", "/api/v1/work", "", dict, work),
    ]


def main() -> None:
    """Serve as `emily-runtime serve` does."""
    parser = argparse.ArgumentParser()
    parser.add_argument("serve")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--colour", required=True)
    told = parser.parse_args()
    faults = msgspec.convert(json.loads(told.config.read_text()), Faults)
    if faults.dies:
        sys.exit(faults.dies)
    limits = Limits(rate=1e6, burst=1e6)
    standing = Standing(TOKEN, "en", limits, Tally(), told.colour)
    mind = StandIn()
    mind.ill = faults.ill or None
    vars(house)["places"] = lambda _: places(faults)
    service = Service(
        ("127.0.0.1", 0), mind, standing,
        Notifier.from_environment(os.environ), Surroundings.from_environment(os.environ),
    )  # fmt: skip
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(service.run())


if __name__ == "__main__":
    main()
