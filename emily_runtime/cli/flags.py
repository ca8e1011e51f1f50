"""`flags`: which features are on, and for whom."""

import time
from argparse import Namespace

from emily_runtime.cli.output import DONE, Output
from emily_runtime.config import read


def run(arguments: Namespace, output: Output) -> int:
    """One line for each flag of the configuration."""
    config = read(arguments.config)
    from emily_runtime.mind import views

    shown = [views.flag(name, one, time.time()) for name, one in config.flags.items()]
    lines = []
    for one in shown:
        state = "killed" if one.killed else f"{one.share:g} % of identities"
        also = f" and {len(one.identities)} by name" if one.identities else ""
        age = f", {one.age_days} days old" if one.age_days is not None else ""
        lines.append(f"{one.name}: {state}{also}; {one.owner or 'no owner'}{age}")
    output.say("\n".join(lines) or "no flags", shown)
    return DONE
