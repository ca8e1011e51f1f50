"""What the kernel says about this process."""

import resource
from pathlib import Path

STATM = Path("/proc/self/statm")


def resident() -> int:
    """Bytes of memory that this process holds now; 0 where the kernel does not say."""
    try:
        pages = int(STATM.read_text(encoding="ascii").split()[1])
    except OSError:
        return 0
    return pages * resource.getpagesize()
