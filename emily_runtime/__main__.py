"""`emily-runtime`: serve, or check the configuration without starting."""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from emily_runtime import __version__
from emily_runtime.config import Config, credential, read
from emily_runtime.messages import Language, Refused
from emily_runtime.notify import Notifier
from emily_runtime.service.life import Service
from emily_runtime.service.limits import Limits
from emily_runtime.service.loops import loop_factory
from emily_runtime.service.metering import Tally
from emily_runtime.service.standing import Colour, Standing
from emily_runtime.service.surroundings import Surroundings


def main() -> int:
    """Run the command line; 0 is done, 1 is refused, 2 is a wrong command line."""
    arguments = _parser().parse_args()
    language: Language = "ko" if os.environ.get("LANG", "").startswith("ko") else "en"
    try:
        config = read(arguments.config)
        language = config.language
        if arguments.command == "check":
            print(f"{arguments.config}: ok, http://{config.address}")  # noqa: T201
        else:
            serve(config, os.environ, arguments.colour)
    except Refused as refusal:
        print(refusal.told(language), file=sys.stderr)  # noqa: T201
        return 1
    return 0


def serve(config: Config, environment: Mapping[str, str], colour: Colour = "alone") -> None:
    """Serve until the process is told to stop."""
    logging.basicConfig(format="%(name)s: %(message)s", level=logging.INFO)
    # What it would say of a request that broke is said in our own words, with a number to find it.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    token = credential("token", environment)
    for name in config.providers.values():
        credential(name, environment)
    standing = Standing(token, config.language, limits(config), Tally(), colour)
    service = Service(
        config.host,
        config.port,
        standing,
        Notifier.from_environment(environment),
        Surroundings.from_environment(environment),
    )
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(service.run())


def limits(config: Config) -> Limits:
    """As the configuration sets them."""
    service = config.service
    return Limits(at_once=service.concurrency, rate=service.rate, burst=2 * service.rate)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="emily-runtime", description="The cognitive runtime.")
    parser.add_argument("--version", action="version", version=f"emily-runtime {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    texts = {
        "serve": "answer requests until told to stop",
        "check": "read the configuration and say what is wrong with it",
    }
    for name, text in texts.items():
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--config", type=Path, required=True, metavar="FILE")
        if name == "serve":
            command.add_argument("--colour", choices=["alone", "blue", "green"], default="alone")
    return parser


if __name__ == "__main__":
    sys.exit(main())
