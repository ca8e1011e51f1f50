"""What language models may still cost, as last seen: looking takes a write to the disk."""

import asyncio
from collections.abc import Mapping, Sequence

from emily_runtime.mind.metrics import Metrics
from emily_runtime.mind.structs import BudgetView, WindowView
from emily_runtime.providers.budget import Budget
from emily_runtime.providers.spending import DOLLAR, Balance


class Purse:
    """A budget, with the last look at it."""

    def __init__(self, budget: Budget, metrics: Metrics) -> None:
        self.budget = budget
        self._metrics = metrics
        self._balances: list[Balance] = []

    async def look(self) -> None:
        """Look again; BudgetUnusable where its file can't be used."""
        self._balances = await asyncio.to_thread(self.budget.balances)
        for one in self._balances:
            gauge = self._metrics.gauge("emily_llm_budget_remaining_dollars", one.window.name)
            gauge.set(one.left / DOLLAR)

    def share(self) -> float:
        """How much of the scarcest window is left, from 0 to 1."""
        return min((one.left / max(1, one.window.most) for one in self._balances), default=1.0)

    def view(self, order: Sequence[str], breakers: Mapping[str, str]) -> BudgetView:
        """As it is shown, with the models in their ORDER."""
        windows = [
            WindowView(
                one.window.name,
                one.window.most / DOLLAR,
                one.spent / DOLLAR,
                one.reserved / DOLLAR,
                one.left / DOLLAR,
            )
            for one in self._balances
        ]
        return BudgetView(windows, list(order), dict(breakers))
