"""One way in which a machine is not what host.yaml says."""

from dataclasses import dataclass

Command = tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """What was found in place of what, and the command that puts it right."""

    area: str
    where: str
    expected: str
    found: str
    command: Command
    """To be run on the machine; on the operator's own where it begins with `emily-infra`."""


def apply(host: str) -> Command:
    """The command that makes a machine what host.yaml says."""
    return ("emily-infra", "apply", host)
