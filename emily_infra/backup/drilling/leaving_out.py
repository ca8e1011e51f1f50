"""restic's patterns of what is left out, read as restic reads them; pure."""

import re
from collections.abc import Callable, Iterable
from functools import cache


def left_out(patterns: Iterable[str], folder: bytes) -> Callable[[bytes], bool]:
    """Whether a path below FOLDER, or one above it, fits a pattern (`restic help backup`).

    A pattern that begins with a slash is held against the whole path, any other against each end
    of it; `**` stands for any number of folders.
    """
    whole = [_compiled(each) for each in patterns]
    above = folder.rstrip(b"/")

    def is_left_out(path: bytes) -> bool:
        full = above + b"/" + path
        return any(each.match(full) is not None for each in whole)

    return is_left_out


@cache
def _compiled(pattern: str) -> "re.Pattern[bytes]":
    parts = pattern.strip("/").split("/")
    head = "/" if pattern.startswith("/") else "(?:/|/.*/)"
    text = head
    for at, part in enumerate(parts):
        if part == "**":
            text += "(?:.*/)?" if at < len(parts) - 1 else ".*"
        else:
            text += _part(part) + ("/" if at < len(parts) - 1 else "")
    # What is below a folder that fits is left out with it.
    return re.compile(text.encode("utf-8", "surrogateescape") + rb"(?:/.*)?\Z", re.DOTALL)


def _part(part: str) -> str:
    """One name, as Go's filepath.Match reads it."""
    text, at = "", 0
    while at < len(part):
        each = part[at]
        at += 1
        if each == "*":
            text += "[^/]*"
        elif each == "?":
            text += "[^/]"
        elif each == "\\" and at < len(part):
            text += re.escape(part[at])
            at += 1
        elif each == "[" and (end := part.find("]", at + 1)) > 0:
            inside = part[at:end]
            text += "[" + inside.replace("\\", "\\\\") + "]"
            at = end + 1
        else:
            text += re.escape(each)
    return text
