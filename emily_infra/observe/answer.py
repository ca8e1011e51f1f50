"""What the probe printed, as sections; damaged, cut or hostile bytes end in one kind of error."""

import base64
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from emily_infra.errors import EmilyError
from emily_infra.observe import archive

T = TypeVar("T")
_BEGIN, _END = "emily-probe 1 ", "emily-probe end"
_LACKS = "emily-probe lacks "
_LARGEST = 64 << 20
_STATUSES = "statuses"


class BrokenAnswer(EmilyError):
    """The probe's answer did not arrive as it was sent."""

    code = "OBS001"

    @classmethod
    def of(cls, machine: str, error: Exception) -> "BrokenAnswer":
        """The damage as a person is told of it."""
        return cls(
            f"{machine} was asked how it is, and its answer came damaged: {error}",
            hint=f"try again; if it stays, see what a login prints by itself: ssh {machine} true",
        )


class LacksTool(EmilyError):
    """The machine has no program that every NixOS and Debian has."""

    code = "OBS002"


@dataclass(frozen=True)
class Section:
    """One question to the machine; without a status it had not answered when time was up."""

    body: bytes = b""
    status: int | None = 0
    error: str = ""

    @property
    def tells_of_nothing(self) -> bool:
        """Whether the program failed only because there is nothing that it could show."""
        return "No such file or directory" in self.error

    @property
    def text(self) -> str:
        """The body for eyes and parsers."""
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True)
class Gap:
    """Something that the machine could not say."""

    section: str
    why: str

    @property
    def hung(self) -> bool:
        """Whether a program of the machine was stuck, rather than wrong."""
        return self.why == HUNG


HUNG = "no answer in time"


@dataclass
class Answer:
    """The sections by name, and what turned out to be missing while they were read."""

    sections: Mapping[str, Section]
    gaps: list[Gap] = field(default_factory=list)

    def read(self, name: str, parse: Callable[[str], T]) -> T:
        """A section through its parser; where it is absent or wrong, what no text comes to."""
        return self._read(name, lambda section: parse(section.text), lambda: parse(""))

    def texts(self, name: str) -> dict[str, str]:
        """Text files by their path, of a section in which each line stands behind it."""
        return self.read(name, _texts)

    def files(self, name: str) -> dict[str, str]:
        """The files of a section that is a tar, as text."""

        def parse(section: Section) -> dict[str, str]:
            found = archive.files(section.body)
            return {path: body.decode("utf-8", "replace") for path, body in found}

        return self._read(name, parse, dict)

    def _read(self, name: str, parse: Callable[[Section], T], empty: Callable[[], T]) -> T:
        section = self.sections.get(name)
        if section is None:
            return empty()
        if section.status is None:
            self.gaps.append(Gap(name, HUNG))
            return empty()
        if section.status and not section.tells_of_nothing:
            reason = section.error or f"exit code {section.status}"
            self.gaps.append(Gap(name, reason))
        try:
            return parse(section)
        except (ValueError, RecursionError) as error:
            self.gaps.append(Gap(name, f"what it says cannot be read: {error}"[:200]))
            return empty()


def answer(machine: str, output: str) -> Answer:
    """The probe's output as sections, or BrokenAnswer."""
    try:
        return Answer(dict(_sections(dict(archive.files(_unpacked(machine, output))))))
    except (ValueError, zlib.error) as error:
        raise BrokenAnswer.of(machine, error) from error


def _unpacked(machine: str, output: str) -> bytes:
    # A login may greet before, and a shell complain behind.
    _, begin, rest = output.partition(_BEGIN)
    _, lacks, tool = output.partition(_LACKS)
    if lacks and not begin:
        name = tool.split("\n")[0][:80]
        raise LacksTool(
            f"{machine} lacks {name}, which a look at it needs",
            hint=f"log in and see what is left of it: ssh {machine} 'echo $PATH; df -h'",
        )
    body, end, _ = rest.partition(_END)
    if not begin or not end:
        raise archive.Damaged("it was cut" if begin else f"it begins {output[:60]!r}")
    packing, _, packed = body.partition("\n")
    data = base64.b64decode("".join(packed.split()), validate=True)
    return _inflated(data) if packing.strip() == "gzip" else data


def _inflated(data: bytes) -> bytes:
    stream = zlib.decompressobj(31)  # gzip, with its checksum
    inflated = stream.decompress(data, _LARGEST)
    if not stream.eof:
        raise archive.Damaged(f"it is cut, or over {_LARGEST >> 20} MiB")
    return inflated


def _sections(files: Mapping[str, bytes]) -> Iterator[tuple[str, Section]]:
    """Every file of the answer but those that are about another one."""
    statuses = _statuses(files.get(_STATUSES, b"").decode("utf-8", "replace"))
    for path, body in files.items():
        kind = path.rpartition(".")[2]
        if kind == "name":
            yield path, Section(body)
        elif kind != "error" and path != _STATUSES:
            yield path, Section(body, statuses.get(path), _first_line(files.get(f"{path}.error")))


def _statuses(text: str) -> dict[str, int]:
    words = (line.split(" ") for line in text.splitlines())
    return {pair[0]: int(pair[1]) for pair in words if len(pair) == 2 and pair[1].isdecimal()}


def _first_line(body: bytes | None) -> str:
    text = (body or b"").decode("utf-8", "replace").strip()
    return text.split("\n")[0][:200]


def _texts(text: str) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for line in text.split("\n"):
        path, nul, content = line.partition("\0")
        if nul:
            found.setdefault(path, []).append(content)
    return {path: "\n".join(lines) for path, lines in found.items()}
