"""The real NixOS module system evaluates every host as a whole: merges, assertions, the closure."""

import json
import os
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.flake.newer import declarations
from tests.hosts import ROOT, shipped
from tests.nixos import evaluate, nix
from tests.render.evaluated import evaluated, rendered

NIXPKGS = os.environ.get("EMILY_NIXPKGS", "")
HERE = Path(__file__).parent
every_host = pytest.mark.parametrize("host", ["ember", "pebble"])
needs_nixpkgs = pytest.mark.skipif(not NIXPKGS, reason="EMILY_NIXPKGS names no nixpkgs tree")
"""A tree is 200 MB and not part of ours, so there may be none. older.nix is for NixOS 20.09."""


@cache
def system(host: str) -> Any:
    """A shipped host as the module system of an older nixpkgs sees it."""
    with TemporaryDirectory() as folder:
        generated, data = Path(folder, "generated"), Path(folder, "newer.json")
        generated.mkdir()
        for name, text in rendered(shipped(host)).files.items():
            (generated / name).write_text(text)
        data.write_text(json.dumps(declarations(evaluate(generated))))
        hardware = ROOT / "hosts" / host / "hardware.nix"
        given = f"generated = {generated}; hardware = {hardware}; data = {data};"
        return nix(f"import {HERE}/module_system.nix {{ nixpkgs = {NIXPKGS}; {given} }}")


@needs_nixpkgs
@every_host
def test_a_host_satisfies_every_assertion_of_nixos(host: str) -> None:
    assert system(host)["assertions"] == []


@needs_nixpkgs
@every_host
def test_a_host_raises_no_warning_of_nixos(host: str) -> None:
    assert system(host)["warnings"] == []


@needs_nixpkgs
@every_host
def test_a_service_of_ours_waits_only_for_services_that_exist(host: str) -> None:
    units, waits = system(host)["units"], system(host)["waits"]
    modules = evaluated(shipped(host)).values()
    ours = {name for module in modules for name in module.get("systemd", {}).get("services", {})}

    awaited = {unit for name in ours for unit in waits[name] if unit.endswith(".service")}
    assert {unit for unit in awaited if "@" not in unit} <= set(units)


@needs_nixpkgs
@every_host
def test_the_whole_system_of_a_host_is_a_derivation(host: str) -> None:
    assert system(host)["toplevel"].endswith(".drv")
