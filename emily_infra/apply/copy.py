"""Bringing a system to the host's store."""

import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from emily_infra.machine import CommandFailed, Local, Store

_SLOW = 6 * 3600.0


class Substitutes(StrEnum):
    """Where the host takes what a binary cache has."""

    FROM_HERE = "from here"
    FROM_CACHES = "from caches"

    @property
    def options(self) -> tuple[str, ...]:
        """Of `nix copy`."""
        return ("--substitute-on-destination",) if self is Substitutes.FROM_CACHES else ()


@dataclass(frozen=True)
class Copy:
    """`nix copy`, with the settings of SSH that the rest uses.

    The paths need no signature: whoever may activate a system may say what is in the store.
    """

    store: Store
    substitutes: Substitutes = Substitutes.FROM_HERE
    environment: dict[str, str] = field(default_factory=dict)

    def command(self, toplevel: str) -> tuple[str, ...]:
        """What is run here, in the environment of the store."""
        return (
            "nix", "--extra-experimental-features", "nix-command", "copy", "--no-check-sigs",
            "--verbose", *self.substitutes.options, "--to", self.store.url, toplevel,
        )  # fmt: skip

    def line(self, toplevel: str) -> str:
        """The same as a person types it."""
        words = (f"{name}={shlex.quote(text)}" for name, text in self.store.environment.items())
        return " ".join((*words, shlex.join(self.command(toplevel))))

    def __call__(self, toplevel: str, told: Callable[[str], None]) -> None:
        """Copy a path with all it needs; each line that Nix says is told."""
        if self.store.url == "auto":
            return  # this very machine
        here = Local(environment={**self.environment, **self.store.environment}, on_line=told)
        try:
            here.run(*self.command(toplevel), deadline=_SLOW)
        except CommandFailed as error:
            raise self.store.explained(error) from error
