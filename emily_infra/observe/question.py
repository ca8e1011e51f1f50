"""What is asked of a machine beyond what is always read, and the script that asks it."""

import shlex
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files


class Want(StrEnum):
    """Long texts, which only a comparison needs."""

    UNITS = "units"
    """The unit files of /etc/systemd/system."""
    SOURCE = "source"
    """The description that the running system was made from."""
    PACKAGES = "packages"
    """The store paths of the running system."""


@dataclass(frozen=True)
class Question:
    """What to look for; the plain question costs the least."""

    expected: str = ""
    """The toplevel that ought to run: where it does, none of `wants` is read."""
    wants: frozenset[Want] = frozenset()
    firewall: str = ""
    """What table inet emily ought to hold; the machine's own nft says how it would print that."""
    disks: tuple[str, ...] = ()
    """Names under /dev/disk/by-id that are read for signatures: slow on a disk that spins."""
    programs: tuple[str, ...] = ()
    """Programs that are looked for, and the firmware and the module of ZFS with them."""
    deploys: int = 20
    """How many of the newest deploy records to read."""
    patience: int = 15
    """Seconds until a program of the machine is left behind as stuck."""


EVERYTHING = frozenset(Want)


def script(question: Question) -> str:
    """The whole probe, for the standard input of a shell."""
    given = {
        "expected": question.expected,
        "wants": " ".join(sorted(question.wants)),
        "firewall": question.firewall,
        "disks": " ".join(question.disks),
        "programs": " ".join(question.programs),
        "keep": str(question.deploys),
        "patience": str(question.patience),
    }
    head = "".join(f"{name}={shlex.quote(value)}\n" for name, value in given.items())
    return head + files("emily_infra.observe").joinpath("probe.sh").read_text()
