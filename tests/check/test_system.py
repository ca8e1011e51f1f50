"""A host has an id of its own, room for its boot files, and packages that exist."""

import pytest

from tests.hosts import codes, findings, over, pebble, shipped


def esp(size: str, generations: int) -> str:
    disk = f"{{ size: 960GB, partitions: {{ 1: {{ size: {size}, use: esp }} }} }}"
    return f"""
system: {{ boot: {{ generations: {generations} }} }}
storage: {{ disks: {{ nvme-A: {disk} }} }}
"""


def test_hosts_that_share_an_id_name_each_other() -> None:
    hosts = [pebble("", "one"), pebble("", "two"), pebble("", "three")]

    shared = {f.host: f.message for f in findings(*hosts) if f.code == "SYS001"}

    assert shared.keys() == {"one", "two", "three"}
    assert "three has the host_id" in shared["one"]
    assert "one has the host_id" in shared["three"]


@pytest.mark.parametrize(
    ("size", "generations", "fires"),
    [("512MB", 8, True), ("1GiB", 8, False), ("1023MiB", 8, True), ("2GiB", 10, False)],
)
def test_an_esp_holds_all_its_generations(size: str, generations: int, fires: bool) -> None:  # noqa: FBT001
    assert ("SYS005" in codes(pebble(esp(size, generations)))) is fires


def test_the_hint_for_a_small_esp_can_be_pasted() -> None:
    hint = next(f.hint for f in findings(pebble(esp("512MB", 8))) if f.code == "SYS005")

    assert hint == "size: 1GiB, or system.boot.generations: 3"


def test_a_tiny_esp_is_not_told_to_keep_one_generation() -> None:
    hint = next(f.hint for f in findings(pebble(esp("100MiB", 2))) if f.code == "SYS005")

    assert hint == "size: 1GiB"


def test_two_esps_on_a_mirrored_root_are_enough() -> None:
    assert "SYS006" not in codes(shipped("ember"))


def test_losing_one_of_two_esps_is_worth_a_warning() -> None:
    ember = over(
        shipped("ember"), "storage: { disks: { nvme-B: { partitions: { 1: { use: other } } } } }"
    )

    assert "SYS006" in codes(ember)


def test_an_esp_beside_a_root_without_redundancy_is_no_worse_than_the_root() -> None:
    part = "storage: { pools: { rpool: { data: [disk: nvme-A-part3, disk: nvme-B-part3] } } }"
    single = "storage: { disks: { nvme-B: { partitions: { 1: { use: other } } } } }"

    assert "SYS006" not in codes(over(over(shipped("ember"), part), single))


@pytest.mark.parametrize("name", ["vllm", "python3Packages.vllm", "python312Packages.vllm"])
def test_a_python_package_is_known_under_every_interpreter(name: str) -> None:
    host = pebble(f"system: {{ packages: [{name}] }}")

    assert "llama-cpp" in next(f.hint for f in findings(host) if f.code == "SYS009")


def test_mlflow_is_fine_where_nixpkgs_has_it() -> None:
    host = pebble("system: { packages: [python3Packages.mlflow, mlflow-server] }")

    assert "SYS009" not in codes(host)
