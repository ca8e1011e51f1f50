"""The entry point: quick to start, and no traceback ever reaches a person."""

import gc
import os
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line."""
    # We use no pydantic plugin; looking for one reads the metadata of every installed package.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.disable()  # a run is short and makes no cycles to speak of; a fifth of the start-up
    from emily_infra.cli import run

    code = run()
    sys.stderr.flush()
    os._exit(code)  # Python would first free every object one by one: a quarter of the run


if __name__ == "__main__":
    main()
