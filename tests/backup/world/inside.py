"""The product as it runs in a world: itself, but its clock is the world's."""

import os
import signal
import sys
from datetime import datetime, tzinfo

import emily_infra.backup.here
from emily_infra.__main__ import main as product
from tests.backup.world.programs.state import clock


def main(folder: str) -> None:
    """`emily-infra` with this process's arguments, in the world of FOLDER."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.fromtimestamp(clock(folder), tz)

    # A server of SSH starts it with an environment of its own.
    if os.environ.get("EMILY_WORLD") != folder:
        os.environ["EMILY_WORLD"] = folder
        os.environ["PATH"] = f"{folder}/bin:{os.environ.get('PATH', os.defpath)}"
    emily_infra.backup.here.datetime = Clock  # type: ignore[attr-defined]
    # A shell that runs tests in the background has it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv[0] = "emily-infra"
    product()
