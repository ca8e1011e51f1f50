"""The flake has the outputs that people call, and needs nothing but what is committed."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

import emily_infra
import emily_runtime
from tests.flake.outputs import SYSTEMS, outputs
from tests.hosts import ROOT

LOCK: Any = json.loads((ROOT / "flake.lock").read_text())
HOSTS = sorted(path.name for path in (ROOT / "hosts").iterdir() if path.is_dir())
WRITTEN = [ROOT / "flake.nix", *sorted((ROOT / "nix").glob("*.nix"))]


def project(folder: Path) -> Any:
    """The table `project` of a pyproject.toml."""
    return tomllib.loads((folder / "pyproject.toml").read_text())["project"]


def wanted(requirements: list[str]) -> list[str]:
    """The names of packages, as nixpkgs writes them."""
    return sorted(re.split(r"[<>=[~; ]", line)[0].lower() for line in requirements)


@pytest.mark.parametrize("output", ["packages", "checks", "shells", "formatter"])
def test_an_output_exists_for_both_systems(output: str) -> None:
    assert sorted(outputs()[output]) == SYSTEMS


def test_the_outputs_have_the_names_that_nix_looks_for() -> None:
    assert outputs()["outputs"] == [
        "checks", "devShells", "formatter", "nixosConfigurations", "overlays", "packages",
    ]  # fmt: skip


def test_the_formatter_leaves_rendered_files_as_they_were_rendered() -> None:
    assert outputs()["formatter"]["x86_64-linux"] == ["hosts/*/generated/*"]


def test_every_folder_of_hosts_is_a_host() -> None:
    assert sorted(outputs()["hosts"]) == HOSTS


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_is_what_was_rendered_its_hardware_and_our_packages(host: str) -> None:
    folder = ROOT / "hosts" / host

    assert outputs()["hosts"][host] == [
        f"{folder}/generated",
        f"{folder}/hardware.nix",
        {"overlays": ["lambda"]},
    ]


@pytest.mark.parametrize("host", HOSTS)
def test_a_hosts_hardware_names_its_platform(host: str) -> None:
    hardware = (ROOT / "hosts" / host / "hardware.nix").read_text()

    assert re.search(r'nixpkgs\.hostPlatform = "(aarch64|x86_64)-linux";', hardware)


def test_what_is_built_by_default_is_the_command_line() -> None:
    packages = outputs()["packages"]["x86_64-linux"]

    assert packages["default"] == packages["emily-infra"]
    assert packages["default"]["meta"]["mainProgram"] == "emily-infra"


def test_a_package_has_the_version_that_its_program_prints() -> None:
    packages = outputs()["packages"]["x86_64-linux"]

    assert packages["emily-infra"]["version"] == emily_infra.__version__
    assert packages["emily-runtime"]["version"] == emily_runtime.__version__


def test_a_package_depends_on_what_pyproject_says() -> None:
    package = outputs()["packages"]["x86_64-linux"]["emily-infra"]

    assert sorted(package["dependencies"]) == wanted(project(ROOT)["dependencies"])


def test_the_shell_has_what_the_extra_dev_says() -> None:
    there = {*outputs()["python"], *outputs()["shells"]["x86_64-linux"]["default"]}
    extra = wanted(project(ROOT)["optional-dependencies"]["dev"])

    # What writes requirements.lock, and what brings libpq and a PostgreSQL: Nix has its own.
    without_nix = {"pip-tools", "pgserver", "psycopg-binary"}
    assert set(extra) - without_nix <= there


def test_the_runtime_depends_on_what_its_pyproject_says() -> None:
    package = outputs()["packages"]["x86_64-linux"]["emily-runtime"]

    told = project(ROOT / "emily_runtime")
    extra = told["optional-dependencies"]["postgresql"]
    assert sorted(package["dependencies"]) == wanted([*told["dependencies"], *extra])


def test_an_edit_of_a_host_a_test_or_the_readme_rebuilds_no_package() -> None:
    packages = outputs()["packages"]["x86_64-linux"]

    assert packages["emily-infra"]["source"] == [
        f"{ROOT}/emily_infra",
        f"{ROOT}/modules",
        f"{ROOT}/pyproject.toml",
    ]
    assert packages["emily-runtime"]["source"] == [f"{ROOT}/emily_runtime"]


def test_every_host_is_evaluated_by_the_checks() -> None:
    checks = outputs()["checks"]["x86_64-linux"]

    assert {f"host-{host}" for host in HOSTS} < set(checks)
    assert {"rendered", "ruff", "types", "unit"} < set(checks)


def test_the_checks_run_tests_that_are_there() -> None:
    script = outputs()["checks"]["x86_64-linux"]["unit"]

    folders = re.findall(r"tests/\w+", script)
    assert folders
    assert all((ROOT / folder).is_dir() for folder in folders)


def test_the_lock_pins_each_input_that_the_flake_asks_for() -> None:
    nodes = LOCK["nodes"]
    asked = {
        name: f"{original['type']}:{original['owner']}/{original['repo']}/{original['ref']}"
        for name, node in LOCK["nodes"]["root"]["inputs"].items()
        for original in [nodes[node]["original"]]
    }

    assert asked == outputs()["inputs"]


def test_the_lock_names_a_revision_and_its_contents() -> None:
    locked = LOCK["nodes"]["nixpkgs"]["locked"]

    assert LOCK["version"] == 7
    assert LOCK["root"] == "root"
    assert re.fullmatch(r"[0-9a-f]{40}", locked["rev"])
    assert re.fullmatch(r"sha256-[A-Za-z0-9+/]{43}=", locked["narHash"])
    assert {"lastModified", "owner", "repo", "type"} < set(locked)


@pytest.mark.parametrize("file", WRITTEN, ids=lambda file: file.name)
def test_a_path_in_the_flake_leads_to_something(file: Path) -> None:
    code = re.sub(r"#.*|maybeMissing \S+", "", file.read_text())

    for path in re.findall(r"(?<![\w.$}])(\.{1,2}/[\w./-]+)", code):
        assert (file.parent / path).exists(), path


@pytest.mark.parametrize("file", WRITTEN, ids=lambda file: file.name)
def test_nothing_is_fetched_or_read_from_outside_of_the_lock(file: Path) -> None:
    code = re.sub(r"#.*", "", file.read_text())

    assert not re.search(
        r"builtins\.(fetch|getEnv|currentSystem|exec)|<nixpkgs>|fetchTarball", code
    )
    assert not re.search(r'(?<![\w.)"}])/(etc|home|nix|root|srv|tmp|var|work)/', code)
