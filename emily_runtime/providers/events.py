"""Server-sent events, as the WHATWG's standard defines them, out of bytes as they arrive."""

from collections.abc import Iterator

LINE_MOST = 1 << 20
"""Bytes of a line or of an event's data; longer is no event of a language model."""


class TooLong(ValueError):
    """A line or an event that does not end."""


class Events:
    """Takes bytes in any pieces, gives the data of every event that is complete."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []
        self._size = 0

    def fed(self, chunk: bytes) -> Iterator[str]:
        """Data of the events that CHUNK completes; TooLong, UnicodeDecodeError.

        Events without data are passed over, as are names, ids and comments: the protocols
        spoken here repeat an event's name in its data.
        """
        text = self._rest + chunk
        # a CR at the end may be the first half of a CR LF
        held = text[-1:] if text.endswith(b"\r") else b""
        *lines, self._rest = _lines(text[: len(text) - len(held)])
        self._rest += held
        if len(self._rest) > LINE_MOST:
            raise TooLong
        for line in lines:
            yield from self._line(line)

    def _line(self, line: bytes) -> Iterator[str]:
        if not line:
            if self._data:
                yield b"\n".join(self._data).decode()
            self._data, self._size = [], 0
            return
        name, _, value = line.partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" "))
            self._size += len(value)
            if self._size > LINE_MOST:
                raise TooLong


def _lines(text: bytes) -> list[bytes]:
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
