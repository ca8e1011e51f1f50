"""Tier 1: attention as an alpha rhythm that segments signals and sorts them by excitability.

Pulsed inhibition h(t) = a(1 + cos(2 pi f t + phi))/2 after Jensen & Mazaheri (2010) and Mathewson
et al. (2011); the firing order, strongest first as the inhibition falls, after Gips et al. (2016);
the capacity, gamma cycles within an alpha cycle, after Lisman & Idiart (1995). These are the
equations and no more: 8 Hz is the lower edge of the band that physiology calls alpha.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from emily_runtime.tiers.refusals import Refusal

_new = tuple.__new__  # half the time of Firing(...), which is written in Python


@dataclass(frozen=True)
class Alpha:
    """The rhythm's parameters; Refusal where they leave no rhythm."""

    frequency: float = 8.0
    """f, in Hz."""
    power: float = 0.5
    """a, from 0 (everything passes) to 1 (nothing passes at the height of the inhibition)."""
    gamma_frequency: float = 56.0
    """Hz; 40 to 72 over 8 Hz make a capacity of 5 to 9."""
    reset_threshold: float = 0.8
    """The |signal| above which a stimulus resets the phase."""

    def __post_init__(self) -> None:
        if not 0 < self.frequency <= self.gamma_frequency < math.inf:
            raise Refusal("alpha: 0 < frequency <= gamma_frequency is needed")
        if not 0 <= self.power <= 1:
            raise Refusal(f"alpha: power {self.power} is not within 0 and 1")
        if not self.reset_threshold > 0:
            raise Refusal("alpha: reset_threshold must be above 0")

    @property
    def capacity(self) -> int:
        """Items that a cycle keeps apart: gamma cycles within an alpha cycle."""
        return int(self.gamma_frequency / self.frequency)


@dataclass(frozen=True)
class Rhythm:
    """The rhythm's state."""

    offset: float = 0.0
    """phi, in cycles."""
    reset_at: float = -math.inf
    """Seconds; when the phase was last reset."""


class Firing(NamedTuple):
    """A signal that passed the gate."""

    place: int
    """Its place in the input."""
    output: float
    """The signal times the gain."""
    delay: float
    """Seconds from the height of the inhibition, half a cycle at most."""


def phase(alpha: Alpha, rhythm: Rhythm, time: float) -> float:
    """Radians in [0, 2 pi) at TIME in seconds; 0 is the height of the inhibition."""
    return 2 * math.pi * ((time * alpha.frequency + rhythm.offset) % 1.0)


def gain(alpha: Alpha, phase: float) -> float:
    """1 - h, within [1 - a, 1]."""
    return 1.0 - alpha.power * (1.0 + math.cos(phase)) / 2.0


def gate(alpha: Alpha, signals: Sequence[float], phase: float) -> list[Firing]:
    """Signals in the order they fire, strongest first and ties by index, so |output| never rises.

    A signal fires when the inhibition has fallen to its drive d = |x| / max |x|, which takes
    arccos(2d/a - 1) / (2 pi f). Refusal for a signal that isn't finite.
    """
    strengths = [abs(signal) for signal in signals]
    if not math.isfinite(peak := max(strengths, default=0.0)) or any(map(math.isnan, strengths)):
        raise Refusal("a signal is not finite")
    factor, power = gain(alpha, phase), alpha.power
    slowest, floor = 1 / (2 * math.pi * alpha.frequency), power * peak
    fired = []
    for index in sorted(range(len(strengths)), key=strengths.__getitem__, reverse=True):
        strength, delay = strengths[index], 0.0
        if strength < floor:
            # Rounding may lift a drive just below a to above it.
            delay = math.acos(min(1.0, 2 * (strength / peak) / power - 1)) * slowest
        fired.append(_new(Firing, (index, signals[index] * factor, delay)))
    return fired


def reset(alpha: Alpha, rhythm: Rhythm, time: float, intensity: float) -> Rhythm:
    """The rhythm after a stimulus: excitable at once if it was salient, at most once per cycle.

    INTENSITY is |signal| times the gain that norepinephrine sets, which lowers the threshold.
    """
    if intensity <= alpha.reset_threshold or (time - rhythm.reset_at) * alpha.frequency < 1:
        return rhythm
    return Rhythm((0.5 - time * alpha.frequency) % 1.0, time)
