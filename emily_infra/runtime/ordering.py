"""From elsewhere: give a host its order, and follow what it does."""

from collections.abc import Callable
from dataclasses import dataclass, field

from emily_infra.apply.clock import Clock
from emily_infra.machine import Machine
from emily_infra.runtime import record as records
from emily_infra.runtime.faults import NotHeard, UnderWay
from emily_infra.runtime.order import Kind, Order
from emily_infra.runtime.places import Places
from emily_infra.runtime.record import Record, Verdict

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

    def give(self, order: Order) -> None:
        """Leave the order there and start the unit; UnderWay where it is at work on another."""
        name = self.machine.name
        if is_busy(self.machine):
            if order.kind is not Kind.ROLLBACK:
                raise UnderWay(
                    f"{name}: a deploy of the runtime is at work; it ends by itself",
                    hint=f"follow it: emily-infra runtime status {name}; or end it and go back: "
                    f"emily-infra runtime rollback {name}",
                )
            self.machine.run("systemctl", "stop", UNIT, deadline=90.0)
        records.write(self.machine, self.places.order, order)
        self.machine.run("systemctl", "start", "--no-block", UNIT)

    def follow(self, order: Order) -> Record:
        """The record once it has a verdict; NotHeard where the host has stopped working on it."""
        told, idle = 0, 0.0
        while True:
            found = records.read(self.machine, self.places.record)
            if found and found.order == order.id:
                for event in found.events[told:]:
                    self.tell(event.text)
                told = len(found.events)
                if found.verdict is not Verdict.OPEN:
                    return found
            idle = 0.0 if is_busy(self.machine) else idle + 1.0
            if idle > _IDLE:
                raise self._not_heard()
            self.clock.sleep(1.0)

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
