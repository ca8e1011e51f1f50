"""`serve`: answer until told to stop."""

import asyncio
import logging
import os
from argparse import Namespace

from emily_runtime.cli.output import DONE, Output
from emily_runtime.config import Config, credential, read
from emily_runtime.notify import Notifier
from emily_runtime.service.life import Service
from emily_runtime.service.limits import Limits
from emily_runtime.service.loops import loop_factory
from emily_runtime.service.metering import Tally
from emily_runtime.service.standing import Standing
from emily_runtime.service.surroundings import Surroundings


def run(arguments: Namespace, _: Output) -> int:
    """Serve; Refused where it can't."""
    config = read(arguments.config)
    arguments.language = config.language
    logging.basicConfig(format="%(name)s: %(message)s", level=logging.INFO)
    # What it would say of a request that broke is said in our own words, with a number to find it.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    token = credential("token", os.environ)
    for name in config.providers.values():
        credential(name, os.environ)
    standing = Standing(token, config.language, limits(config), Tally(), arguments.colour)
    service = Service(
        config.host,
        config.port,
        standing,
        Notifier.from_environment(os.environ),
        Surroundings.from_environment(os.environ),
    )
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(service.run())
    return DONE


def limits(config: Config) -> Limits:
    """As the configuration sets them."""
    service = config.service
    return Limits(at_once=service.concurrency, rate=service.rate, burst=2 * service.rate)
