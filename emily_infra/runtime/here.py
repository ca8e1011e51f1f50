"""On the host itself: an order is carried out, whether or not whoever gave it still listens."""

from collections.abc import Callable
from dataclasses import dataclass

from pydantic import ValidationError

from emily_infra.apply.clock import Clock
from emily_infra.errors import EmilyError
from emily_infra.runtime import files
from emily_infra.runtime.colours import Colours
from emily_infra.runtime.engine import Switch
from emily_infra.runtime.order import Order
from emily_infra.runtime.record import Phase, Record, Verdict


@dataclass(frozen=True)
class Here:
    """The host's side of a deploy; its unit is the lock, and starts it again when it is killed."""

    colours: Colours
    clock: Clock
    tell: Callable[[str], None]

    def settle(self) -> None:
        """Do what the order says, and then throw it away; without one there is nothing to do."""
        order = self._order()
        if order:
            self._carry_out(order)
        self.colours.machine.run("rm", "-f", self.colours.places.order)

    def _carry_out(self, order: Order) -> None:
        try:
            Switch(self.colours, self.clock, tell=self.tell).carry_out(order)
        except EmilyError as error:
            self.tell(f"{error.code}: {error}")
            files.write(
                self.colours.machine, self.colours.places.record, self._refused(order, error)
            )

    def _order(self) -> Order | None:
        path = self.colours.places.order
        text = files.text(self.colours.machine, path)
        try:
            return Order.model_validate_json(text) if text else None
        except ValidationError:
            self.tell(f"{path} is no order of this version, and is thrown away")
            return None

    def _refused(self, order: Order, error: EmilyError) -> Record:
        active = self.colours.active()
        return Record(
            order=order.id, old=active, new=active.other, begun=self.clock.now(),
            phase=Phase.DONE, window=order.window, verdict=Verdict.REFUSED,
            why=str(error), hint=error.hint,
        )  # fmt: skip
