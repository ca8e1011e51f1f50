"""Row 15: a thousand calls at once, and a budget for some of them."""

import asyncio
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from emily_runtime.bench.row import Row
from emily_runtime.nerves.clock import RealClock
from emily_runtime.providers.budget import Budget
from emily_runtime.providers.spending import (
    DOLLAR,
    LIMITS,
    Reservation,
    Spent,
    dollars,
)

CALLS, COST = 1_000, DOLLAR // 25
"""A thousand calls of four cents are $40 where $10 may be spent."""


class CheckThenSpend(Budget):
    """The usual policy: it looks at what was spent, and sets nothing aside."""

    def reserve(self, microdollars: int, seconds: float) -> Reservation:
        """A reservation of nothing, where what was spent leaves room."""
        for balance in self.balances():
            if balance.spent + microdollars > balance.window.most:
                raise Spent(balance, microdollars)
        return super().reserve(0, seconds)._replace(microdollars=microdollars)


def rows() -> Iterable[Row]:
    """Overspending of both policies."""
    begin = time.perf_counter()
    ours, took = _over(Budget), time.perf_counter() - begin
    peer = _over(CheckThenSpend)
    return [
        Row(
            "15",
            f"{CALLS:,} calls of {dollars(COST)} at once, {dollars(LIMITS[0].most)} an hour",
            f"{dollars(ours)} overspent ({took / CALLS * 1e3:.1f} ms a call)",
            f"{dollars(peer)} overspent by check-then-spend",
            f"{dollars(ours)} of {dollars(peer)}",
            "nothing overspent, and the other policy fails",
            ours == 0 < peer,
        )
    ]


def _over(policy: type[Budget]) -> int:
    """Microdollars that were billed beyond the limit of an hour."""
    with tempfile.TemporaryDirectory() as folder:
        budget = policy(Path(folder, "budget"), clock=RealClock())
        billed = asyncio.run(_all_at_once(budget))
        budget.close()
    return max(0, billed - LIMITS[0].most)


async def _all_at_once(budget: Budget) -> int:
    async def call() -> int:
        try:
            reservation = await asyncio.to_thread(budget.reserve, COST, 60.0)
        except Spent:
            return 0
        await asyncio.sleep(1.0)  # the model thinks for longer than all the others take to ask
        await asyncio.to_thread(budget.settle, reservation, COST)
        return COST

    return sum(await asyncio.gather(*(call() for _ in range(CALLS))))
