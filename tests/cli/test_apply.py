"""apply and rollback as processes: what they refuse, and what they do over a real sshd."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emily_infra.apply.progress import Began, Finished, Phase, Said
from emily_infra.cli.telling import as_line
from emily_infra.spec.source import read
from tests.apply.conftest import in_memory
from tests.cli.boxes import SSHD, Site, Template, site
from tests.cli.command import Done, emily, project, text_of
from tests.hosts import as_text, overlay

over_ssh = pytest.mark.skipif(
    not os.path.exists(SSHD) or os.geteuid() != 0, reason="needs sshd, and root for its world"
)
ACCEPT = ("--accept", "lock-out")


@pytest.fixture
def one(template: Template) -> Iterator[Site]:
    with in_memory() as folder, site(template, folder, ["alpha"]) as here:
        here.builds("alpha", "fresh")
        yield here


def test_apply_to_nobody_is_a_mistake(tmp_path: Path) -> None:
    done = emily(project(tmp_path, pebble=text_of("pebble")), "apply")

    assert done.code == 1
    assert "name hosts or tags, or say --all" in " ".join(done.err.split())


def test_all_and_a_name_contradict_each_other(tmp_path: Path) -> None:
    done = emily(project(tmp_path, pebble=text_of("pebble")), "apply", "pebble", "--all")

    assert done.code == 1


def test_a_tag_that_nobody_has_is_named(tmp_path: Path) -> None:
    done = emily(project(tmp_path, pebble=text_of("pebble")), "apply", "--tag", "nosuch")

    assert done.code == 1
    assert "APL030" in done.err


def test_a_host_that_cannot_be_read_may_have_the_tag_so_nothing_is_applied(tmp_path: Path) -> None:
    tagged = text_of("pebble").replace("deploy:", "deploy:\n  tags: [storage]")
    root = project(tmp_path, pebble=tagged, broken="emily: 1\nwhat: now\n")

    dones = [emily(root, "apply", *words, "--tag", "storage") for words in ((), ("broken",))]

    assert [done.code for done in dones] == [1, 1]
    assert all("hosts/broken/host.yaml:2:1: error" in done.err for done in dones)
    assert all("the tags of broken are not known" in done.err for done in dones)


def test_a_name_beside_a_tag_must_be_that_of_a_host(tmp_path: Path) -> None:
    tagged = text_of("pebble").replace("deploy:", "deploy:\n  tags: [storage]")

    done = emily(project(tmp_path, pebble=tagged), "apply", "nosuch", "--tag", "storage")

    assert (done.code, "CLI001" in done.err) == (1, True)


def test_a_soak_that_is_no_duration_is_wrong_usage_also_for_one_host(tmp_path: Path) -> None:
    root = project(tmp_path, pebble=text_of("pebble"))

    done = emily(root, "apply", "pebble", "--soak", "soon")

    assert done.code == 1
    assert "--soak: 'soon' is not a duration" in done.err


def test_what_is_no_plan_is_told_with_the_command_that_makes_one(tmp_path: Path) -> None:
    root = project(tmp_path, pebble=text_of("pebble"))
    emily(root, "render")
    (root / "binary").write_bytes(b"\x80\x81")

    told = [
        emily(root, "apply", "pebble", "--plan", file).err for file in ("binary", "no", "hosts")
    ]

    assert ["PLN001" in err for err in told] == [True] * 3
    assert "emily-infra plan pebble --out binary" in told[0]
    assert "no cannot be read: No such file or directory" in told[1]
    assert "hosts is a folder" in told[2]


def test_a_host_that_cannot_be_built_has_its_lines_for_a_program(tmp_path: Path) -> None:
    root = project(tmp_path, pebble=text_of("pebble"))

    done = emily(root, "apply", "pebble", "--json", "--lab")

    plan, outcome = (json.loads(line) for line in done.out.splitlines())
    assert (plan["type"], outcome["type"], outcome["code"]) == ("plan", "outcome", 1)
    assert "emily-infra render pebble" in outcome["detail"]
    assert done.code == 1


def test_a_host_that_is_not_rendered_is_not_applied(tmp_path: Path) -> None:
    done = emily(project(tmp_path, pebble=text_of("pebble")), "apply", "pebble", "--yes")

    assert done.code == 1
    assert "emily-infra render pebble" in done.err


def test_a_deploy_reads_as_lines() -> None:
    lines = [
        as_line(Began("ember", Phase.COPY)),
        as_line(Said("ember", "copying path\x1b[2J")),
        as_line(Finished("ember", Phase.COPY, 12.4)),
    ]

    assert lines == ["ember: copy", "ember:   copying path [2J", "ember: copy: 12 s"]


@over_ssh
def test_a_saved_plan_is_applied_without_a_question(one: Site) -> None:
    one.emily("plan", "alpha", "--out", "a.plan")

    done = one.emily("apply", "alpha", "--plan", "a.plan", *ACCEPT)

    assert done.code == 0, done.err
    assert one.boxes["alpha"].drill.is_wholly("fresh")
    assert done.out.splitlines()[-1] == "next: emily-infra status alpha"


@over_ssh
def test_a_saved_plan_is_stale_once_there_is_another_generation(one: Site) -> None:
    alpha = one.boxes["alpha"].drill
    one.emily("plan", "alpha", "--out", "a.plan")
    profile = "/nix/var/nix/profiles/system"
    alpha.world.run("nix-env", "-p", profile, "--set", alpha.tops["other"])

    done = one.emily("apply", "alpha", "--plan", "a.plan", *ACCEPT)

    assert done.code == 6
    assert "its profile is at another generation: 1 then, 2 now" in done.err
    assert alpha.world.words == []


@over_ssh
def test_a_plan_that_was_edited_is_no_plan(one: Site) -> None:
    one.emily("plan", "alpha", "--out", "a.plan")
    saved = one.root / "a.plan"
    saved.write_text(saved.read_text().replace("fresh", "stale"))

    done = one.emily("apply", "alpha", "--plan", "a.plan", *ACCEPT)

    assert done.code == 1
    assert "it was changed after it was made" in done.err


@over_ssh
def test_a_host_goes_back_to_the_generation_before_and_to_a_named_one(one: Site) -> None:
    alpha = one.boxes["alpha"].drill
    assert one.emily("apply", "alpha", "--yes", *ACCEPT).code == 0

    back = one.emily("rollback", "alpha", "--yes")

    assert back.code == 0, back.err
    assert alpha.is_wholly("old")
    assert "does not say from which host.yaml it was made" in back.err
    assert one.emily("rollback", "alpha", "2", typed="yes\n").code == 0
    assert alpha.is_wholly("fresh")


@over_ssh
def test_going_back_is_held_against_the_checks_that_the_generation_was_made_with(one: Site) -> None:
    alpha = one.boxes["alpha"].drill
    _checks(one, "[test, '!', -e, /var/lib/world/ill]")
    one.builds("alpha", "checked", says_from=True)
    assert one.emily("apply", "alpha", "--yes", *ACCEPT).code == 0
    _checks(one, None)
    one.builds("alpha", "unchecked", says_from=True)
    assert one.emily("apply", "alpha", "--yes", *ACCEPT).code == 0
    alpha.world.hook("checked.test", "touch /var/lib/world/ill")

    done = one.emily("rollback", "alpha", "--yes")

    assert done.code == 3, done.err
    assert "alpha: rolled back: web: exit code 1" in done.out
    assert alpha.is_wholly("unchecked")


@over_ssh
def test_going_back_misses_no_check_that_came_later_and_names_its_own_reboot(one: Site) -> None:
    alpha = one.boxes["alpha"].drill
    one.builds("alpha", "unchecked", says_from=True)
    assert one.emily("apply", "alpha", "--yes", *ACCEPT).code == 0
    _checks(one, "[test, '!', -e, /var/lib/world/ill]")
    one.builds("alpha", "checked", says_from=True)
    assert one.emily("apply", "alpha", "--yes", *ACCEPT).code == 0
    alpha.world.hook("unchecked.test", "touch /var/lib/world/ill")

    done = one.emily("rollback", "alpha", "--yes")

    assert done.code == 0, done.err
    assert alpha.is_wholly("unchecked")
    assert "  when it suits: emily-infra rollback alpha 2 --reboot" in done.out.splitlines()


def _checks(one: Site, command: str | None) -> None:
    """Whether host.yaml has a check of the operator's own."""
    home = one.root / "hosts/alpha"
    described = read("host.yaml", (home / "host.yaml").read_bytes())[0].data
    check = f"{{ command: {command}, interval: 1s, deadline: 6s }}" if command else "null"
    part = read("part", f"deploy: {{ checks: {{ web: {check} }} }}".encode())[0].data
    (home / "host.yaml").write_text(as_text(overlay(described, part)))
    assert one.emily("render", "alpha").code == 0


