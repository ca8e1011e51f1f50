"""What our programs import is what pyproject.toml and Nix give them, no less and no more."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.hosts import ROOT


class Program(NamedTuple):
    """A program, where its packages are listed, and what is ours."""

    folder: str
    project: str
    nix: str
    ours: frozenset[str]


# The lab copies the runtime's source, and says so where it is not there.
INFRA = Program("emily_infra", ".", "dependencies", frozenset({"emily_infra", "emily_runtime"}))
RUNTIME = Program(
    "emily_runtime", "emily_runtime", "runtime-dependencies", frozenset({"emily_runtime"})
)
BOTH = pytest.mark.parametrize("program", [INFRA, RUNTIME], ids=lambda each: each.folder)

SOLD_AS = {
    "prometheus_client": "prometheus-client",
    "pydantic_core": "pydantic",  # its other half, which it pins to one version
    "yaml": "pyyaml",
}
FOR_OTHERS = {"websockets"}
"""uvicorn's protocol for WebSockets imports it, and does not ask for it."""
COMPARED_WITH = ("emily_runtime/bench/peers/", "emily_runtime/bench/postgres.py")
"""Benchmarks beside what others made, in environments of their own."""


def imports(tree: ast.AST) -> Iterator[str]:
    """Modules that a file names, wherever in it, and also as import_module("its.name")."""
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom(level=0, module=str(name)):
                yield name
            case ast.Call(
                func=ast.Name(id="import_module") | ast.Attribute(attr="import_module"),
                args=[ast.Constant(value=str(name)), *_],
            ):
                yield name


@cache
def imported(program: Program) -> frozenset[str]:
    """The packages, by the names they are sold as."""
    files = [path.relative_to(ROOT) for path in (ROOT / program.folder).rglob("*.py")]
    own = [path for path in files if not str(path).startswith(COMPARED_WITH)]
    tops = {name.partition(".")[0] for path in own for name in imports(parsed(path))}
    foreign = tops - program.ours - set(sys.stdlib_module_names)
    return frozenset(SOLD_AS.get(name, name) for name in foreign)


def parsed(path: Path) -> ast.AST:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def told(program: Program) -> set[str]:
    """The packages that pyproject.toml asks for."""
    file = ROOT / program.project / "pyproject.toml"
    project = tomllib.loads(file.read_text())["project"]
    more = project["optional-dependencies"].get("postgresql", [])
    return {re.split(r"[<>=[~; ]", line)[0] for line in [*project["dependencies"], *more]}


def listed(program: Program) -> set[str]:
    """The packages that Nix builds it with."""
    text = (ROOT / "nix" / f"{program.nix}.nix").read_text()
    return set(re.findall(r"^  python3Packages\.([\w-]+)$", text, re.MULTILINE))


@BOTH
def test_whatever_is_imported_is_asked_for_and_built_in(program: Program) -> None:
    assert imported(program) - told(program) == set()
    assert imported(program) - listed(program) == set()


@BOTH
def test_nothing_is_asked_for_or_built_in_that_is_not_imported(program: Program) -> None:
    assert told(program) - imported(program) <= FOR_OTHERS
    assert listed(program) - imported(program) <= FOR_OTHERS


def test_an_import_counts_wherever_it_stands() -> None:
    late = "def run():\n    import one.part\n    from two import it\n"
    by_name = "importlib.import_module('three.part')\nimport_module('four')\n"

    assert sorted(imports(ast.parse(late + by_name))) == ["four", "one.part", "three.part", "two"]
