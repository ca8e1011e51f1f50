"""What the kernel says of a process that is measured."""

import os
from pathlib import Path


def cpu(number: int) -> float:
    """Seconds of the processor, of a process and of those it has waited for; proc_pid_stat(5)."""
    fields = Path(f"/proc/{number}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def size(number: int) -> float:
    """MiB that it holds."""
    pages = int(Path(f"/proc/{number}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 2**20