@over_ssh
def test_another_machine_is_not_put_back(one: Site) -> None:
    one.boxes["alpha"].drill.world.run("sh", "-c", "echo another >/run/hostname")

    done = one.emily("rollback", "alpha", "1", "--yes")

    assert done.code == 1
    assert "calls itself another, not alpha" in done.err


@over_ssh
def test_one_host_has_the_lines_of_a_fleet_for_a_program(one: Site) -> None:
    refused = one.emily("apply", "alpha", "--json", "--yes")
    done = one.emily("apply", "alpha", "--json", "--yes", *ACCEPT)
    one.boxes["alpha"].unplug()
    away = one.emily("apply", "alpha", "--json", "--yes")

    first, last = _lines(refused)
    assert "refused: alpha: lock-out" in first["summary"]
    assert (last["verdict"], last["code"], refused.code) == ("refused", 1, 1)
    assert [_lines(done)[at]["type"] for at in (0, -1)] == ["plan", "outcome"]
    assert (_lines(done)[-1]["verdict"], done.code) == ("committed", 0)
    assert [line["type"] for line in _lines(away)] == ["plan", "outcome"]
    assert (_lines(away)[-1]["code"], away.code) == (8, 8)


def _lines(done: Done) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.out.splitlines()]


@over_ssh
def test_who_is_asked_for_a_yes_sees_the_plan_also_beside_a_program(one: Site) -> None:
    done = one.emily("apply", "alpha", "--json", *ACCEPT, typed="no\n")

    assert done.code == 1
    assert done.err.index("What changes") < done.err.index("apply this to alpha?")
    assert one.boxes["alpha"].drill.world.words == []


