"""The tiers composed: what one of them does reaches the next, and time and seed decide it all."""

import math
from dataclasses import replace

import numpy as np
import pytest

from emily_runtime.mind.body import Echo, Measures, demand
from emily_runtime.mind.cycle import Deed, Heard, Instant, arrive, newborn, remind, settle
from emily_runtime.mind.situation import (
    CHANCES,
    Action,
    Outlook,
    Result,
    model,
)
from emily_runtime.mind.stimulus import Recalled, Stimulus
from emily_runtime.tiers.modulation import modulation
from emily_runtime.tiers.refusals import Refusal
from tests.runtime.mind.minds import QUIET, SETTINGS, thought, told


@pytest.mark.parametrize(
    ("text", "action"),
    [("why is it slow?", Action.ANSWER), ("the disk fails", Action.ALERT)],
)
def test_what_ignites_decides_what_is_done(text: str, action: Action) -> None:
    mind, _ = told(text, 1.0)

    _, result = thought(mind, 1.0)

    assert result.choice
    assert result.choice.action is action


def test_who_is_not_sure_looks_first_and_what_memory_brings_decides() -> None:
    mind, _ = told("the disk fails", 1.0)
    mind, _ = told("why?", 1.01, mind=mind)
    mind, first = thought(mind, 1.1)
    mind = remind(SETTINGS, mind, [Recalled("1", "the disk fails at noon", 1.0)], 1.1)

    _, second = thought(mind, 1.1)

    assert first.choice
    assert first.choice.action is Action.LOOK
    assert second.choice
    assert second.choice.action is Action.ALERT


def test_a_memory_that_mentions_nothing_is_no_evidence_that_all_is_well() -> None:
    mind, _ = told("all is well", 1.0)
    mind, _ = thought(mind, 1.0)
    mind = remind(SETTINGS, mind, [Recalled("1", "tea at four", 1.0)], 1.1)

    _, result = thought(mind, 1.1)

    assert [item.source for item in result.broadcast] == ["memory:1"]
    assert result.choice
    assert result.choice.surprise == 0.0


def test_a_salient_stimulus_resets_the_phase_and_passes_whole() -> None:
    _, arrival = told("why?", 1.003)

    assert arrival.is_reset
    assert arrival.gain == pytest.approx(1.0)
    assert arrival.phase == pytest.approx(math.pi)


def test_a_faint_stimulus_keeps_to_the_rhythm_and_does_not_ignite() -> None:
    heard = Heard(Stimulus("psst", (0.2, 0.1)))

    mind, arrival = arrive(SETTINGS, newborn(SETTINGS), heard, Instant(1.0))
    mind, result = thought(mind, 1.1)

    assert not arrival.is_reset
    assert [one.place for one in arrival.firing] == [0, 1]
    assert result.choice is None
    assert not mind.workspace.ignited


def test_a_close_memory_is_broadcast_beside_what_called_it_up() -> None:
    close, far = Recalled("1", "the disk fails", 0.9), Recalled("2", "tea", 0.05)
    mind, _ = told("why?", 1.0, recalled=(close, far))

    _, result = thought(mind, 1.0)

    assert [item.source for item in result.broadcast][1:] == ["memory:1"]


def test_who_repeats_himself_is_no_longer_heard() -> None:
    mind = newborn(SETTINGS)
    ignited = []
    for number in range(4):
        mind, _ = told("why?", 1 + number / 8, mind=mind)
        mind, result = thought(mind, 1 + number / 8)
        ignited.append(bool(result.broadcast))

    assert ignited == [True, True, True, False]  # surprise raises the gain, and delays it by one


def test_ticks_are_made_up_for_and_do_not_depend_on_how_often_one_thinks() -> None:
    loaded = Measures(pressure=1.0)
    once, _ = thought(newborn(SETTINGS), 2.0, loaded)
    often = newborn(SETTINGS)
    for tick in range(17):
        often, _ = thought(often, tick / 8, loaded)

    assert once.body.tick == often.body.tick == 16
    assert once.body.levels.shown == pytest.approx(often.body.levels.shown, abs=1e-5)


def test_a_suspended_machine_wakes_up_with_one_step() -> None:
    awake = newborn(SETTINGS)
    asleep, result = thought(awake, 3600.0, Measures(pressure=1.0))

    assert result.ticks == 8 * 3600
    assert asleep.body.levels.shown[3] == pytest.approx(0.5 + 0.5 / 1.6, abs=0.2)


