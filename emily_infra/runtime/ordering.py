"""From elsewhere: give a host its order, and follow what it does."""

from collections.abc import Callable
from dataclasses import dataclass, field

from emily_infra.apply.clock import Clock
from emily_infra.machine import Machine, Unreachable
from emily_infra.runtime import files
from emily_infra.runtime.colours import Colours
from emily_infra.runtime.faults import NotHeard, UnderWay, WayLost
from emily_infra.runtime.order import Kind, Order
from emily_infra.runtime.places import Places
from emily_infra.runtime.record import Phase, Record, Verdict

UNIT = "emily-runtime-deploy.service"
_IDLE = 20.0
"""Seconds without a verdict and without anybody at work: a killed unit is up again sooner."""
_BUSY = ("active", "activating", "reloading", "deactivating")


@dataclass(frozen=True)
class Ordering:
    """One order to one host."""

    machine: Machine
    clock: Clock
    tell: Callable[[str], None]
    places: Places = field(default_factory=Places)

    def give(self, order: Order) -> Order:
        """Leave the order there and start the unit; which order is to be followed.

        That is the one at work, where it brings the same version; UnderWay where it does not.
        """
        name = self.machine.name
        if is_busy(self.machine):
            if order.kind is not Kind.ROLLBACK:
                if same := self._same():
                    self.tell("a deploy of this version is at work; follows it")
                    return same
                raise UnderWay(
                    f"{name}: a deploy of the runtime is at work; it ends by itself",
                    hint=f"follow it: emily-infra runtime status {name}; or end it and go back: "
                    f"emily-infra runtime rollback {name}",
                )
            self.machine.run("systemctl", "stop", UNIT, deadline=90.0)
        files.write(self.machine, self.places.order, order)
        self.machine.run("systemctl", "start", "--no-block", UNIT)
        return order

    def follow(self, order: Order) -> Record:
        """The record once it has a verdict; NotHeard where the host has stopped working on it.

        WayLost where the connection breaks.
        """
        seen: Record | None = None
        idle = 0.0
        while True:
            try:
                seen = self._told(order, seen)
                idle = 0.0 if is_busy(self.machine) else idle + 1.0
            except Unreachable as error:
                raise self._way_lost(order, seen, error) from error
            if seen and seen.verdict is not Verdict.OPEN:
                return seen
            if idle > _IDLE:
                raise self._not_heard()
            self.clock.sleep(1.0)

    def _told(self, order: Order, seen: Record | None) -> Record | None:
        """The order's record as it is now, once its new lines are told."""
        found = files.read(self.machine, self.places.record, Record)
        if not found or found.order != order.id:
            return seen
        for event in found.events[len(seen.events) if seen else 0 :]:
            self.tell(event.text)
        return found

    def _same(self) -> Order | None:
        """The order at work, where it deploys what lies ready now."""
        order = files.read(self.machine, self.places.order, Order)
        if not order or order.kind is not Kind.DEPLOY:
            return None
        found = files.read(self.machine, self.places.record, Record)
        if not found or found.order != order.id or found.phase is Phase.STARTING:
            return order  # it has not looked yet, and will see what lies there
        colours = Colours(self.machine, self.places)
        return order if colours.version(found.new) == colours.wanted() else None

    def _way_lost(self, order: Order, seen: Record | None, error: Unreachable) -> WayLost:
        name = self.machine.name
        phase = seen.phase.value if seen else "giving it the order"
        again = f"to follow it: emily-infra runtime deploy {name}; " * (order.kind is Kind.DEPLOY)
        return WayLost(
            f"{name}: the connection broke while {phase}; the host goes on by itself ({error})",
            hint=f"{again}how it ends: emily-infra runtime status {name}",
        )

    def _not_heard(self) -> NotHeard:
        name = self.machine.name
        return NotHeard(
            f"{name}: {UNIT} has ended without a verdict",
            hint=f"see what it says: emily-infra runtime logs {name}; then the same command again "
            "goes on with it",
        )


def is_busy(machine: Machine) -> bool:
    """Whether a host is at work on an order."""
    argv = ("systemctl", "show", "--property=ActiveState", "--value", UNIT)
    return machine.run(*argv).strip() in _BUSY
