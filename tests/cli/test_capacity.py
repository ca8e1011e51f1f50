"""`capacity` as a person runs it."""

import json
from pathlib import Path

import pytest

from emily_infra.cli.output import cells
from tests.cli.command import emily, project, text_of
from tests.hosts import ROOT

LAYOUTS = "raidz2x7x2,raidz3x14x1,mirror"


@pytest.mark.parametrize("columns", [80, 160])
def test_what_a_pool_holds_fits_the_terminal_and_wraps_no_row(columns: int) -> None:
    done = emily(ROOT, "capacity", "ember", "--pool", "ember", columns=columns)

    lines = done.out.splitlines()
    table = lines[: lines.index("")]
    assert done.code == 0
    assert max(map(cells, lines)) <= columns
    assert not [line for line in table if line.startswith("   ") and "TiB" not in line]
    assert any(line.split()[:3] == ["usable", "111.75", "101.63"] for line in lines)


def test_a_small_pool_is_told_in_gigabytes() -> None:
    done = emily(ROOT, "capacity", "ember", "--pool", "rpool")

    assert "GB" in done.out.splitlines()[1]
    assert "247.63" in done.out
    compared = emily(ROOT, "capacity", "ember", "--pool", "rpool", "--compare", "mirror")
    assert "usable, GB" in compared.out


def test_the_data_has_everything_that_the_table_has() -> None:
    data = json.loads(emily(ROOT, "capacity", "ember", "--json").out)

    ember = data["ember"]
    assert list(data) == ["rpool", "ember"]
    assert ember["available"] == 111_747_331_522_560
    assert ember["datasets"]["code"]["fits"] > ember["available"]
    assert ember["special"]["spill"]["early"]["small_blocks"] < ember["available"]
    assert ember["outlook"]["resilver_days"]["best"] < ember["outlook"]["resilver_days"]["worst"]
    assert ember["assumptions"]
    assert data["rpool"]["special"] is None


@pytest.mark.parametrize("columns", [80, 160])
def test_layouts_are_laid_side_by_side(columns: int) -> None:
    done = emily(ROOT, "capacity", "ember", "--compare", LAYOUTS, columns=columns)

    rows = [line.split() for line in done.out.splitlines()]
    assert done.code == 0
    assert max(map(len, done.out.splitlines())) <= columns
    assert ["now", *LAYOUTS.split(",")][: 4 if columns > 80 else 3] in rows
    assert any(row[:4] == ["usable,", "TB", "111.75", "111.75"] for row in rows)


def test_layouts_are_data_too() -> None:
    done = emily(ROOT, "capacity", "ember", "--compare", LAYOUTS, "--json")

    data = json.loads(done.out)
    now, same, *_ = data["layouts"]
    assert data["pool"] == "ember"
    assert [each["layout"] for each in data["layouts"]] == ["now", *LAYOUTS.split(",")]
    assert now | {"layout": ""} == same | {"layout": ""}


def test_the_only_pool_that_can_be_meant_need_not_be_named(tmp_path: Path) -> None:
    renamed = text_of("ember").replace("    ember:\n", "    a-pool:\n").replace("ember/", "a-pool/")
    folder = project(tmp_path, box=renamed.replace("pools.ember", "pools.a-pool"))

    done = emily(folder, "capacity", "box", "--compare", LAYOUTS)

    assert done.code == 0, done.err
    assert done.out.startswith("a-pool: 14 disks")


def test_layouts_that_fit_several_pools_need_the_pools_name() -> None:
    vague = emily(ROOT, "capacity", "ember", "--compare", "mirror")
    clear = emily(ROOT, "capacity", "ember", "--compare", "mirror", "--pool", "rpool")

    assert vague.code == 1
    assert "rpool, ember" in vague.err
    assert "emily-infra capacity ember --pool rpool --compare mirror" in vague.err
    assert clear.code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--pool", "tank"), "ember has no pool tank"),
        (("--compare", "raidz9x7x2"), "'raidz9x7x2' is no layout"),
        (("--compare", ""), "'' is no layout"),
        (("--compare", "raidz2x8x2"), "takes 16 disks, and ember has 14"),
        (("--compare", "raidz1x1x1"), "a raidz1 of 1 disk does not exist"),
    ],
)
def test_what_cannot_be_done_is_an_error_with_a_hint(arguments: tuple[str, ...], says: str) -> None:
    done = emily(ROOT, "capacity", "ember", *arguments)

    assert (done.code, done.out) == (1, "")
    assert says in done.err
    assert "hint: " in done.err


def test_a_member_that_nobody_declared_is_named_by_check(tmp_path: Path) -> None:
    folder = project(tmp_path, box=text_of("pebble").replace("_2: {", "_9: {"))

    plain = emily(folder, "capacity", "box")
    compared = emily(folder, "capacity", "box", "--compare", "stripe")

    assert "emily-infra check box" in plain.err
    assert "emily-infra check box" in compared.err
