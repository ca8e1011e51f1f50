"""A generation that a machine does not run: what it loads at boot, and what it was made from."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from emily_infra.observe.generations import System

if TYPE_CHECKING:
    from emily_infra.machine import Machine

_BEGIN = "emily-past 1\0"
_ASK = """
printf 'emily-past 1\\0'
readlink -zm "$1/kernel" "$1/initrd" "$1/kernel-modules"
for file in kernel-params init-interface-version etc/emily/source/host.yaml; do
  cat "$1/$file" 2>/dev/null
  printf '\\0'
done
"""


@dataclass(frozen=True)
class Past:
    """A built system on the machine, and the host.yaml in it; empty where it does not say."""

    system: System
    description: str = ""


def past(machine: "Machine", toplevel: str) -> Past:
    """Read a toplevel where it lies: one command."""
    said = machine.run("sh", "-s", toplevel, stdin=_ASK)
    parts = said.partition(_BEGIN)[2].split("\0")  # a login may greet before
    if len(parts) < 6:
        return Past(System(toplevel))
    kernel, initrd, modules, params, interface, description = parts[:6]
    system = System(
        toplevel, kernel, initrd, modules, params.strip(), interface=interface.strip()
    )  # fmt: skip
    return Past(system, description)
