"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer


def complete_host(incomplete: str) -> list[str]:
    """The hosts that begin as typed, for shell completion."""
    hosts = Path.cwd() / "hosts"
    return sorted(p.parent.name for p in hosts.glob(f"{incomplete}*/host.yaml"))


Host = Annotated[
    str, typer.Argument(help="A folder of hosts/.", metavar="HOST", autocompletion=complete_host)
]
Hosts = Annotated[
    list[str] | None,
    typer.Argument(help="Folders of hosts/; all of them if none is named.", metavar="HOST",
                   autocompletion=complete_host),
]  # fmt: skip
Json = Annotated[bool, typer.Option("--json", help="Print data for a program.")]
