"""How a vector travels: as pgvector sends it, or as plain bytes where there is no pgvector."""

import numpy as np
from psycopg.abc import Buffer
from psycopg.adapt import Dumper, Loader
from psycopg.pq import Format

from emily_runtime.memory.episode import DIMENSIONS, Vector
from emily_runtime.memory.postgres.pool import Connection

_BYTEA = 17
_HEAD = DIMENSIONS.to_bytes(2, "big") + b"\0\0"
"""vector_send: the number of dimensions and 16 unused bits, then floats, the high byte first."""


class _Sent(Dumper):
    format = Format.BINARY

    def dump(self, obj: Vector) -> Buffer:
        """As pgvector receives it."""
        return _HEAD + obj.astype(">f4").tobytes()


class _SentPlain(Dumper):
    format = Format.BINARY
    oid = _BYTEA

    def dump(self, obj: Vector) -> Buffer:
        """The low byte first, as it is in memory nearly everywhere."""
        return obj.astype("<f4").tobytes()


class _Received(Loader):
    format = Format.BINARY

    def load(self, data: Buffer) -> Vector:
        """As pgvector sends it."""
        return np.frombuffer(bytes(data)[len(_HEAD) :], dtype=">f4").astype(np.float32)


class _ReceivedPlain(Loader):
    format = Format.BINARY

    def load(self, data: Buffer) -> Vector:
        """From plain bytes."""
        return np.frombuffer(bytes(data), dtype="<f4").astype(np.float32)


def adapt(connection: Connection, oid: int | None) -> None:
    """Arrays go as vectors of type OID, or as bytes where it is None."""
    adapters = connection.adapters
    if oid is None:
        adapters.register_dumper(np.ndarray, _SentPlain)
        adapters.register_loader(_BYTEA, _ReceivedPlain)
    else:
        adapters.register_dumper(np.ndarray, type("Sent", (_Sent,), {"oid": oid}))
        adapters.register_loader(oid, _Received)
