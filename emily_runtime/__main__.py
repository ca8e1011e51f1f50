"""`emily-runtime`: serve, or check the configuration without starting."""

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from emily_runtime import __version__
from emily_runtime.api import Phase, State
from emily_runtime.config import Config, credential, read
from emily_runtime.messages import Language, Refused
from emily_runtime.notify import Notifier
from emily_runtime.serve import Service


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
            serve(config, os.environ)
    except Refused as refusal:
        print(refusal.told(language), file=sys.stderr)  # noqa: T201
        return 1
    return 0


def serve(config: Config, environment: Mapping[str, str]) -> None:
    """Serve until the process is told to stop."""
    token = credential("token", environment)
    for name in config.providers.values():
        credential(name, environment)
    state = State(Phase.STARTING, config.language, token)
    asyncio.run(Service(config, Notifier.from_environment(environment), state).run())


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
    return parser


if __name__ == "__main__":
    sys.exit(main())
