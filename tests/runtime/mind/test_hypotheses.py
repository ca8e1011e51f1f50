"""Hypotheses come in proportion to their reward, and as different as one asks for."""

import numpy as np
import pytest

from emily_runtime.mind.hypotheses import Facet, Wish, about, drawn
from emily_runtime.mind.settings import Hypothesising
from emily_runtime.tiers.refusals import Refusal, TooLarge
from tests.runtime.mind.minds import thought, told

FACETS = [
    Facet("cause", ("load", "disk"), (0.0, 1.0)),
    Facet("when", ("now", "then", "never"), (0.0, 0.0, 0.0)),
]


def test_a_likelier_value_comes_as_much_more_often() -> None:
    found = drawn(FACETS, Wish(9000, is_distinct=False), 7)

    share = sum(one[0] == "disk" for one in found.hypotheses) / 9000
    assert share == pytest.approx(np.e / (1 + np.e), abs=0.015)
    assert found.log_z == pytest.approx(np.log(3 * (1 + np.e)))


def test_distinct_hypotheses_never_repeat() -> None:
    found = drawn(FACETS, Wish(100), 7)

    assert len(set(found.hypotheses)) == found.unique == 6


def test_a_collapsed_temperature_is_noticed() -> None:
    cold = drawn(FACETS, Wish(100, 0.001, is_distinct=False), 7)

    assert cold.unique == 3
    assert cold.expected_unique == pytest.approx(3.0)


@pytest.mark.parametrize(
    ("facets", "wish"),
    [
        ([Facet("cause", ("a",), ())], Wish(1)),
        ([Facet("cause", (), ())], Wish(1)),
        ([], Wish(1)),
        (FACETS, Wish(0)),
        (FACETS, Wish(10_001)),
        (FACETS, Wish(1, 0.0)),
    ],
)
def test_what_cannot_be_drawn_is_refused(facets: list[Facet], wish: Wish) -> None:
    with pytest.raises(Refusal):
        drawn(facets, wish, 7)


def test_a_space_that_cannot_be_enumerated_is_refused() -> None:
    wide = Facet("wide", tuple(map(str, range(600))), (0.0,) * 600)

    with pytest.raises(TooLarge):
        drawn([wide, wide], Wish(1), 7)


def test_about_a_broadcast_the_best_one_names_what_helps() -> None:
    mind, _ = told("the disk fails", 1.0)
    mind, result = thought(mind, 1.0)
    assert result.choice

    found = about(mind.workspace.ignited, result.choice.belief, Hypothesising(5, 0.1), 1)

    assert found.hypotheses[0] == ("the disk fails", "trouble", "alert")
    assert len(found.hypotheses) == 5
