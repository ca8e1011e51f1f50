"""What PostgreSQL and the way to it complain of, as messages for a person."""

import psycopg

from emily_runtime.messages import Refused

_CODES = {
    "53100": "EMY-4001",  # disk_full
    "25006": "EMY-4026",  # read_only_sql_transaction
    "42501": "EMY-4026",  # insufficient_privilege
    "57014": "EMY-4022",  # query_canceled
    "55P03": "EMY-4022",  # lock_not_available
    "58030": "EMY-4027",  # io_error
    "XX001": "EMY-4027",  # data_corrupted
    "XX002": "EMY-4027",  # index_corrupted
}
_AWAY = ("08", "57P", "53300")
"""Connections that broke, a server that stops or starts, one with no place for us."""
_UNWANTED = ("authentication failed", "pg_hba.conf", "does not exist", "not permitted to log in")


class Unreachable(Refused):
    """The server is away, or slow beyond all patience: what a breaker counts."""


def refused(place: str, error: psycopg.Error) -> Refused:
    """ERROR as a message."""
    reason = " ".join(str(error).split()) or type(error).__name__
    state = error.sqlstate or ""
    if state in _CODES:
        return Refused(_CODES[state], place=place, reason=reason)
    if state.startswith(_AWAY) or (not state and isinstance(error, psycopg.OperationalError)):
        unwanted = any(words in reason for words in _UNWANTED)
        return Unreachable("EMY-4021" if unwanted else "EMY-4020", place=place, reason=reason)
    return Refused("EMY-4024", place=place, reason=reason)
