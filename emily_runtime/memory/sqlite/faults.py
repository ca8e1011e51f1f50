"""What SQLite complains of, as messages for a person."""

import sqlite3
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from emily_runtime.messages import Refused

_CODES = {
    sqlite3.SQLITE_FULL: "EMY-4001",
    sqlite3.SQLITE_READONLY: "EMY-4002",
    sqlite3.SQLITE_CANTOPEN: "EMY-4002",
    sqlite3.SQLITE_PERM: "EMY-4002",
    sqlite3.SQLITE_AUTH: "EMY-4002",
    sqlite3.SQLITE_CORRUPT: "EMY-4003",
    sqlite3.SQLITE_NOTADB: "EMY-4003",
    sqlite3.SQLITE_INTERRUPT: "EMY-4008",
    sqlite3.SQLITE_BUSY: "EMY-4005",
    sqlite3.SQLITE_LOCKED: "EMY-4005",
}
_OTHER = "EMY-4006"
_PRIMARY = 0xFF
"""An extended code has the primary one in its lowest byte."""


@contextmanager
def told(file: Path) -> Iterator[None]:
    """Refused (EMY-4001 to 4006) in place of what SQLite and damaged rows raise."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
        raise Refused(_CODES.get(code, _OTHER), place=file, reason=error) from error
    except (zlib.error, struct.error, UnicodeDecodeError, ValueError) as error:
        raise Refused("EMY-4003", place=file, reason=error) from error
    except OSError as error:
        raise Refused("EMY-4002", place=file, reason=error.strerror) from error
