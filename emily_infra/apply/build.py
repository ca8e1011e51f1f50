"""From a host's folder to a built system in the operator's own store."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from emily_infra.apply.errors import BuildFailed
from emily_infra.machine import CommandFailed, Local, Machine
from emily_infra.observe.generations import System
from emily_infra.plan.model import Built
from emily_infra.spec.host import Host

_SLOW = 6 * 3600.0
_LAST = 12
_TEXT = 512 * 1024


class Builder(Protocol):
    """Makes a host's system, and says what is in it."""

    def build(self, host: Host) -> Built:
        """The system, whole, or BuildFailed."""
        ...


@dataclass(frozen=True)
class Flake:
    """The flake of the project, by the operator's own Nix."""

    root: Path
    here: Machine = field(default_factory=Local)

    def build(self, host: Host) -> Built:
        """The toplevel of nixosConfigurations.NAME."""
        which = f"{self.root}#nixosConfigurations.{host.name}.config.system.build.toplevel"
        try:
            output = self.here.run(
                "nix", "--extra-experimental-features", "nix-command flakes", "build", "--no-link",
                "--print-out-paths", which, deadline=_SLOW,
            )  # fmt: skip
        except CommandFailed as error:
            raise _failed(host, error) from error
        return read(self.here, output.split()[-1])


@dataclass(frozen=True)
class Lab:
    """What stands in for the flake where no nixpkgs is at hand: the lab's own evaluation."""

    root: Path
    here: Machine = field(default_factory=Local)

    def build(self, host: Host) -> Built:
        """The host as its lab plays it."""
        from emily_infra.lab import Lab as TheLab
        from emily_infra.lab.system import build

        return read(self.here, build(host, self.root, TheLab(host.name).overrides()))


def _failed(host: Host, error: CommandFailed) -> BuildFailed:
    """As Nix says it: the end of its words is where the reason stands."""
    lines = error.stderr.strip().splitlines()
    said = "\n".join(f"  {line}" for line in lines[-_LAST:])
    log = next((line.split("'")[1] for line in lines if "nix log" in line and "'" in line), "")
    return BuildFailed(
        f"the system of {host.name} cannot be built\n{said}",
        hint=log
        or f"the whole story: nix build --show-trace .#nixosConfigurations.{host.name}"
        ".config.system.build.toplevel",
    )


def read(here: Machine, toplevel: str) -> Built:
    """What a built toplevel holds."""
    top = Path(toplevel)
    units = top / "etc/systemd/system"
    return Built(
        system=_system(top),
        unit_files=_texts(units, {".wants", ".requires", ".upholds"}),
        wanted=_wanted(units),
        closure=_closure(here, toplevel),
        boot_files={
            str((top / name).resolve()): _size(top / name) for name in ("kernel", "initrd")
        },
        source=_texts(top / "etc/emily/source", set()),
    )


def _system(top: Path) -> System:
    """The same facts that the probe reads on the host, in the same words."""

    def text(name: str) -> str:
        file = top / name
        return file.read_text(errors="replace") if file.is_file() else ""

    def real(name: str) -> str:
        return str((top / name).resolve()) if (top / name).exists() else ""

    inhibitors = json.loads(text("switch-inhibitors") or "{}")
    return System(
        toplevel=str(top.resolve()), kernel=real("kernel"), initrd=real("initrd"),
        modules=real("kernel-modules"), params=text("kernel-params"),
        version=text("nixos-version").strip(),
        interface=text("init-interface-version").strip(),
        inhibitors={str(name): str(inhibitors[name]) for name in sorted(inhibitors)},
    )  # fmt: skip


def _texts(folder: Path, skipped: set[str]) -> dict[str, str]:
    """Every text file below a folder, behind its links; what is masked is an empty text."""
    found = {}
    for file in _below(folder):
        name = str(file.relative_to(folder))
        if not any(Path(part).suffix in skipped for part in Path(name).parts[:-1]):
            known = file.is_file() and file.stat().st_size <= _TEXT
            found[name] = file.read_text(errors="replace") if known else ""
    return dict(sorted(found.items()))


def _below(folder: Path) -> list[Path]:
    """Folders are followed where they are links, as units.d often are in the store."""
    if not folder.is_dir():
        return []
    below = []
    for each in sorted(folder.iterdir()):
        below += _below(each) if each.is_dir() else [each]
    return below


def _wanted(units: Path) -> frozenset[str]:
    if not units.is_dir():
        return frozenset()
    folders = (each for each in units.iterdir() if each.suffix in (".wants", ".requires"))
    return frozenset(unit.name for folder in folders for unit in folder.iterdir())


def _size(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 0


def _closure(here: Machine, toplevel: str) -> Mapping[str, int]:
    paths = here.run("nix-store", "--query", "--requisites", toplevel, deadline=300).split()
    sizes = here.run("nix-store", "--query", "--size", *paths, deadline=300).split()
    return {path: int(size) for path, size in sorted(zip(paths, sizes, strict=True))}
