"""The files of a tar in the ustar format; only as much of the format as our own probe writes.

Python's tarfile knows a dozen dialects, and what it does with a damaged one is not ours to promise.
The layout is that of POSIX pax, "ustar Interchange Format".
"""

from collections.abc import Iterator

_BLOCK = 512
_PLAIN_FILES = (b"0", b"\0")


class Damaged(ValueError):
    """Bytes that are no whole tar."""


def files(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Every plain file with its path, in the order of the archive."""
    at = 0
    while True:
        header = data[at : at + _BLOCK]
        if not header.strip(b"\0"):
            if len(header) < _BLOCK and data:
                raise Damaged("it ends too early")
            return
        size = _checked_size(header)
        start = at + _BLOCK
        if start + size > len(data):
            raise Damaged("a file ends too early")
        if header[156:157] in _PLAIN_FILES:
            yield _path(header), data[start : start + size]
        at = start + -(-size // _BLOCK) * _BLOCK


def _checked_size(header: bytes) -> int:
    blanked = header[:148] + b" " * 8 + header[156:]
    if len(header) < _BLOCK or sum(blanked) != _octal(header[148:156]):
        raise Damaged("a header is not whole")
    return _octal(header[124:136])


def _octal(field: bytes) -> int:
    digits = field.strip(b" \0")
    if not digits or digits.strip(b"01234567"):
        raise Damaged("a number is none")
    return int(digits, 8)


def _path(header: bytes) -> str:
    parts = (header[345:500], header[:100])
    names = (part.partition(b"\0")[0].decode("utf-8", "replace") for part in parts)
    return "/".join(name for name in names if name).removeprefix("./")
