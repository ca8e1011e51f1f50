"""`emily-runtime`: the parser, and where each command is found; what it needs is imported late."""

import argparse
import gc
import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from emily_runtime import __version__
from emily_runtime.cli.output import REFUSED, Output
from emily_runtime.messages import Language, Refused

EXITS = """exit codes:
  0  done
  1  refused: the code of the reason and the next move stand on standard error
  2  the command line is wrong
  3  looked, and found something wrong (doctor, replay, bench)"""
ARITHMETIC = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")
"""How many threads NumPy's arithmetic takes, read when NumPy is first imported: one, unless told.

Two that spin for each other make a busy machine's search forty times as slow. Which name counts is
decided by its build: an OpenBLAS on OpenMP, as nixpkgs has it, goes by the second one.
"""
Arguments = argparse.Namespace


class Command(NamedTuple):
    """A command, and the module of this package that runs it."""

    name: str
    text: str
    shape: Callable[[argparse.ArgumentParser], object]


def main() -> int:
    """Run the command line; its exit code."""
    arguments = _parser().parse_args()
    language: Language = "ko" if os.environ.get("LANG", "").startswith("ko") else "en"
    module = _imported(arguments.command)
    output = Output(language, arguments.is_json)
    try:
        return int(module.run(arguments, output))
    except Refused as refusal:
        output.tell(refusal.told(arguments.__dict__.get("language") or language))
        return REFUSED
    except KeyboardInterrupt:
        return REFUSED
    except BrokenPipeError:
        # Whoever read has gone; Python would say so once more while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return REFUSED


def _imported(command: str) -> ModuleType:
    """Imports make a lot and leave no garbage; looking for it is a tenth of the way to READY."""
    for name in ARITHMETIC:
        os.environ.setdefault(name, "1")
    gc.disable()
    try:
        return importlib.import_module(f"emily_runtime.cli.{command}")
    finally:
        gc.freeze()
        gc.enable()


def _config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, required=True, metavar="FILE")


def _state(parser: argparse.ArgumentParser) -> None:
    _config(parser)
    parser.add_argument(
        "--state", type=Path, metavar="FOLDER", help="default: $STATE_DIRECTORY, or here"
    )


def _serve(parser: argparse.ArgumentParser) -> None:
    _config(parser)
    parser.add_argument("--colour", choices=["alone", "blue", "green"], default="alone")
    parser.add_argument("--record", type=Path, metavar="FILE", help="write the run down")


def _demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("text", nargs="*", help="what to say to it")


def _replay(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="made by serve --record")


def _bench(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rows", nargs="*", help="numbers of rows; all where none is given")
    parser.add_argument(
        "--peers", action="append", default=[], metavar="PYTHON", help="that has peers installed"
    )
    parser.add_argument("--dsn", help="a PostgreSQL with pgvector, for row 13")
    parser.add_argument("--minutes", type=float, default=0.5, help="of row 24's soak, 0.5")


def _memory(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    count = actions.add_parser("count", help="how many episodes, and their checksum")
    search = actions.add_parser("search", help="by words and by likeness, best first")
    search.add_argument("text")
    search.add_argument("--most", type=int, default=10, metavar="N")
    export = actions.add_parser("export", help="one line of JSON for each episode")
    migrate = actions.add_parser("migrate", help="copy into another store, and compare")
    migrate.add_argument(
        "--to", required=True, metavar="STORE", help="a folder, or a postgresql://"
    )
    for one in (count, search, export, migrate):
        _state(one)
        _json(one)


def _topology(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE")


def _doctor(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE")
    parser.add_argument(
        "--reach", action="store_true", help="also call the database and the providers"
    )


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json", dest="is_json", action="store_true", help="one JSON document instead of text"
    )


COMMANDS = (
    Command("serve", "answer requests until told to stop", _serve),
    Command("check", "read the configuration and say what is wrong with it", _config),
    Command("demo", "send one stimulus through all tiers and explain each", _demo),
    Command("replay", "run a recorded run again and compare every state", _replay),
    Command("bench", "measure, as ratios, beside the goals", _bench),
    Command("memory", "look into memory, or move it", _memory),
    Command("flags", "which features are on, and for whom", _config),
    Command("topology", "which part hears which", _topology),
    Command("doctor", "look at what the runtime needs, and say what to do", _doctor),
)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emily-runtime",
        description="The cognitive runtime.",
        epilog=EXITS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"emily-runtime {__version__}")
    commands = parser.add_subparsers(dest="command", required=True)
    for one in COMMANDS:
        command = commands.add_parser(one.name, help=one.text, description=one.text)
        one.shape(command)
        if one.name != "memory":
            _json(command)
    return parser
