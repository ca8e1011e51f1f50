"""Any program that the tests want to know of, or to go wrong: noted, and then itself."""

import os
import sys

from .answers import Refused, complain
from .faults import Faults


def main(name: str, folder: str) -> None:
    """Become the real program, which is the next of this name on the PATH."""
    faults = Faults(folder)
    try:
        faults.meet(name, sys.argv[1:])
    except Refused as refusal:
        complain(str(refusal))
        sys.exit(refusal.status)
    for place in os.environ["PATH"].split(":"):
        path = os.path.join(place, name)
        if place != os.path.join(folder, "bin") and os.access(path, os.X_OK):
            if not faults.later:
                os.execv(path, [name, *sys.argv[1:]])
            status = os.spawnv(os.P_WAIT, path, [name, *sys.argv[1:]])
            faults.leave()
            sys.exit(status)
    complain(f"{name}: command not found")
    sys.exit(127)
