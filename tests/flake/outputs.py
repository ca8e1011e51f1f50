"""What flake.nix says, evaluated by the real Nix over a stand-in for nixpkgs."""

from functools import cache
from typing import Any

from tests.hosts import ROOT
from tests.nixos import nix

SYSTEMS = ["aarch64-linux", "x86_64-linux"]
ALONE = ("--option", "restrict-eval", "true", "-I", f"{ROOT}")
"""Nothing outside of the tree may be read, as when a flake is evaluated."""
NO_BUILDING = ("--option", "allow-import-from-derivation", "false")


@cache
def outputs() -> Any:
    """Every output of the flake as plain data."""
    return nix(f"import {ROOT}/tests/flake/outputs.nix {{ root = {ROOT}; }}", *ALONE, *NO_BUILDING)
