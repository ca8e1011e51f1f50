"""What the budget is asked, and what it answers, in whole microdollars."""

from typing import NamedTuple

from emily_runtime.messages import Refused

HOUR, DAY = 3_600, 86_400
DOLLAR = 1_000_000


class Window(NamedTuple):
    """So much within any stretch of time of this length, not per hour of the day."""

    name: str
    seconds: int
    """At least 60: spending is kept by the minute."""
    most: int
    """Microdollars."""


LIMITS = (Window("hour", HOUR, 10 * DOLLAR), Window("day", DAY, 100 * DOLLAR))


class Reservation(NamedTuple):
    """Money that is set aside until it is settled."""

    identity: int
    microdollars: int


class Balance(NamedTuple):
    """How a window stands, in microdollars."""

    window: Window
    spent: int
    reserved: int

    @property
    def left(self) -> int:
        """What can still be reserved."""
        return max(0, self.window.most - self.spent - self.reserved)


class Spent(Refused):
    """A call that the budget does not cover."""

    def __init__(self, balance: Balance, amount: int) -> None:
        super().__init__(
            "EMY-5010",
            window=balance.window.name,
            most=dollars(balance.window.most),
            spent=dollars(balance.spent),
            reserved=dollars(balance.reserved),
            amount=dollars(amount),
        )
        self.balance = balance


class BudgetUnusable(Refused):
    """A budget that cannot be read or written, so that nothing may be spent."""

    def __init__(self, file: object, reason: object) -> None:
        super().__init__("EMY-5011", file=file, reason=reason)


def dollars(microdollars: int) -> str:
    """Four digits after the point, rounded up, so that no cost is shown as none."""
    hundredths = -(-microdollars // 100)
    return f"${hundredths // 10_000}.{hundredths % 10_000:04d}"
