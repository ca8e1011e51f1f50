"""`demo`: one stimulus through all tiers, explained in 80 columns."""

import asyncio
import textwrap
from argparse import Namespace

from emily_runtime.cli.output import DONE, Output

WIDTH = 80
MARGIN = 14


def run(arguments: Namespace, output: Output) -> int:
    """Offline, with a memory that is gone afterwards."""
    from emily_runtime.mind.demo import QUESTION, explained, shown

    found = asyncio.run(shown(" ".join(arguments.text) or QUESTION))
    output.say("\n".join(_line(name, text) for name, text in explained(found)), found)
    return DONE


def _line(name: str, text: str) -> str:
    body = textwrap.wrap(text, WIDTH - MARGIN, break_on_hyphens=False) or [""]
    first, *rest = body
    return "\n".join([f"{name:<{MARGIN}}{first}", *(" " * MARGIN + line for line in rest)])
