"""Spec in, text of NixOS modules out. Pure: no clock, no disk but the templates, no environment."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from emily_infra.render import (
    backup,
    boot,
    deploy,
    monitoring,
    network,
    runtime,
    samba,
    storage,
    system,
    wireguard,
)
from emily_infra.render.nix import Expression
from emily_infra.render.templates import Templates
from emily_infra.spec.host import Host

Lowering = Callable[[Host], Mapping[str, object] | None]

CONCERNS: dict[str, Lowering] = {
    "system": system.lower,
    "boot": boot.lower,
    "storage": storage.lower,
    "network": network.lower,
    "wireguard": wireguard.lower,
    "samba": samba.lower,
    "backup": backup.lower,
    "deploy": deploy.lower,
    "monitoring": monitoring.lower,
    "runtime": runtime.lower,
}
"""What each template prints; nothing means that the host has no such part."""


@dataclass(frozen=True)
class Rendered:
    """The files of a host's `generated/` folder."""

    host: str
    files: dict[str, str]


def render(host: Host, templates: Templates) -> Rendered:
    """Every module that a host needs, and `default.nix` that imports them."""
    contexts = {name: lower(host) for name, lower in CONCERNS.items()}
    files = {
        f"{name}.nix": templates.render(name, host.source.file, context)
        for name, context in contexts.items()
        if context is not None
    }
    imports = {"modules": [Expression(f"./{name}") for name in sorted(files)]}
    files["default.nix"] = templates.render("default", host.source.file, imports)
    return Rendered(host.name, dict(sorted(files.items())))
