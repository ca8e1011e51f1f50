"""Which machine this is, and since when it runs."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from emily_infra.observe.answer import Answer
from emily_infra.observe.links import Links
from emily_infra.observe.values import number, rows

_MEMORY = re.compile(r"^MemTotal: +(\d+) kB$", re.MULTILINE)


@dataclass(frozen=True)
class Identity:
    """What tells this machine, and this boot of it, from every other."""

    hostname: str = ""
    machine_id: str = ""
    host_id: str = ""
    boot_id: str = ""
    is_nixos: bool = False
    os_release: str = ""
    """As it calls itself: `NixOS 26.05 (Yarara)`."""
    system: str = ""
    kernel_release: str = ""
    now: int = 0
    """Its clock, in seconds since 1970."""
    uptime: int = 0
    cpus: int = 0
    memory: int = 0


@dataclass(frozen=True)
class Filesystem:
    """Room in a file system."""

    path: str
    size: int
    available: int
    files: int
    """How many it can hold at all; 0 where nothing limits them."""
    files_free: int

    @property
    def used(self) -> float:
        """How full it is, of 1."""
        return 1 - self.available / self.size if self.size else 0.0


def identity(answer: Answer, texts: Mapping[str, str], links: Links) -> Identity:
    """Who it says it is."""

    def line(path: str) -> str:
        return texts.get(path, "").partition("\n")[0]

    kernel = "/proc/sys/kernel"
    memory = _MEMORY.search(texts.get("/proc/meminfo", ""))
    return Identity(
        hostname=line(f"{kernel}/hostname"),
        machine_id=line("/etc/machine-id"),
        host_id=answer.read("host_id", str.strip),
        boot_id=line(f"{kernel}/random/boot_id"),
        is_nixos="/etc/NIXOS" in links,
        os_release=_pretty(texts.get("/etc/os-release", "")),
        system=f"{line(f'{kernel}/arch') or 'x86_64'}-linux",
        kernel_release=line(f"{kernel}/osrelease"),
        now=number(answer.read("clock", str.strip)) or 0,
        uptime=number(line("/proc/uptime").partition(".")[0]) or 0,
        cpus=_cpus(line("/sys/devices/system/cpu/online")),
        memory=(number(memory[1]) or 0) << 10 if memory else 0,
    )


def _cpus(text: str) -> int:
    """How many are in a list such as `0-3,6`."""
    count = 0
    for part in text.split(",")[:1000]:
        first, _, last = part.partition("-")
        begin, end = number(first), number(last or first)
        if begin is not None and end is not None:
            count += max(0, end - begin + 1)
    return count


def _pretty(text: str) -> str:
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and name == "PRETTY_NAME":
            try:
                return " ".join(shlex.split(value))
            except ValueError:
                return value
    return ""


def space(answer: Answer) -> tuple[Filesystem, ...]:
    """The section of that name."""

    def parse(text: str) -> tuple[Filesystem, ...]:
        return tuple(_filesystem(*row) for row in rows(text, 6))

    return answer.read("space", parse)


def _filesystem(path: str, *figures: str) -> Filesystem:
    block, blocks, available, files, files_free = (number(figure) or 0 for figure in figures)
    return Filesystem(path, block * blocks, block * available, files, files_free)
