"""Field, file, option: what causes what."""

from functools import reduce
from itertools import chain

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from emily_infra.machine import Local
from emily_infra.plan import Plan
from emily_infra.plan.attribution import (
    GENERATED,
    SPEC,
    Side,
    attribute,
    contradicts_itself,
    grouped,
)
from emily_infra.plan.fields import edits, plain
from emily_infra.plan.model import Cause, Change, OptionChange, Sign
from emily_infra.plan.options import Evaluated, by_nix, expression, not_evaluated
from emily_infra.spec.host import Host
from tests.hosts import over, pebble, shipped
from tests.plan.machines import TEMPLATES, between, source, with_nix

VARIANTS = [
    "system: { ssh: { port: 2222 } }",
    "system: { memory: { arc: 7GiB } }",
    "system: { packages: [tmux, python3Packages.requests] }",
    "system: { nix: { build_dir: null } }",
    "samba: null",
    "storage: { pools: { tank: { datasets: { media: { mountpoint: /srv/media } } } } }",
    "network: { uplinks: { lan: null, wan: { mac: '52:54:00:00:00:10' } }, "
    "zones: { home: { on: wan } } }",
    "network: { zones: { iot: { on: lan, vlan: 40, address: 10.4.0.1/24 } }, "
    "allow: [{ from: home, to: host, services: [ssh] }, "
    "{ from: iot, to: home, services: [https] }] }",
    "backup: { drill: null, snapshots: { daily: { hourly: 0, weekly: 2 } } }",
    "backup: { exempt: { tank/home: it is a copy } }",
]


def side(host: Host) -> Side:
    return Side(source(host), host)


def attributed(old: Host, new: Host) -> tuple[Change, ...]:
    return attribute(side(old), side(new), TEMPLATES, not_evaluated).changes


def caused_by(made: Plan, place: str) -> Change:
    (found,) = [change for change in made.changes if place in change.places]
    return found


def options(change: Change) -> dict[str, OptionChange]:
    return {each.option: each for file in change.files for each in file.options}


def test_a_port_leads_to_sshd_and_to_the_firewall() -> None:
    made = with_nix(pebble(), pebble("system: { ssh: { port: 2222 } }"))

    found = options(caused_by(made, "system.ssh.port"))

    assert found["services.openssh.ports"].old == ("22",)
    assert found["services.openssh.ports"].new == ("2222",)
    assert found["networking.nftables.tables.emily.content"].sign is Sign.CHANGED


def test_of_a_ruleset_only_the_lines_that_change_are_told() -> None:
    made = with_nix(pebble(), pebble("system: { ssh: { port: 2222 } }"))

    rules = options(caused_by(made, "system.ssh.port"))["networking.nftables.tables.emily.content"]

    assert [line.strip() for line in rules.old] == ["tcp dport { 22, 445 } accept"]
    assert [line.strip() for line in rules.new] == ["tcp dport { 445, 2222 } accept"]


def test_two_fields_share_nothing_but_their_file() -> None:
    both = "system: { memory: { arc: 7GiB }, boot: { generations: 5 } }"
    made = with_nix(pebble(), pebble(both))

    assert set(options(caused_by(made, "system.memory.arc"))) == {"boot.kernelParams"}
    assert set(options(caused_by(made, "system.boot.generations"))) == {
        "boot.loader.systemd-boot.configurationLimit"
    }


def test_a_share_of_a_new_zone_is_told_apart_from_the_zone() -> None:
    ember = shipped("ember")
    more = over(
        ember,
        """
        network: { zones: { iot: { on: lan, vlan: 40, address: 10.40.0.2/24 } } }
        samba: { shares: { extra: { dataset: ember/code, users: [colter], zones: [iot] } } }
        """,
    )
    made = with_nix(ember, more)

    assert not [each for each in made.changes if each.cause is Cause.TOGETHER]
    assert any(
        o.startswith("services.samba.settings.extra")
        for o in options(caused_by(made, "samba.shares.extra"))
    )
    assert not any("samba" in o for o in options(caused_by(made, "network.zones.iot")))


def test_a_line_that_two_fields_make_together_is_put_down_to_both() -> None:
    more = pebble("""
        system: { ssh: { port: 2222 } }
        network: { allow: [{ from: home, to: host, services: [ssh, smb, https] }] }
        """)

    (last,) = [each for each in attributed(pebble(), more) if each.cause is Cause.TOGETHER]

    assert set(last.places) == {"system.ssh.port", "network.allow[0].services[2]"}
    assert any("443, 445, 2222" in line for file in last.files for line in file.new)


def test_a_field_that_renders_to_nothing_is_told_all_the_same() -> None:
    change = caused_by(between(pebble(), pebble("deploy: { operators: [192.168.1.0/25] }")),
                       "deploy.operators[0]")  # fmt: skip

    assert change.files == ()


def test_what_no_field_explains_is_put_down_to_the_toolkit() -> None:
    old = source(pebble())
    old[f"{GENERATED}boot.nix"] = old[f"{GENERATED}boot.nix"].replace(
        "editor = false", "editor = true"
    )

    found = attribute(Side(old, pebble()), side(pebble()), TEMPLATES, by_nix(Local())).changes

    assert [change.cause for change in found] == [Cause.TOOLKIT]
    assert list(options(found[0])) == ["boot.loader.systemd-boot.editor"]


