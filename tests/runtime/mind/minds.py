"""Minds to think with, and what the tests tell them."""

from emily_runtime.mind.body import Measures
from emily_runtime.mind.cycle import Arrival, Heard, Instant, Mind, Thought, arrive, cycle, newborn
from emily_runtime.mind.settings import Settings
from emily_runtime.mind.stimulus import Reading, Recalled, Stimulus

SETTINGS = Settings(reading=Reading(trouble=frozenset({"fails"}), question=frozenset({"why"})))
QUIET = Measures()


def told(
    text: str, time: float, *, mind: Mind | None = None, recalled: tuple[Recalled, ...] = ()
) -> tuple[Mind, Arrival]:
    """A mind that has heard a text, which now waits for the end of the cycle."""
    heard = Heard(Stimulus(text), recalled, "trace")
    return arrive(SETTINGS, mind or newborn(SETTINGS), heard, Instant(time))


def thought(mind: Mind, time: float, measures: Measures = QUIET) -> tuple[Mind, Thought]:
    """The end of a cycle."""
    return cycle(SETTINGS, mind, measures, Instant(time))
