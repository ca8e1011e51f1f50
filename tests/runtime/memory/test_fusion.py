"""Reciprocal ranks are added."""

import pytest

from emily_runtime.memory.fusion import fused


def test_who_is_in_both_rankings_wins_over_who_leads_one() -> None:
    best = fused([["a", "b", "c"], ["d", "b"]], 2)

    assert [key for key, _ in best] == ["b", "a"]
    assert [score for _, score in best] == pytest.approx([2 / 62, 1 / 61])


def test_nothing_fused_is_nothing() -> None:
    assert fused([[], []], 5) == []
