"""Answers of machines, made by hand: what a probe would have printed."""

import base64
import gzip
import io
import tarfile
from collections.abc import Mapping

from emily_infra.observe.answer import answer
from emily_infra.observe.observation import Observation, observation

Body = str | bytes


def archive(files: Mapping[str, Body]) -> bytes:
    """A tar as GNU tar writes it for --format=ustar."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, text in files.items():
            body = text.encode() if isinstance(text, str) else text
            entry = tarfile.TarInfo(f"./{name}")
            entry.size = len(body)
            tar.addfile(entry, io.BytesIO(body))
    return stream.getvalue()


def printed(sections: Mapping[str, Body], **statuses: str) -> str:
    """What the probe prints: every section with exit code 0 unless said otherwise."""
    jobs = [name for name in sections if not name.endswith((".name", ".error"))]
    ended = {name: statuses.get(name, "0") for name in jobs}
    lines = [f"{name} {code}\n" for name, code in ended.items() if code != "hung"]
    packed = gzip.compress(archive({**sections, "statuses": "".join(lines)}))
    return f"emily-probe 1 gzip\n{base64.encodebytes(packed).decode()}emily-probe end\n"


def seen(sections: Mapping[str, Body], machine: str = "pebble", **statuses: str) -> Observation:
    """The same, parsed."""
    whole = {"basics": "", **sections}
    return observation(machine, answer(machine, printed(whole, **statuses)))


def texts(files: Mapping[str, str]) -> str:
    """Text files as lines behind their paths."""
    return "".join(f"{path}\0{line}\n" for path, text in files.items() for line in text.split("\n"))


def links(*entries: tuple[str, str]) -> str:
    """Paths with where they lead; nowhere is a file."""
    return rows(*((path, "l" if to else "f", to, "1795248040.5", "77") for path, to in entries))


def pairs(**values: str) -> str:
    """Names and values between NUL bytes."""
    return "".join(f"{name}\0{value}\0" for name, value in values.items())


def datasets(trees: Mapping[str, Mapping[str, str]]) -> str:
    """Properties by dataset as `zfs get` prints them; a value may be followed by its source."""
    lines = (
        f"{name}\t{key}\t{source or '-'}\t{value}\n"
        for name, own in trees.items()
        for key, (value, _, source) in ((key, text.partition(" ")) for key, text in own.items())
    )
    return "".join(lines)


def rows(*groups: tuple[str, ...]) -> str:
    """Words between NUL bytes."""
    return "".join(f"{word}\0" for group in groups for word in group)