def test_a_file_of_generated_that_was_edited_here_is_told() -> None:
    new = source(pebble())
    new[f"{GENERATED}boot.nix"] += "# by hand\n"

    found = attribute(side(pebble()), Side(new, pebble()), TEMPLATES, not_evaluated).changes

    assert [change.cause for change in found] == [Cause.BY_HAND]


def test_hardware_nix_is_told_line_by_line() -> None:
    new = source(pebble()) | {
        "hardware.nix": "{ ... }:\n{\n  boot.initrd.kernelModules = [ ];\n}\n"
    }

    (change,) = attribute(side(pebble()), Side(new, pebble()), TEMPLATES, not_evaluated).changes

    assert (change.cause, change.files[0].path) == (Cause.BY_HAND, "hardware.nix")
    assert change.files[0].new == ("  boot.initrd.kernelModules = [ ];",)


def test_a_comment_in_host_yaml_is_no_change_of_anything() -> None:
    new = source(pebble())
    new[SPEC] += "\n# call Ann first\n"

    (change,) = attribute(side(pebble()), Side(new, pebble()), TEMPLATES, not_evaluated).changes

    assert change.cause is Cause.WORDS


def test_a_host_that_carries_no_description_is_deployed_to_for_the_first_time() -> None:
    (change,) = attribute(Side({}, None), side(pebble()), TEMPLATES, not_evaluated).changes

    assert change.cause is Cause.FIRST
    assert SPEC in [file.path for file in change.files]


def test_an_old_host_yaml_that_cannot_be_read_costs_only_the_fields() -> None:
    old = source(pebble()) | {SPEC: "emily: 0\n"}

    found = attribute(Side(old, None), side(pebble("system: { ssh: { port: 2222 } }")), TEMPLATES,
                      not_evaluated)  # fmt: skip

    assert [change.cause for change in found.changes] == [Cause.TOOLKIT]
    assert "cannot be read" in found.notes[-1]


def test_without_nix_lines_are_told_and_the_reason() -> None:
    def broken(_: object) -> Evaluated:
        return Evaluated(None, "no Nix here")

    found = attribute(side(pebble()), side(pebble("samba: null")), TEMPLATES, broken)

    assert found.notes == ("lines of files are shown instead of options: no Nix here",)
    assert any(file.old for change in found.changes for file in change.files)


def test_hundreds_of_fields_are_taken_together_by_what_they_stand_under() -> None:
    many = "".join(f"data{n}: {{ mountpoint: /srv/d{n}, quota: 1TB }}, " for n in range(150))
    old = pebble(f"storage: {{ pools: {{ tank: {{ datasets: {{ {many} }} }} }} }}")
    new = pebble(
        f"storage: {{ pools: {{ tank: {{ datasets: {{ {many.replace('1TB', '2TB')} }} }} }} }}"
    )

    groups = grouped(list(edits(plain(old.spec), plain(new.spec))))

    assert len(groups) <= 100
    assert sum(map(len, groups)) == 150


@pytest.mark.parametrize("part", VARIANTS)
def test_every_line_that_changes_has_a_cause(part: str) -> None:
    old, new = pebble(), pebble(part)

    assert_every_line_is_told(old, new)
    assert_every_line_is_told(new, old)


@pytest.mark.parametrize("pair", [("ember", "pebble"), ("pebble", "ember")])
def test_every_line_has_a_cause_between_unlike_hosts(pair: tuple[str, str]) -> None:
    assert_every_line_is_told(*map(shipped, pair))


_PARTS = st.sets(st.sampled_from(VARIANTS), max_size=4).map(sorted)


@settings(max_examples=20, deadline=None)
@given(_PARTS, _PARTS)
def test_every_line_has_a_cause_between_any_two(old: list[str], new: list[str]) -> None:
    hosts = [reduce(over, parts, pebble()) for parts in (old, new)]
    assume(not any(map(contradicts_itself, hosts)))

    assert_every_line_is_told(*hosts)


def assert_every_line_is_told(old: Host, new: Host) -> None:
    changes = attributed(old, new)
    told = {
        (file.path, sign, line)
        for change in changes
        for file in change.files
        for sign, lines in (("-", file.old), ("+", file.new))
        for line in lines
    }
    for path in side(old).files.keys() | side(new).files.keys():
        if path.startswith(GENERATED):
            before, after = (
                each.files.get(path, "").splitlines() for each in (side(old), side(new))
            )
            gone = ((path, "-", line) for line in set(before) - set(after))
            come = ((path, "+", line) for line in set(after) - set(before))
            assert set(chain(gone, come)) <= told


def test_every_package_that_a_module_names_has_a_stand_in() -> None:
    text = '{ pkgs, ... }: { a = [ pkgs.tmux pkgs."7zz" pkgs.python3Packages.requests ]; }'

    evaluated = by_nix(Local())([text])

    assert evaluated.options == {
        text: {"a": ["pkgs.tmux", "pkgs.7zz", "pkgs.python3Packages.requests"]}
    }


def test_nix_is_started_once_however_many_texts_there_are() -> None:
    assert expression(["{ }", "{ a = 1; }"]).count("modules = [") == 1