@over_ssh
def test_a_generation_that_is_not_there_is_refused(one: Site) -> None:
    done = one.emily("rollback", "alpha", "7", "--yes")

    assert done.code == 1
    assert "alpha has no generation 7" in done.err
    assert "emily-infra generations alpha" in done.err


@over_ssh
@pytest.mark.parametrize("typed", ["y\n", "YES\n", "\n"])
def test_only_yes_is_yes(one: Site, typed: str) -> None:
    done = one.emily("apply", "alpha", *ACCEPT, typed=typed)

    assert done.code == 1
    assert "apply this to alpha?" in done.err
    assert one.boxes["alpha"].drill.world.words == []


@over_ssh
def test_without_a_terminal_nobody_is_asked(one: Site) -> None:
    done = one.emily("apply", "alpha", *ACCEPT)

    assert done.code == 1
    assert "APL007" in done.err
    assert one.boxes["alpha"].drill.world.words == []


@over_ssh
def test_a_host_out_of_reach_has_an_exit_code_of_its_own(one: Site) -> None:
    one.boxes["alpha"].unplug()

    codes = [one.emily(word, "alpha", "--yes").code for word in ("apply", "rollback")]

    assert codes == [8, 8]


@over_ssh
def test_a_pending_reboot_is_said_with_the_command_for_it(one: Site) -> None:
    done = one.emily("apply", "alpha", "--yes", *ACCEPT)

    assert "alpha: a reboot is pending: kernel" in done.out
    assert "  when it suits: emily-infra apply alpha --reboot" in done.out.splitlines()


@over_ssh
def test_a_host_that_moves_is_reached_at_one_address_and_verified_at_another(one: Site) -> None:
    alpha = one.boxes["alpha"]

    done = one.emily("apply", "alpha", "--via", f"127.0.0.1:{alpha.port}", "--yes", *ACCEPT)

    assert done.code == 0, done.err
    assert alpha.drill.is_wholly("fresh")


@over_ssh
def test_an_address_whose_key_nobody_knows_is_refused_with_the_command_that_makes_it_known(
    one: Site,
) -> None:
    alpha, settings = one.boxes["alpha"], one.root / "ssh_config"
    settings.write_text(settings.read_text().replace("HostName 127.0.0.1", "HostName 127.0.0.2"))
    words = ("apply", "alpha", "--via", f"127.0.0.1:{alpha.port}", "--yes", *ACCEPT)

    done = one.emily(*words)

    assert done.code == 1
    assert f"must answer at [127.0.0.2]:{alpha.port} afterwards" in done.out
    assert alpha.drill.world.words == []
    paste = next(line for line in done.out.splitlines() if line.strip().startswith("echo "))
    subprocess.run(["sh", "-c", paste], check=True)
    old, new = (one.root / "known_hosts").read_text().splitlines()
    assert new.split() == old.replace("127.0.0.1", "127.0.0.2").split()[:3]
