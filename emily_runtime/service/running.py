"""One process: the mind as it is configured, and the service in front of it."""

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path

from emily_runtime.config import Config, credential, read
from emily_runtime.mind.runtime import Runtime
from emily_runtime.nerves.clock import RealClock
from emily_runtime.nerves.psi import Watch
from emily_runtime.notify import Notifier
from emily_runtime.service.life import Service
from emily_runtime.service.limits import Limits
from emily_runtime.service.loops import loop_factory
from emily_runtime.service.metering import Tally
from emily_runtime.service.standing import Colour, Standing
from emily_runtime.service.surroundings import Surroundings


def serve(
    config: Config,
    environment: Mapping[str, str],
    colour: Colour = "alone",
    record_to: Path | None = None,
) -> None:
    """Serve until the process is told to stop; Refused where it can't start."""
    logging.basicConfig(format="%(name)s: %(message)s", level=logging.INFO)
    # What it would say of a request that broke is said in our own words, with a number to find it.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    token = credential("token", environment)
    keys = {place: credential(name, environment) for place, name in config.credentials.items()}
    standing = Standing(token, config.language, limits(config), Tally(), colour)
    around = Surroundings.from_environment(environment)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runtime = Runtime.built(config, RealClock(), around.state, keys)
        runtime.record_to = record_to
        runtime.watch = Watch.from_environment(environment)

        async def reload() -> tuple[str, ...]:
            fresh = read(config.file)
            waiting = runtime.reload(fresh)
            standing.limit(limits(fresh))
            return waiting

        notifier = Notifier.from_environment(environment)
        address = config.host, config.port
        runner.run(Service(address, runtime, standing, notifier, around, reload).run())


def limits(config: Config) -> Limits:
    """As the configuration sets them."""
    service = config.service
    return Limits(at_once=service.concurrency, rate=service.rate, burst=2 * service.rate)
