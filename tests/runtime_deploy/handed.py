"""Become a program that is handed the listening socket of this descriptor, as systemd does it."""

import os
import sys

FIRST = 3

if __name__ == "__main__":
    os.dup2(int(sys.argv[1]), FIRST)  # inheritable, unlike any other
    given = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "LISTEN_FDNAMES": "shared"}
    os.execvpe(sys.argv[2], sys.argv[2:], {**os.environ, **given})