def test_nothing_out_of_the_ordinary_demands_the_middle() -> None:
    assert demand(Measures(budget=0.5), Echo()) == pytest.approx(np.full(5, 0.5))


@pytest.mark.parametrize(
    ("measures", "echo", "level"),
    [
        (QUIET, Echo(error=0.5), 0),
        (QUIET, Echo(success=0.9), 1),
        (Measures(agreement=1.0), Echo(), 2),
        (Measures(pressure=0.5), Echo(), 3),
        (Measures(errors=0.5), Echo(), 3),
        (QUIET, Echo(surprise=2.0), 4),
    ],
)
def test_each_measure_raises_its_own_level(measures: Measures, echo: Echo, level: int) -> None:
    change = demand(measures, echo) - demand(QUIET, Echo())

    assert change[level] > 0
    assert np.count_nonzero(change) == 1


def test_under_load_a_part_of_new_work_is_turned_away_as_the_seed_decides() -> None:
    levels = np.array([0.5, 0.5, 0.5, 0.9, 0.5])
    loaded = replace(newborn(SETTINGS), setting=modulation(levels))

    shed = [
        arrive(SETTINGS, loaded, Heard(Stimulus("why?")), Instant(1.0, seed))[1].is_shed
        for seed in range(300)
    ]

    assert 0.7 < sum(shed) / 300 < 0.9


@pytest.mark.parametrize(("result", "sign"), [(Result.GOOD, 1), (Result.BAD, -1)])
def test_a_result_is_felt_as_far_as_it_was_not_expected(result: Result, sign: int) -> None:
    mind, _ = told("why is it slow?", 1.0)
    mind, done = thought(mind, 1.0)
    assert done.choice
    belief = tuple(done.choice.belief.tolist())

    after = settle(SETTINGS, mind, Deed(Action.ANSWER, result, belief, done.choice.hoped))

    assert math.copysign(1, after.echo.error) == sign
    assert after.echo.surprise > mind.echo.surprise


def test_what_is_done_closes_the_matter() -> None:
    mind, _ = told("the disk fails", 1.0)

    mind, _ = thought(mind, 1.0)

    assert mind.belief is SETTINGS.model.prior


def test_a_look_that_brings_nothing_is_followed_by_something_else() -> None:
    mind, _ = told("all is well", 1.0)
    mind, first = thought(mind, 1.0)
    mind, meanwhile = thought(mind, 1.1)
    mind = remind(SETTINGS, mind, [], 1.1)

    _, second = thought(mind, 1.1)

    assert first.choice
    assert first.choice.action is Action.LOOK
    assert meanwhile.choice is None
    assert second.choice
    assert second.choice.action is Action.WAIT


def test_every_result_is_possible_after_every_action_but_a_look() -> None:
    for action, chances in CHANCES.items():
        sums = np.array(chances).sum(axis=0)
        assert action is Action.LOOK or (sums > 0).all()


def test_a_look_tells_the_situations_apart_and_nothing_else_does() -> None:
    table = model(Outlook()).likelihood.reshape(4, 3, 4, 3).sum(axis=1)

    assert table[1:, Action.LOOK].diagonal() == pytest.approx(np.full(3, 0.85))
    assert (table[1:, Action.ANSWER] == 0).all()


def test_an_outlook_that_teaches_nothing_is_refused() -> None:
    with pytest.raises(Refusal, match="reliability"):
        Outlook(reliability=0.2)


def test_at_half_rate_every_other_cycle_thinks_and_nothing_is_left_out() -> None:
    mind, _ = told("the disk fails", 1.0)
    thrifty = QUIET._replace(thrift=2)

    mind, resting = thought(mind, 1.0, thrifty)
    mind, thinking = thought(mind, 1.125, thrifty)

    assert mind.owed == ()
    assert resting.is_owed
    assert resting.choice is None
    assert thinking.choice
    assert thinking.choice.about == resting.broadcast
    assert thinking.choice.action is Action.ALERT


def test_at_rest_nothing_is_thought_about_and_nothing_is_kept_for_later() -> None:
    mind, _ = told("the disk fails", 1.0)

    mind, resting = thought(mind, 1.0, QUIET._replace(thrift=0))
    mind, after = thought(mind, 1.125)

    assert resting.broadcast
    assert not resting.is_owed
    assert after.choice is None
