"""The proof that the new system is the one that was meant, can be reached, and is well."""

from typing import TYPE_CHECKING

from emily_infra.apply.errors import KeyNotKnown
from emily_infra.apply.health import Before, Grade, Result, assess
from emily_infra.apply.line import ask, hello
from emily_infra.apply.order import Kind, Order, Ticket
from emily_infra.apply.progress import Said
from emily_infra.errors import EmilyError
from emily_infra.machine import CommandFailed, Machine, Target, UnknownHostKey, Unreachable
from emily_infra.machine.deadline import Deadline
from emily_infra.machine.known import known
from emily_infra.machine.settings import effective

if TYPE_CHECKING:
    from emily_infra.apply.engine import Ways

_TRIES = 2.0
_TOO_LATE = 78
_RESOLVED = 20.0


def same_key(now: Target, afterwards: Target) -> None:
    """Refuse, before anything is changed, what could not be confirmed: a key that nobody knows."""
    if now == afterwards or now.is_local:
        return
    clock = Deadline.after(_RESOLVED)
    here, there = (known(effective(target, clock), clock) for target in (now, afterwards))
    ours = tuple(dict.fromkeys((*(key for _, key in here.keys), *here.without_port)))
    theirs = (*(key for _, key in there.keys), *there.without_port)
    if not ours or set(ours) & set(theirs):
        return
    why = "has another key in known_hosts" if theirs else "is not in known_hosts"
    commands = (*there.forgetting(), *(there.accepting(key) for key in ours))
    raise KeyNotKnown(
        f"{now.name} must answer at {there.name} afterwards, which {why}: nobody could confirm "
        "then, and it would go back",
        hint="if it is the same machine, give that address the key that it is known by:\n  "
        + "\n  ".join(commands),
    )


def verify(order: Order, ways: "Ways", ticket: Ticket, before: Before) -> str:
    """Nothing, and the deploy is confirmed; or what is wrong.

    Only a connection made after the switch proves that one can be made.
    """
    reserve = min(15.0, order.pace.confirm / 4)
    end = ways.clock.now() + order.pace.confirm - reserve
    while True:
        try:
            machine = ways.verify()
            try:
                return _examine(order, ways, ticket, before, machine)
            finally:
                machine.close()
        except UnknownHostKey as error:  # waiting makes it no better known
            return f"no new connection can be made: {error}\nhint: {error.hint}"
        except Unreachable as error:
            if ways.clock.now() >= end:
                return f"no new connection can be made: {_short(error)}"
        except CommandFailed as error:
            return f"the host's program does not answer: {_short(error)}"
        ways.clock.sleep(min(_TRIES, order.pace.poll))


def _examine(order: Order, ways: "Ways", ticket: Ticket, before: Before, machine: Machine) -> str:
    if trouble := _identity(order, ticket, machine):
        return trouble

    def told(result: Result) -> None:
        if result.grade is not Grade.PASSED:
            ways.tell(Said(order.host, str(result)))

    report = assess(machine, order.checks, before, told, ways.clock)
    for failure in report.failures:
        for text in failure.journal:
            ways.tell(Said(order.host, f"{failure.unit}: {text}"))
    if not report.healthy:
        return "; ".join(
            f"{each.check.name}: {each.reason}" if isinstance(each, Result)
            else f"{each.unit} has failed, and had not before"
            for each in report.blamed
        )  # fmt: skip
    return _confirm(ticket, machine)


def _identity(order: Order, ticket: Ticket, machine: Machine) -> str:
    """Whether this is the same machine, in the same boot where it should be, on the new system."""
    found = hello(machine, ticket.id)
    if found.token != ticket.token:
        return "another machine answers: it does not know this deploy's secret"
    if order.kind is not Kind.REBOOT and found.boot_id != order.old.boot_id:
        return "the machine has rebooted in between"
    if order.kind is Kind.REBOOT and found.boot_id == order.old.boot_id:
        return "the machine has not rebooted"
    if found.current != order.new:
        return f"{found.current} runs, not {order.new}"
    return ""


def _confirm(ticket: Ticket, machine: Machine) -> str:
    """Over this very connection: it is the one that was proven."""
    try:
        ask(machine, ticket.id, "confirm", stdin=f"{ticket.token}\n", deadline=20)
    except CommandFailed as error:
        if error.status != _TOO_LATE:
            raise
    return ""


def _short(error: EmilyError) -> str:
    return str(error).splitlines()[0][:300]
