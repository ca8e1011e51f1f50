"""Store paths made by the real Nix: packages, texts, and in the end the toplevel."""

import grp
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType

import emily_infra
from emily_infra.lab.faults import LacksPrograms
from emily_infra.lab.system.tree import File, Link, StoreText, put
from emily_infra.machine import Local
from emily_infra.render.nix import nix_literal
from emily_infra.render.templates import modules_folder

HERE = Path(__file__).resolve().parent
GUEST = HERE / "guest"

_DEADLINE = 600.0
_SOURCES = (".py", ".nix", ".j2", ".json", ".yml", ".sh", ".html")
_LIBRARIES = {"emily-runtime": ("/usr/lib/emily-lab/python",)}
"""Folders of the image with what Debian has not, or in older versions only."""
_HERE_ALONE = ("--no-out-link", "--option", "sandbox", "false", "--option", "substitute", "false")
"""No cache on the network has any of this, and a builder needs the machine's own /bin."""
_TOKEN = re.compile(r"@(package|store):([^@\s]+)@")
_STORE_PATH = re.compile(r"/nix/store/[0-9a-z]{32}-[\w+.?=-]+")
_NOT_IN_A_NAME = re.compile(r"[^\w+.?=-]")


def _builders() -> tuple[str, ...]:
    """Root's Nix wants users to build as; a Nix that was installed without them builds as root."""
    try:
        grp.getgrnam("nixbld")
    except KeyError:
        return ("--option", "build-users-group", "") if os.geteuid() == 0 else ()
    return ()


@dataclass(frozen=True)
class Packages:
    """The packages that a host names, and our own programs among them as staged sources."""

    names: tuple[str, ...]
    sources: Path

    def expression(self, **more: Path) -> str:
        """The arguments of packages.nix, with more for what imports it."""
        listed = " ".join(nix_literal(name) for name in self.names)
        rest = "".join(f" {name} = {path};" for name, path in more.items())
        return f"{{ names = [ {listed} ]; sources = {self._own()};{rest} }}"

    def _own(self) -> str:
        lines = (
            f'{name} = {{ version = "{module.__version__}"; module = "{module.__name__}"; '
            f"source = {self.sources.resolve() / name}; "
            f"libraries = {nix_literal(_LIBRARIES.get(name, ()))}; }};"
            for name, module in _programs().items()
        )
        return "{ " + " ".join(lines) + " }"


def ask(expression: str) -> str:
    """The value of an expression as JSON; paths in it exist in the store."""
    evaluate = ("nix-instantiate", "--eval", "--strict", "--json", "--read-write-mode")
    return Local().run(*evaluate, "--expr", expression, deadline=_DEADLINE)


def _programs() -> Mapping[str, ModuleType]:
    """Our own, from the source that runs here; LacksPrograms where that is one of them alone."""
    try:
        runtime = import_module("emily_runtime")
    except ModuleNotFoundError as error:
        raise LacksPrograms(
            "a lab runs the source of emily_infra and of emily_runtime, and emily_runtime is not "
            "installed beside this emily_infra",
            hint="in a checkout of both: nix develop --command emily-infra lab up HOST",
        ) from error
    return {"emily-infra": emily_infra, "emily-runtime": runtime}


def stage_sources(folder: Path) -> Path:
    """Copy what our programs consist of; an edit of anything else changes no host."""
    for name, module in _programs().items():
        source = Path(str(module.__file__)).parent
        _copy(source, folder / name / source.name)
    _copy(modules_folder(), folder / "emily-infra" / "emily_infra" / "modules")
    return folder


@dataclass(frozen=True)
class Generation:
    """What the store makes a toplevel of; tokens stand for paths that it gives."""

    name: str
    entries: Mapping[str, File | Link]
    texts: Mapping[str, StoreText]
    software: tuple[str, ...]
    kernel: str

    def realise(self, packages: Packages, scratch: Path) -> str:
        """The store path of the toplevel, built unless it is there already."""
        store = scratch.resolve() / "store.nix"
        store.write_text(f"import {HERE}/toplevel.nix {self._arguments(packages)}\n")
        paths = json.loads(ask(f"{{ inherit (import {store}) packages texts; }}"))
        known = {f"@package:{n}@": p for n, p in paths["packages"].items()} | {
            f"@store:{n}@": p for n, p in paths["texts"].items()
        }
        tree = scratch / "tree"
        tree.mkdir()
        put({name: _resolved(entry, known) for name, entry in self.entries.items()}, tree)
        recipe = scratch / "toplevel.nix"
        recipe.write_text(self._toplevel(store, tree))
        options = (*_HERE_ALONE, *_builders())
        built = Local().run("nix-build", *options, str(recipe), deadline=_DEADLINE)
        return built.strip().splitlines()[-1]

    def _arguments(self, packages: Packages) -> str:
        texts = "\n".join(
            f"{nix_literal(store_name(name))} = {{ executable = {nix_literal(text.executable)}; "
            f"text = pkgs: made: {_interpolated(text.content)}; }};"
            for name, text in sorted(self.texts.items())
        )
        return f"({packages.expression()} // {{ texts = {{\n{texts}\n}}; }})"

    def _toplevel(self, store: Path, tree: Path) -> str:
        inputs = "\n".join(f"({one})" for one in sorted(set(self._inputs())))
        software = "\n".join(f"({_interpolated(one)})" for one in self.software)
        return (
            f"let store = import {store}; in store.toplevel {{ name = {nix_literal(self.name)}; "
            f"tree = {tree.resolve()}; boot = store.boot {nix_literal(self.kernel)};\n"
            f"inputs = pkgs: made: [\n{inputs}\n];\nsoftware = pkgs: made: [\n{software}\n]; }}\n"
        )

    def _inputs(self) -> Iterator[str]:
        """What the tree refers to, so that Nix looks for it in there."""
        for entry in self.entries.values():
            text = entry.target if isinstance(entry, Link) else entry.content
            if isinstance(text, str):
                yield from (_interpolation(match) for match in _TOKEN.finditer(text))
                for path in _STORE_PATH.findall(text):
                    yield f"builtins.storePath {path}"


def store_name(name: str) -> str:
    """A name that the store accepts."""
    return _NOT_IN_A_NAME.sub("-", name).lstrip(".")


def _resolved(entry: File | Link, known: Mapping[str, str]) -> File | Link:
    replace = partial(_TOKEN.sub, lambda match: known[match[0]])
    if isinstance(entry, Link):
        return Link(replace(entry.target))
    if isinstance(entry.content, bytes):
        return entry
    return File(replace(entry.content), executable=entry.executable)


def _interpolated(text: str) -> str:
    """A Nix string in which tokens are the paths that they stand for."""
    pieces, position = [], 0
    for match in _TOKEN.finditer(text):
        pieces += [nix_literal(text[position : match.start()]), _interpolation(match)]
        position = match.end()
    return " + ".join([*pieces, nix_literal(text[position:])])


def _interpolation(match: re.Match[str]) -> str:
    kind = "pkgs" if match[1] == "package" else "made"
    return f'"${{{kind}.{nix_literal(store_name(match[2]))}}}"'


def _copy(source: Path, target: Path) -> None:
    for path in sorted(source.rglob("*")):
        if path.is_file() and path.suffix in _SOURCES:
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
            copy.chmod(0o644)
