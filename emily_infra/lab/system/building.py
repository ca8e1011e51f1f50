"""A host's lab system from its folder, or from host.yaml alone."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from emily_infra.errors import EmilyError
from emily_infra.lab.system.evaluation import Module, evaluate, packages_named
from emily_infra.lab.system.lowering import Lowered, Setting, boot, lower
from emily_infra.lab.system.options import Answers
from emily_infra.lab.system.overrides import Overrides, secret_kinds
from emily_infra.lab.system.store import GUEST, HERE, Generation, Packages, stage_sources
from emily_infra.lab.system.tree import File, Link, package
from emily_infra.render import Rendered, render
from emily_infra.render.templates import Templates
from emily_infra.spec.host import Host

_WAY_IN = {f"generated/{name}.nix" for name in ("boot", "network", "system", "wireguard")}
_SOFTWARE = ("bash", "coreutils", "findutils", "gnugrep", "gnused", "iproute2", "kmod", "nix",
             "openssh", "systemd", "util-linux")  # fmt: skip
_PROGRAM = """\
#!/usr/bin/python3 -sB
import sys
from pathlib import Path

TOPLEVEL = Path(__file__).resolve().{up}
sys.path.insert(0, str(TOPLEVEL / "lib"))
from guest import {module}

sys.exit({module}.main({arguments}))
"""
_INIT = """\
#!/bin/sh
# What NixOS's second stage does: this generation's /etc first, then systemd on top of it.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
system=$(dirname "$(readlink -f "$0")")
"$system/activate" || echo "the activation had errors; the boot goes on" >&2
ln -sfn "$system" /run/booted-system
exec /usr/lib/systemd/systemd
"""


class NotRendered(EmilyError):
    """A host has no generated modules to build from."""

    code = "LAB045"


def build(host: Host, root: Path, overrides: Overrides | None = None) -> str:
    """The toplevel of hosts/NAME as its files stand, as a store path."""
    return _build(host, _folder(host, root), overrides or Overrides(), _everything)


def factory(host: Host, root: Path, overrides: Overrides | None = None) -> str:
    """The small generation that a lab begins with: only the way in, on the kernel of all others."""
    return _build(host, _folder(host, root), overrides or Overrides(), _way_in)


def answers(host: Host) -> Answers:
    """The options of a host that its lab plays, and those that it does not, with the reason."""
    with TemporaryDirectory(prefix="emily-lab-") as scratch:
        folder = stage(render(host, Templates()), Path(scratch))
        packages = packages_of(folder, stage_sources(Path(scratch) / "sources"))
        return lowered(host, evaluate(folder, packages), packages, Overrides()).answers


def stage(rendered: Rendered, folder: Path) -> Path:
    """Rendered modules on disk as Nix wants them: hosts/NAME with its generated/."""
    host = folder / rendered.host
    (host / "generated").mkdir(parents=True)
    for name, text in rendered.files.items():
        (host / "generated" / name).write_text(text)
    return host


def lowered(
    host: Host, modules: Sequence[Module], packages: Packages, overrides: Overrides
) -> Lowered:
    """What modules come to."""
    setting = Setting(
        secrets=secret_kinds(host),
        user=host.spec.deploy.user,
        overrides=overrides,
        aside=_aside(modules, packages),
    )
    return lower(_definitions(modules), setting)


def packages_of(folder: Path, sources: Path) -> Packages:
    """The packages that a folder's modules name."""
    texts = [path.read_text() for path in sorted(folder.rglob("*.nix"))]
    return Packages(packages_named(texts), sources)


def _folder(host: Host, root: Path) -> Path:
    folder = root / "hosts" / host.name
    if not (folder / "generated" / "default.nix").is_file():
        raise NotRendered(
            f"hosts/{host.name}/generated/ has no modules",
            hint=f"emily-infra render {host.name}",
        )
    return folder


def _everything(_: Module) -> bool:
    return True


def _way_in(module: Module) -> bool:
    return module.file in _WAY_IN


def _build(host: Host, folder: Path, overrides: Overrides, wanted: Callable[[Module], bool]) -> str:
    with TemporaryDirectory(prefix="emily-lab-") as scratch:
        packages = packages_of(folder, stage_sources(Path(scratch) / "sources"))
        modules = evaluate(folder, packages)
        found = lowered(host, [m for m in modules if wanted(m)], packages, overrides)
        start = boot(_definitions(modules))
        generation = Generation(
            name=f"nixos-system-{host.name}-lab",
            entries={
                **found.entries,
                **_programs(),
                "kernel-params": File(" ".join(start.parameters) + "\n"),
            },
            texts=found.texts,
            software=(*map(package, _SOFTWARE), *found.software),
            kernel=start.settings,
        )
        return generation.realise(packages, Path(scratch))


def _definitions(modules: Sequence[Module]) -> list[tuple[str, object]]:
    return [(module.file, module.values) for module in modules]


def _aside(modules: Iterable[Module], packages: Packages) -> dict[str, str]:
    known = json.loads((HERE / "programs.json").read_text())
    own = ("emily-infra", "emily-runtime")
    unknown = (name for name in packages.names if name not in known and name not in own)
    return {f"pkgs.{name}": "the lab does not know what Debian calls it" for name in unknown} | {
        f"imports {far}": "the lab has no nixpkgs to take a module from"
        for module in modules
        for far in module.far
    }


def _programs() -> dict[str, File | Link]:
    """The programs of the toplevel itself, which are the same in all of them."""
    switch = _PROGRAM.format(
        up="parent.parent", module="switch", arguments="sys.argv[1:], TOPLEVEL"
    )
    activate = _PROGRAM.format(up="parent", module="activate", arguments="TOPLEVEL")
    bootctl = _PROGRAM.format(up="parents[2]", module="bootctl", arguments="sys.argv[1:]")
    return {
        "bin/switch-to-configuration": File(switch, executable=True),
        "activate": File(activate, executable=True),
        "sw/bin/bootctl": File(bootctl, executable=True),
        "init": File(_INIT, executable=True),
        **{f"lib/guest/{p.name}": File(p.read_text()) for p in sorted(GUEST.glob("*.py"))},
    }
