"""Hypotheses come in proportion to their reward, and as different as one asks for."""

import numpy as np
import pytest

from emily_runtime.mind.hypotheses import about, drawn, is_trained, learned
from emily_runtime.mind.wishes import Coupling, Facet, Wish
from emily_runtime.tiers.gflownet.training import Training
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


TOGETHER = Coupling("cause", "when", ((0.0, 0.0, 3.0), (0.0, 0.0, 0.0)))


def test_what_belongs_together_comes_together() -> None:
    found = drawn(FACETS, Wish(9000, is_distinct=False, couplings=(TOGETHER,)), 7)

    share = found.hypotheses.count(("load", "never")) / 9000
    assert share == pytest.approx(np.e**3 / (2 + np.e**3 + 3 * np.e), abs=0.015)


@pytest.mark.parametrize(
    "coupling",
    [
        Coupling("cause", "cause", TOGETHER.weights),
        Coupling("cause", "why", TOGETHER.weights),
        Coupling("cause", "when", TOGETHER.weights[:1]),
        Coupling("cause", "when", ((0.0, 0.0), (0.0, 0.0))),
    ],
)
def test_a_coupling_that_fits_no_facets_is_refused(coupling: Coupling) -> None:
    with pytest.raises(Refusal, match="coupling"):
        drawn(FACETS, Wish(1, couplings=(coupling,)), 7)


def test_a_trained_sampler_says_how_far_it_is_off() -> None:
    wish = Wish(500, is_distinct=False, couplings=(TOGETHER,))
    found = learned(FACETS, wish, 7, Training(400, hidden=16, check=100))

    assert found.total_variation is not None
    assert 0 < found.total_variation < 0.05
    assert found.loss is not None
    assert found.log_z == pytest.approx(np.log(2 + np.e**3 + 3 * np.e), abs=0.05)
    assert found.diversity
    assert found.diversity.alarms == ()


def test_where_hypotheses_cannot_be_counted_different_ones_are_drawn_all_the_same() -> None:
    many = [Facet(name, tuple("abcdefgh"), (0.0,) * 8) for name in "pqrstu"]

    assert is_trained(many, Wish(50))
    found = learned(many, Wish(50), 7, Training(5, hidden=8))

    assert len(set(found.hypotheses)) == found.unique == 50
    assert (found.expected_unique, found.total_variation) == (None, None)


def test_what_is_too_much_to_train_on_is_refused_before_it_is_begun() -> None:
    wide = [Facet(name, tuple(map(str, range(600))), (0.0,) * 600) for name in "ab"]

    assert not is_trained(FACETS, Wish(10_000))
    with pytest.raises(TooLarge, match="values of facets"):
        is_trained(wide, Wish(1))
    with pytest.raises(TooLarge, match="hypotheses of a trained"):
        is_trained(FACETS, Wish(1001, is_trained=True))
    with pytest.raises(Refusal, match="within 1000 of 0"):
        is_trained(FACETS, Wish(1, 1e-4, is_trained=True))


def test_about_a_broadcast_the_best_one_names_what_helps() -> None:
    mind, _ = told("the disk fails", 1.0)
    mind, result = thought(mind, 1.0)
    assert result.choice

    found = about(mind.workspace.ignited, result.choice.belief, Wish(5, 0.1), 1)

    assert found.hypotheses[0] == ("the disk fails", "trouble", "alert")
    assert len(found.hypotheses) == 5
