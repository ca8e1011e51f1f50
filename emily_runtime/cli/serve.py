"""`serve`: answer until told to stop."""

import os
from argparse import Namespace

from emily_runtime.cli.output import DONE, Output
from emily_runtime.config import read
from emily_runtime.service.running import serve


def run(arguments: Namespace, _: Output) -> int:
    """Serve; Refused where it can't."""
    config = read(arguments.config)
    arguments.language = config.language
    serve(config, os.environ, arguments.colour, arguments.record)
    return DONE
