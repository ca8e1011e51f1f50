"""The benchmark of expiring, on a pool that is none: each way leaves the newer half."""

from pathlib import Path

import pytest

from benchmarks.expiring import WAYS, Bench, Way, report
from emily_infra.machine import Local
from tests.backup import sanoid
from tests.backup.conftest import world  # noqa: F401 (a fixture)
from tests.backup.world import World


@pytest.fixture
def bench(world: World) -> Bench:  # noqa: F811
    if sanoid.PROGRAM:
        usr = Path(sanoid.PROGRAM).parents[1]
        tool = world.root / "bin/sanoid"
        (world.root / "steered.pl").write_text(sanoid.STEERED)
        tool.write_text(  # a minute ahead: what is of this second is not old yet for sanoid
            f"#!/bin/sh\nexec perl -I{usr}/share/perl5 {world.root}/steered.pl "
            '"$(date -d +1min +%s)" '
            f'{sanoid.PROGRAM} {usr}/share/sanoid "$@"\n'
        )
        tool.chmod(0o755)
    return Bench(
        Local(environment=world.environment), "tank", datasets=2, snapshots=16,
        folder=str(world.root / "bench"), kstat=str(world.root / "kstat"),
    )  # fmt: skip


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.program)
def test_every_way_leaves_the_newer_half(world: World, bench: Bench, way: Way) -> None:  # noqa: F811
    if not bench.has(way.program):
        pytest.skip(f"{way.program} is not here")

    assert bench.seconds(way) > 0  # and it looks at what is left by itself

    assert "tank/expiring" not in world.zfs("list", "-H", "-o", "name").split()


def test_a_way_whose_program_is_missing_is_left_out_and_said(
    bench: Bench, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.expiring.WAYS", (WAYS[0], Way("x", "no-such-one", "", "", "")))

    report(bench, runs=1)

    said = capsys.readouterr().out
    assert "no-such-one is not on" in said
    assert "| expiring 8 of 16 | median" in said
