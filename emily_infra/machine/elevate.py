"""Becoming root, and what to do when that is forbidden."""

import re
from dataclasses import dataclass

from emily_infra.machine.faults import CommandFailed, Ending, NotPermitted

# What sudo says when it doesn't run the command. It warns in the same voice of names that do not
# resolve and of commands that are not there, which is another matter.
_FORBIDDEN = re.compile(
    r"^sudo: (a password|a terminal|no tty|sorry|effective uid|no valid sudoers|account valid)"
    r"|^Sorry, user |is not in the sudoers file|may not run sudo|sudo: (command )?not found$",
    re.MULTILINE | re.IGNORECASE,
)
_NOT_FOUND = 127


@dataclass(frozen=True)
class AsRoot:
    """How a command of USER becomes one of root."""

    user: str = "root"

    def wrap(self, argv: tuple[str, ...]) -> tuple[str, ...]:
        """ARGV with sudo in front where it is needed; never one that asks."""
        return argv if self.user == "root" else ("sudo", "-n", "--", *argv)

    def failure(
        self, machine: str, argv: tuple[str, ...], ending: Ending, by_hand: str
    ) -> CommandFailed:
        """The error for a command that ended badly: sudo's, or its own."""
        if self.user == "root" or ending.status not in (1, _NOT_FOUND) or not self._forbade(ending):
            return CommandFailed(machine, argv, ending, hint=f"try it by hand: {by_hand}")
        return NotPermitted(
            machine,
            self.wrap(argv),
            ending,
            hint=self._way_out(ending),
        )

    def _way_out(self, ending: Ending) -> str:
        if ending.status == _NOT_FOUND:
            return "it has no sudo: log in as root (deploy.user: root)"
        return (
            f"its sudoers must hold: {self.user} ALL=(root) NOPASSWD: ALL\n"
            f"NixOS has it once deploy.user: {self.user} was applied; until then, apply as root"
        )

    def _forbade(self, ending: Ending) -> bool:
        return not ending.stdout and _FORBIDDEN.search(ending.stderr) is not None


ROOT = AsRoot()
"""Root already, or no root needed."""
