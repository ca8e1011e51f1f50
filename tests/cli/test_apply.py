"""What apply and rollback say before they touch anything, and how a deploy reads."""

from pathlib import Path

from emily_infra.apply.progress import Began, Finished, Phase, Said
from emily_infra.cli.telling import as_line
from tests.cli.command import emily, project, text_of


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
