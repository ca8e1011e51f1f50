"""The plan as a whole."""

from dataclasses import replace
from pathlib import Path

import pytest

from emily_infra.machine import Local
from emily_infra.observe import Observation
from emily_infra.plan import Activation, by_nix, to_json
from emily_infra.plan import plan as planned
from emily_infra.plan.model import Cause
from emily_infra.spec.host import Host
from tests.hosts import pebble, shipped
from tests.plan.machines import between, built, means, running
from tests.plan.test_attribution import VARIANTS

HOSTS = [shipped("ember"), *map(pebble, ["", *VARIANTS])]


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_that_is_as_described_has_an_empty_plan(host: Host) -> None:
    made = planned(host, built(host), running(host, mark="b", client="192.168.1.7"), means())

    assert made.is_noop
    parts = (made.changes, made.units, made.steps, made.dangers, made.foreign)
    assert not any(parts)
    assert made.access.touch == "untouched"


@pytest.mark.parametrize("part", VARIANTS)
def test_a_plan_is_the_same_each_time_it_is_made(part: str) -> None:
    one, two = (between(pebble(), pebble(part), "192.168.1.7") for _ in range(2))

    assert to_json(one) == to_json(two)


@pytest.mark.parametrize("client", ["10.4.0.9", "fe80::1", "::1", "2001:db8::1", "127.0.0.1"])
def test_nothing_raises_from_wherever_one_comes(client: str) -> None:
    for part in VARIANTS[5:8]:
        between(pebble(), pebble(part), client)


@pytest.mark.parametrize("part", VARIANTS)
def test_nothing_raises_between_unlike_hosts(part: str) -> None:
    between(pebble(part), shipped("ember"), "192.168.1.7")


def test_a_machine_that_says_next_to_nothing_still_gets_a_plan() -> None:
    made = planned(pebble(), built(pebble()), Observation(machine="pebble"), means())

    assert made.activation is Activation.SWITCH
    assert "not-nixos" in [danger.name for danger in made.dangers]
    assert any("unit files" in note for note in made.notes)


def test_other_packages_under_the_same_description_are_a_change_of_their_own() -> None:
    (change,) = between(pebble(), pebble()).changes

    assert change.cause is Cause.PROGRAMS


def test_what_was_built_from_another_description_is_refused() -> None:
    made = planned(pebble("samba: null"), built(pebble()), running(pebble()), means())

    assert "other-source" in [danger.name for danger in made.dangers]


def test_a_builder_that_tells_no_source_is_believed() -> None:
    made = replace(built(pebble("samba: null")), source={})

    found = planned(pebble("samba: null"), made, running(pebble()), means())

    assert [change.places for change in found.changes] == [("samba",)]


def test_the_diff_is_that_of_the_rendered_files() -> None:
    made = between(pebble(), pebble("system: { memory: { arc: 7GiB } }"))

    assert '-  boot.kernelParams = [ "zfs.zfs_arc_max=6442450944" ];' in made.diff
    assert '+  boot.kernelParams = [ "zfs.zfs_arc_max=7516192768" ];' in made.diff


def test_the_rendered_module_carries_the_folder_of_its_host(tmp_path: Path) -> None:
    home = tmp_path / "hosts" / "pebble"
    (home / "generated").mkdir(parents=True)
    (home / "host.yaml").write_text("emily: 1\n")
    for name, text in built(pebble()).source.items():
        if name.startswith("generated/"):
            (home / name).write_text(text)
    module = f'(import {home}/generated/system.nix {{ pkgs.emily-infra = ""; }})'
    source = f'{module}.environment.etc."emily/source".source'

    found = Local().run(
        "nix-instantiate", "--eval", "--strict", "--json", "--expr",
        f'{{ path = "${{{source}}}"; files = builtins.attrNames (builtins.readDir {source}); }}',
    )  # fmt: skip

    assert '"files":["generated","host.yaml"]' in found
    assert '-pebble"}' in found


def test_hundreds_of_changes_are_explained_at_once() -> None:
    many = "".join(f"d{n}: {{ mountpoint: /srv/d{n} }}, " for n in range(300))
    part = f"storage: {{ pools: {{ tank: {{ datasets: {{ {many} }} }} }} }}"
    through_nix = replace(means(), evaluate=by_nix(Local()))

    made = planned(pebble(part), built(pebble(part)), running(pebble()), through_nix)

    assert len(made.steps) == 300
    assert sum(len(change.fields) for change in made.changes) == 300
