"""`bench`: ratios of two things measured in turn, beside their goals."""

import os
import re
import sys
from argparse import Namespace

from emily_runtime.bench.peers.peer import Around
from emily_runtime.bench.rows import GROUPS
from emily_runtime.cli.output import DONE, FOUND, Output


def run(arguments: Namespace, output: Output) -> int:
    """FOUND where a goal is missed; a row that was not run misses nothing."""
    load = os.getloadavg()[0]
    if not output.is_json:
        output.tell(f"load {load:.1f} on {os.cpu_count()} cores; processor time unless it says so")
    around = Around((*arguments.peers, sys.executable), arguments.dsn, arguments.minutes)
    rows = []
    for numbers, group in GROUPS:
        if arguments.rows and not set(arguments.rows) & set(numbers):
            continue
        for row in group(around):
            if arguments.rows and _figure(row.number) not in arguments.rows:
                continue
            rows.append(row)
            if not output.is_json:
                held = {True: "held", False: "MISSED", None: "-"}[row.held]
                cells = (row.number, row.what, row.ours, row.peer, row.ratio, row.goal, held)
                output.say("| " + " | ".join(cells) + " |", None)
                sys.stdout.flush()  # the next one may take minutes
    if output.is_json:
        output.say("", {"load": load, "rows": [row._asdict() for row in rows]})
    return FOUND if any(row.held is False for row in rows) else DONE


def _figure(number: str) -> str:
    """8 of 8a, 7 of 7-16."""
    figures = re.match(r"\d+", number)
    return figures[0] if figures else number
