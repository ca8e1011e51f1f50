"""A host's modules as Nix sees them, read with the real interpreter."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from emily_infra.errors import EmilyError
from emily_infra.lab.system.store import HERE, Packages, ask
from emily_infra.lab.system.tree import package
from emily_infra.machine import CommandFailed

_PACKAGE = re.compile(r'\bpkgs\.("?[A-Za-z_][\w\'+-]*"?(?:\."?[A-Za-z_][\w\'+-]*"?)?)')
_ALWAYS = (
    "bash", "coreutils", "findutils", "gawk", "gnugrep", "gnused", "iproute2", "kmod", "nftables",
    "nix", "openssh", "postgresql", "prometheus", "prometheus-alertmanager",
    "prometheus-node-exporter", "samba", "systemd", "util-linux", "zfs",
)  # fmt: skip
"""What a system has without anybody naming it, and what its own units call."""


class CannotEvaluate(EmilyError):
    """Nix does not accept the modules of a host."""

    code = "LAB040"


@dataclass(frozen=True)
class Module:
    """What one file sets, with the marks of the module system still in it."""

    file: str
    values: object
    far: tuple[str, ...]
    """Modules of nixpkgs that it imports, which are not at hand."""


def packages_named(texts: Sequence[str]) -> tuple[str, ...]:
    """Every package that modules may mean, so that Nix finds each of them."""
    found = {name.replace('"', "") for text in texts for name in _PACKAGE.findall(text)}
    return tuple(sorted(found.union(_ALWAYS)))


def evaluate(folder: Path, packages: Packages) -> list[Module]:
    """Every module of hosts/NAME, in the order of its imports; packages are tokens in it."""
    try:
        text = ask(f"import {HERE}/evaluate.nix ({packages.expression(folder=folder.resolve())})")
    except CommandFailed as error:
        raise CannotEvaluate(
            f"Nix cannot evaluate the modules of {folder.name}\n{error.stderr.strip()}",
            hint=f"emily-infra render {folder.name}; if hardware.nix is at fault: the lab has no "
            "nixpkgs, so `config` and `lib` hold only a little of what they hold on NixOS",
        ) from error
    for name, path in json.loads(text)["packages"].items():
        text = text.replace(path, package(name))
    return [
        Module(_short(item["file"], folder), item["body"], tuple(item["far"]))
        for item in json.loads(text)["modules"]
    ]


def _short(file: str, folder: Path) -> str:
    return file.removeprefix(f"{folder.resolve()}/")
