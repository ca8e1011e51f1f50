"""The end of a stream that may be longer than memory."""

from collections.abc import Callable

KEPT = 64 * 1024


class Tail:
    """Hears bytes, keeps the last 64 KiB, and passes complete lines on as they come."""

    def __init__(self, on_line: Callable[[str], None] | None = None) -> None:
        self._kept = bytearray()
        self._line = bytearray()
        self._on_line = on_line

    def hear(self, data: bytes) -> None:
        """Take DATA in."""
        self._kept += data
        if len(self._kept) > 2 * KEPT:
            del self._kept[:-KEPT]
        if self._on_line:
            self._tell(self._on_line, data)

    def text(self) -> str:
        """What is kept, as text."""
        return bytes(self._kept[-KEPT:]).decode(errors="replace")

    def finish(self) -> None:
        """Pass on a last line that has no end."""
        if self._on_line and self._line:
            self._on_line(_text(self._line))
            self._line.clear()

    def _tell(self, on_line: Callable[[str], None], data: bytes) -> None:
        *ended, rest = (self._line + data).split(b"\n")
        for line in ended:
            on_line(_text(line))
        # A line without an end is no line; a stream of zeros must not fill the memory.
        self._line = rest[-KEPT:]


def _text(line: bytearray) -> str:
    return line.decode(errors="replace").rstrip("\r")
