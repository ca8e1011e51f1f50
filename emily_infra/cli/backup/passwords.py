"""A repository's secrets on a machine that lost them: asked for, or in files that were brought."""

import getpass
import os
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from emily_infra.cli.output import complain

if TYPE_CHECKING:
    from emily_infra.backup.settings import Settings


@dataclass(frozen=True)
class Given:
    """What the command line names."""

    stack: ExitStack
    """Ends with the command; a password that was typed is gone then."""
    password: Path | None
    environment: Path | None


def with_secrets(settings: "Settings", repository: str, given: Given) -> "Settings":
    """The same host, which finds the secrets of a repository where they are now."""
    body = settings.repositories[repository]
    changes: dict[str, Any] = {}
    if given.password:
        changes["password"] = body.password.model_copy(update={"file": given.password.resolve()})
    elif not body.password.file.exists():
        typed = _typed(repository, given.stack)
        changes["password"] = body.password.model_copy(update={"file": typed})
    if given.environment and body.environment:
        file = given.environment.resolve()
        changes["environment"] = body.environment.model_copy(update={"file": file})
    changed = {**settings.repositories, repository: body.model_copy(update=changes)}
    return settings.model_copy(update={"repositories": changed})


def _typed(repository: str, stack: ExitStack) -> Path:
    """A file in memory that only this process and those it starts can find."""
    if not sys.stdin.isatty():
        complain(f"the password of {repository} is needed", "--password-file FILE")
        raise typer.Exit(1)
    password = getpass.getpass(f"password of repository {repository}: ")
    descriptor = os.memfd_create("password")
    stack.callback(os.close, descriptor)
    os.write(descriptor, password.encode("utf-8", "surrogateescape"))
    return Path(f"/proc/{os.getpid()}/fd/{descriptor}")
