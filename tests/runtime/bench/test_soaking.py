"""The service is asked without a pause, and what it holds is looked at."""

import shutil

import pytest

from emily_runtime.bench import soaking
from emily_runtime.bench.peers.peer import Around
from emily_runtime.bench.row import NOT_RUN
from emily_runtime.bench.served import Told
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


def test_without_wrk_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    assert [row.ours for row in soaking.rows(Around())] == [NOT_RUN, NOT_RUN]


@pytest.mark.parametrize(
    ("changes", "slope", "minutes", "held"),
    [
        ({}, 0.5, 10, True),
        ({}, 1.5, 10, False),
        ({}, 1.5, 1, None),
        ({"errors": 1}, 0.0, 10, False),
        ({"shed": 1}, 0.0, 1, False),
    ],
)
def test_a_soak_holds_without_an_error_and_without_a_leak(
    changes: dict[str, int], slope: float, minutes: float, held: bool | None
) -> None:
    told = CLEAN._replace(**changes)

    assert soaking._held(Soaked(4, told, slope, 0.0, 70.0), minutes) is held
