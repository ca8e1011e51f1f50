"""The service is asked without a pause, and what it holds is looked at."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

from emily_runtime.bench import soaking
from emily_runtime.bench.peers.peer import Around
from emily_runtime.bench.row import NOT_RUN
from emily_runtime.bench.served import OURS, Told, mixed, server, wrk
from emily_runtime.bench.soaking import Soaked

CLEAN = Told(requests=1000, p95_ms=5.0, errors=0, good=1000, shed=0, other=0)


@pytest.mark.skipif(not shutil.which("wrk"), reason="wrk asks")
def test_the_service_is_asked_at_the_knee_and_beyond(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soaking, "TRIED", (4,))
    monkeypatch.setattr(soaking, "SHORT", 1)

    usual, beyond = soaking.rows(Around(minutes=1 / 60))

    assert " 0 bad, 0 shed" in usual.ours
    assert usual.held is None  # a second has no slope
    assert beyond.held


@pytest.mark.skipif(not shutil.which("wrk"), reason="wrk asks")
def test_whoever_is_put_off_is_counted_by_the_reason(tmp_path: Path) -> None:
    script = tmp_path / "stimuli.lua"
    script.write_text(mixed(soaking.STIMULI))

    with server(OURS, tmp_path, "rate = 1000000\nconcurrency = 1") as one:
        told = wrk(one.port, script, 1, 4)
        put_off = soaking._put_off(one)

    assert put_off["EMY-2013"] == put_off.total() >= told.shed > 0
    assert soaking._because(Counter(a=1, b=2)) == " (b: 2, a: 1)"


def test_without_wrk_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    assert [row.ours for row in soaking.rows(Around())] == [NOT_RUN, NOT_RUN]


SLOPES = [(0.5, 10, "yes"), (1.5, 10, "no"), (1.5, 1, "-")]


@pytest.mark.parametrize(("slope", "minutes", "held"), SLOPES)
def test_a_slope_is_judged_after_minutes(slope: float, minutes: float, held: str) -> None:
    found = soaking._held(Soaked(4, CLEAN, slope, 0.0, 70.0, Counter()), minutes)

    assert {True: "yes", False: "no", None: "-"}[found] == held


@pytest.mark.parametrize("kind", ["errors", "shed", "other"])
def test_whoever_is_turned_away_at_the_knee_fails_the_soak(kind: str) -> None:
    told = CLEAN._replace(**{kind: 1})

    assert soaking._held(Soaked(4, told, 0.0, 0.0, 70.0, Counter()), 10) is False
