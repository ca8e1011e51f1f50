"""How `nix copy` reaches a machine: the same settings, in the words that Nix takes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import quote

from emily_infra.machine.faults import CommandFailed, NotTrusted, UnsafePath
from emily_infra.machine.target import Target

_CARE = (
    "BatchMode=yes",
    "ClearAllForwardings=yes",
    "ConnectTimeout=10",
    "ControlPath=none",
    "ServerAliveCountMax=3",
    "ServerAliveInterval=5",
    "StrictHostKeyChecking=yes",
)
# Older Nix splits NIX_SSHOPTS at blanks, newer as a shell would: what has neither is safe in both.
_UNSAFE = re.compile(r"[\s\"'\\]")
_UNTRUSTED = re.compile(
    r"lacks a (valid )?signature|is not trusted|not a trusted user|cannot add path"
)


@dataclass(frozen=True)
class Store:
    """A machine's Nix store."""

    url: str
    environment: Mapping[str, str]
    user: str = "root"

    def explained(self, error: CommandFailed) -> CommandFailed:
        """ERROR of a `nix copy`; where the machine doesn't trust the user, with the way out."""
        if self.user == "root" or not _UNTRUSTED.search(error.stderr):
            return error
        return NotTrusted(
            error.machine,
            error.argv,
            error.ending,
            hint=f'on {self.url}, Nix must trust the user: nix.settings.trusted-users = [ "root" '
            f'"{self.user}" ]; NixOS has it once a deploy.user other than root was applied',
        )


def below(whole: Store, root: str) -> Store:
    """The store of a system that is being installed below a folder of the machine."""
    if whole.url == "auto":
        return replace(whole, url=f"local?root={root}")
    inner = quote(f"local?root={root}", safe="")
    return replace(whole, url=f"{whole.url}?remote-store={inner}")


def store(target: Target) -> Store:
    """TARGET's store, reached with the settings that `connect` uses."""
    if target.is_local:
        return Store("auto", {}, target.user)
    for path in (target.identity, target.known_hosts, target.configuration):
        if path is not None and _UNSAFE.search(str(path.absolute())):
            raise UnsafePath(
                f"{target.name}: Nix splits NIX_SSHOPTS at blanks and quotes, so it cannot hold "
                f"the path {path}",
                hint=f"copy the file to a path without blanks, quotes and backslashes: {path}",
            )
    words = [*_own_name(target), *(word for care in _CARE for word in ("-o", care))]
    return Store(
        f"ssh-ng://{target.user}@{_host(target)}",
        {"NIX_SSHOPTS": " ".join((*target.options(), *words))},
        target.user,
    )


def _has_own_name(target: Target) -> bool:
    """Nix takes `localhost` for itself and runs no ssh; colons of IPv6 divide its URLs."""
    return target.address == "localhost" or ":" in target.address


def _host(target: Target) -> str:
    return f"{target.name}.emily" if _has_own_name(target) else target.address


def _own_name(target: Target) -> tuple[str, ...]:
    if not _has_own_name(target):
        return ()
    return ("-o", f"HostName={target.address.replace('%', '%%')}")
