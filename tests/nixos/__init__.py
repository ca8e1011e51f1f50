"""Real Nix evaluation of rendered modules, held against the option data of NixOS."""

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from tests.nixos.options import Checker, Problem

HERE = Path(__file__).parent


@cache
def checker() -> Checker:
    """The option data, read once."""
    return Checker(json.loads((HERE / "options.json").read_text()))


def nix(expression: str, *arguments: str) -> Any:
    """The value of a Nix expression, fully evaluated by the real interpreter."""
    command = ("nix-instantiate", "--eval", "--strict", "--json", "--expr", expression, *arguments)
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise AssertionError(done.stderr)
    return json.loads(done.stdout)


def evaluate(folder: Path) -> dict[str, Any]:
    """Every module of a `generated/` folder by file name, as the values it sets."""
    modules: dict[str, Any] = nix(f"import {HERE}/evaluate.nix {{ folder = {folder.resolve()}; }}")
    return modules


def problems(folder: Path) -> dict[str, list[Problem]]:
    """What is wrong with the options that each module of a folder sets."""
    return {name: checker().check(module) for name, module in evaluate(folder).items()}
