"""Where a machine is, in the words that ssh understands."""

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Target:
    """A machine to reach; what is None is left to ssh's own configuration."""

    name: str
    address: str
    user: str = "root"
    port: int | None = None
    identity: Path | None = None
    known_hosts: Path | None = None
    configuration: Path | None = None
    """Read instead of ~/.ssh/config and /etc/ssh/ssh_config; /dev/null for none."""
    slowness: float = 1.0
    """How many times longer than others it may be silent: an emulated machine has its pauses."""

    @property
    def is_local(self) -> bool:
        """Whether this is the operator's own machine, where no ssh is needed."""
        return self.address in ("localhost", "local") and self.port is None

    def options(self) -> tuple[str, ...]:
        """The explicit values as arguments of ssh, which go before any configuration."""
        words: list[str] = ["-l", self.user]
        if self.configuration is not None:
            words += ["-F", str(self.configuration)]
        if self.port is not None:
            words += ["-p", str(self.port)]
        if self.identity is not None:
            # This key and no other: an agent full of keys would use up the server's patience. -i
            # would not do, it looks for the file before it has read the percent signs.
            words += ["-o", f"IdentityFile={_value(self.identity)}", "-o", "IdentitiesOnly=yes"]
        if self.known_hosts is not None:
            words += ["-o", f"UserKnownHostsFile={_value(self.known_hosts)}"]
            words += ["-o", "GlobalKnownHostsFile=/dev/null"]
        return tuple(words)


def _value(path: Path) -> str:
    """A path as a value of `-o`, where ssh finds no token, and no blank unless quoted."""
    plain = str(path.absolute()).replace("%", "%%")
    if not re.search(r"[\s\"'\\#]", plain):
        return plain
    escaped = plain.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
