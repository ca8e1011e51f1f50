"""apply and rollback as processes: what they refuse, and what they do over a real sshd."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from emily_infra.apply.progress import Began, Finished, Phase, Said
from emily_infra.cli.telling import as_line
from tests.apply.conftest import in_memory
from tests.cli.boxes import SSHD, Site, Template, site
from tests.cli.command import emily, project, text_of

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
    assert one.emily("rollback", "alpha", "2", typed="yes\n").code == 0
    assert alpha.is_wholly("fresh")


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
