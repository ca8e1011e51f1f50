"""Competition, hysteresis, capacity, habituation: the workspace's invariants and closed forms."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emily_runtime.tiers.habituation import Habituation
from emily_runtime.tiers.refusals import Refusal
from emily_runtime.tiers.workspace import Item, Moment, Outcome, Rules, Workspace, cycle

RULES = Rules()
ON, OFF = RULES.ignition.on, RULES.ignition.off
CYCLE = 0.125


def run(*batches: list[Item], rules: Rules = RULES, capacity: int = 7) -> list[Outcome]:
    """One cycle for each batch of candidates."""
    state, outcomes = Workspace(), []
    for number, batch in enumerate(batches):
        outcomes.append(cycle(rules, state, batch, Moment(number * CYCLE, capacity)))
        state = outcomes[-1].state
    return outcomes


def told(outcomes: list[Outcome]) -> list[list[int]]:
    """What each cycle broadcast."""
    return [[item.sequence for item in outcome.broadcast] for outcome in outcomes]


saliences = st.lists(st.floats(0, 1.5), max_size=12)
batches = st.lists(saliences, max_size=8)


def items(batch: list[float], start: int = 0) -> list[Item]:
    return [Item(start + place, f"source {place % 5}", value) for place, value in enumerate(batch)]


def numbered(given_batches: list[list[float]]) -> list[list[Item]]:
    return [items(batch, 100 * number) for number, batch in enumerate(given_batches)]


@given(batches, st.integers(0, 9))
def test_no_more_ignite_than_the_capacity_and_none_below_s_off(
    given_batches: list[list[float]], capacity: int
) -> None:
    for outcome in run(*numbered(given_batches), capacity=capacity):
        assert len(outcome.state.ignited) <= capacity
        assert all(entry.salience >= OFF for entry in outcome.state.ignited)


@given(batches, st.integers(1, 9))
def test_each_content_is_broadcast_at_most_once(
    given_batches: list[list[float]], capacity: int
) -> None:
    outcomes = run(*numbered(given_batches), [], [], [], [], capacity=capacity)
    all_told = [sequence for one in told(outcomes) for sequence in one]

    assert len(all_told) == len(set(all_told))


@given(saliences, st.integers(1, 9), st.data())
def test_more_salience_never_loses_a_place(
    batch: list[float], capacity: int, data: st.DataObject
) -> None:
    (before,) = told(run(items(batch), capacity=capacity))
    for winner in before:
        raised = list(batch)
        raised[winner] += data.draw(st.floats(0, 1))
        assert winner in told(run(items(raised), capacity=capacity))[0]


def test_nothing_in_is_nothing_out() -> None:
    (outcome,) = run([])

    assert outcome.broadcast == ()
    assert outcome.state == Workspace(cycle=1)


def test_the_most_salient_win_and_the_older_of_equals() -> None:
    batch = items([0.5, 0.9, 0.7, 0.9])

    assert told(run(batch, capacity=3)) == [[1, 3, 2]]


def test_an_item_ignites_at_s_on_and_stays_until_s_off() -> None:
    salience = 0.9
    cycles = math.floor(math.log(OFF / salience) / math.log(RULES.retention))

    outcomes = run([Item(0, "a", salience)], *[[]] * (cycles + 1))

    assert told(run([Item(0, "a", ON - 1e-9)])) == [[]]
    assert told(run([Item(0, "a", ON)])) == [[0]]
    assert [len(outcome.state.ignited) for outcome in outcomes] == [1] * (cycles + 1) + [0]


def test_a_salience_beyond_measure_fades_as_fast_as_the_highest() -> None:
    outcomes = run([Item(0, "a", 1e300)], [], [], [], [])

    assert [len(outcome.state.ignited) for outcome in outcomes] == [1, 1, 1, 1, 0]


def test_a_loser_above_s_off_waits_for_room_as_long_as_its_patience() -> None:
    rules = Rules(retention=0.0, patience=2)
    crowd = items([0.9, 0.8, 0.7, 0.6, 0.3])

    outcomes = run(crowd, [], [], [], rules=rules, capacity=1)

    assert told(outcomes) == [[0], [1], [2], []]
    assert [entry.item.sequence for entry in outcomes[0].state.preconscious] == [1, 2, 3]


def test_relevance_to_the_goal_lifts_a_weak_signal() -> None:
    assert told(run([Item(0, "a", 0.2, 0.3), Item(1, "b", -0.2)])) == [[0]]


def test_precision_multiplies_the_signal_and_not_the_relevance() -> None:
    moment = Moment(0.0, 7, precision=2.0)
    batch = [Item(0, "a", 0.25), Item(1, "b", 0.0, 0.25)]

    assert [item.sequence for item in cycle(RULES, Workspace(), batch, moment).broadcast] == [0]


def test_what_comes_twice_or_late_or_is_no_number_is_counted_and_ignored() -> None:
    first, second = run(
        [Item(5, "a", 0.9), Item(5, "a", 0.9), Item(6, "b", math.nan), Item(7, "c", math.inf)],
        [Item(4, "a", 0.9), Item(5, "a", 0.9), Item(8, "d", 0.9)],
    )

    assert (first.ignored, second.ignored) == (3, 2)
    assert told([first, second]) == [[5], [8]]


@pytest.mark.parametrize("salience", [0.5, 0.7, 0.99])
@pytest.mark.parametrize("rate", [0.05, 0.3])
def test_a_source_that_repeats_itself_falls_below_the_threshold_after_n_broadcasts(
    salience: float, rate: float
) -> None:
    rules = Rules(habituation=Habituation(rate=rate), patience=0, retention=0.0)
    expected = math.floor(math.log(ON / salience) / math.log(1 - rate)) + 1

    outcomes = run(*([Item(number, "a", salience)] for number in range(30)), rules=rules)

    assert told(outcomes) == [[number] for number in range(expected)] + [[]] * (30 - expected)


HASTY = Rules(patience=0)


def habituated() -> Workspace:
    """The state after source a was heard until it no longer is."""
    return run(*([Item(number, "a", 0.7)] for number in range(5)), rules=HASTY)[-1].state


def test_a_source_is_heard_again_after_a_rest() -> None:
    state = habituated()
    again = Item(99, "a", 0.7)

    soon = cycle(HASTY, state, [again], Moment(5 * CYCLE, 7))
    rested = run_later(state, 10.0, again)

    assert soon.broadcast == ()
    assert rested.broadcast == (again,)


def run_later(state: Workspace, seconds: float, item: Item) -> Outcome:
    """A silent cycle, and one in which ITEM speaks, SECONDS later."""
    quiet = cycle(HASTY, state, [], Moment(5 * CYCLE, 7)).state
    return cycle(HASTY, quiet, [item], Moment(4 * CYCLE + seconds, 7))


def test_habituation_recovers_as_an_exponential_of_the_rest() -> None:
    state = habituated()
    before = state.habits["a"].strength
    silent = run_later(state, 10.0, Item(99, "a", 0.0)).state

    assert silent.habits["a"].strength == pytest.approx(before * math.exp(-1))


def test_a_new_source_undoes_half_of_all_habituation() -> None:
    state = habituated()

    after = cycle(HASTY, state, [Item(99, "b", 0.9)], Moment(5 * CYCLE, 7)).state

    assert after.habits["a"].strength == pytest.approx(state.habits["a"].strength / 2)
    assert after.habits["b"].strength == HASTY.habituation.rate


def test_what_has_faded_is_forgotten() -> None:
    state = habituated()
    for number in range(130):
        state = cycle(HASTY, state, [], Moment(1000.0 + number, 7)).state

    assert state.habits == {}


@pytest.mark.parametrize("wrong", [{"retention": 1.0}, {"retention": -0.1}, {"patience": -1}])
def test_a_workspace_that_never_empties_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(Refusal, match="workspace: "):
        Rules(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [{"rate": 1.0}, {"recovery": 0.0}, {"novelty": 1.1}])
def test_habituation_that_amplifies_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(Refusal, match="habituation: "):
        Habituation(**wrong)
