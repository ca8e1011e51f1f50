"""The live machine, read in one round trip; what it finds is data for pure functions."""

from typing import TYPE_CHECKING

from emily_infra.observe.answer import answer
from emily_infra.observe.observation import Observation, observation
from emily_infra.observe.question import EVERYTHING, Question, Want, script

if TYPE_CHECKING:
    from emily_infra.machine import Machine

PLAIN = Question()
_GRACE = 45.0
"""Seconds beyond the probe's own patience, for a slow line and a busy machine."""

__all__ = ["EVERYTHING", "Observation", "Question", "Want", "observe"]


def observe(machine: "Machine", question: Question = PLAIN) -> Observation:
    """Ask a machine everything at once: one command, whatever is compared with the answer."""
    deadline = question.patience + _GRACE
    output = machine.run("sh", stdin=script(question), deadline=deadline)
    return observation(machine.name, answer(machine.name, output))
