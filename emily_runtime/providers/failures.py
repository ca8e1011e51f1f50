"""What can go wrong with a provider, and what that means for retries, money and the breaker."""

from typing import ClassVar

from emily_runtime.messages import Refused


class Failed(Refused):
    """A call that brought no answer; the text of it holds no key."""

    number: ClassVar[str]
    again: ClassVar[bool] = True
    """Whether the same call may succeed a little later."""
    billed: ClassVar[bool] = False
    """Whether it may have cost money all the same."""

    def __init__(self, name: str, reason: str, wait: float | None = None) -> None:
        super().__init__(type(self).number, name=name, reason=reason)
        self.wait = wait
        """Seconds for which the provider asked to be left alone."""


class Busy(Failed):
    """429, 500, 503, 529: it answered that it could not; such a call is not billed."""

    number = "EMY-5002"


class Unreachable(Failed):
    """No connection, so that nothing was asked."""

    number = "EMY-5003"


class Late(Failed):
    """No whole answer in time, or the connection broke: it may have been written all the same."""

    number = "EMY-5004"
    billed = True


class Garbled(Failed):
    """An answer that is not what the protocol says."""

    number = "EMY-5005"
    billed = True


class NoEntry(Failed):
    """401 and 403: the key is wrong, or may not do this."""

    number = "EMY-5006"
    again = False


class Rejected(Failed):
    """Another 4xx: this prompt is not taken; nothing is wrong with the provider."""

    number = "EMY-5007"
    again = False


class NoTime(Failed):
    """The deadline had passed before this one could be asked."""

    number = "EMY-5009"
    again = False


class Broken(Refused):
    """A stream that ended early, after a part of it was given: it is not begun anew."""

    def __init__(self, failure: Failed, text: str) -> None:
        super().__init__("EMY-5008", **failure.values)
        self.text = text
        """What was given."""


COUNTED = (Busy, Unreachable, Late, Garbled, NoEntry)
"""Failures of the provider, for its breaker; a prompt it does not take, or no time, is none."""
