"""What is measured loses nothing on the way, whatever the figures are."""

import pytest

from emily_runtime.bench import recovery, streams
from emily_runtime.bench.planted import planted


def test_all_that_is_measured_hands_on_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "ITEMS", 2_048)

    for work in [*streams.PIPELINES.values(), *streams.FANS.values()]:
        work()


def test_recovery_is_measured_beside_a_fresh_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, number in (("FAILURES", 20), ("KILLS", 2), ("SPAWNS", 1)):
        monkeypatch.setattr(recovery, name, number)

    rows = recovery.rows()

    assert [row.number for row in rows] == ["5", "5b"]
    assert all("fresh interpreter" in row.peer for row in rows)


def test_a_planted_graph_is_the_same_every_time() -> None:
    assert planted(1) == planted(1)
    assert planted(1) != planted(2)
