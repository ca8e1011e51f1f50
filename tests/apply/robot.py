"""An operator who says go and confirm as soon as that makes sense, whatever happens meanwhile."""

import time

from emily_infra.apply.line import VERDICTS
from emily_infra.machine import CommandFailed
from tests.apply.drill import ByHand, Drill


def carry_through(box: Drill, hand: ByHand, *, confirms: bool = True, patience: float = 40) -> str:
    """The verdict, once there is one and nobody is at work any more."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        try:
            if _one_look(hand, confirms=confirms):
                return box.settled()
        except CommandFailed:  # the power is off, or all is decided already
            time.sleep(0.05)
        time.sleep(0.05)
    raise AssertionError(f"no verdict: {box.world.words}")


def _one_look(hand: ByHand, *, confirms: bool) -> bool:
    state = hand.say("poll", "0", "").split(" ", 2)[1]
    words = hand.world.words
    pending = (hand.world.root / "lib/emily/deploys/pending").is_symlink()
    if words and words[-1] in VERDICTS and state == "alone" and not pending:
        return True
    if state == "alone":
        hand.say("settle")
    elif words[-1:] == ["leased"]:
        hand.say("renew")
        hand.say("go")
    elif confirms and words[-1:] in (["activated"], ["booted"]):
        hand.say("confirm")
    return False
