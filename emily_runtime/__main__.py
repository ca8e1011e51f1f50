"""`emily-runtime`, and `python -m emily_runtime`."""

import sys

from emily_runtime.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
