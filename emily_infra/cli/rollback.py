"""`emily-infra rollback`."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from emily_infra.cli.arguments import Host, Json
from emily_infra.cli.output import say
from emily_infra.cli.reach import Lab, Via, Where, reach, reached, road, staged

if TYPE_CHECKING:
    from emily_infra.apply.check import Check
    from emily_infra.apply.order import Order, Pace
    from emily_infra.observe import Observation
    from emily_infra.observe.generations import Generation, Generations
    from emily_infra.observe.past import Past
    from emily_infra.spec import host as spec


def rollback(
    host: Host,
    generation: Annotated[
        int | None, typer.Argument(help="If not said: the one before the current.", min=1)
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    reboot: Annotated[bool, typer.Option("--reboot", help="Get there by a reboot.")] = False,
    via: Via = "",
    lab: Lab = False,
    json: Json = False,
) -> None:
    """Put HOST back to a generation that it has, with the same care as apply.

    Nothing is built or copied. The generation is activated, looked at over a new connection with
    the checks of the host.yaml that it was made from, and only then made the default; should it be
    ill, the host returns to what runs now. What was ill before in the same words is forgiven.
    """
    from emily_infra.apply.copy import Substitutes
    from emily_infra.cli.deploying import approve, last_word, one
    from emily_infra.cli.look import the_host
    from emily_infra.cli.preparing import asked
    from emily_infra.cli.stopping import before_any_change
    from emily_infra.observe import Question

    where = Where(lab, via)
    with before_any_change():
        described = the_host(host)[1]
        seen = asked(described, Question(), where)
        _must_be(described, seen)
        wanted = _wanted(host, seen.generation, generation)
        order = _order(described, seen, wanted, where, reboot=reboot)
        number = seen.generation.number
        say(f"{host}: from generation {number} to {wanted.number} ({wanted.version})")
        approve(f"put {host} back to generation {wanted.number}?", yes=yes)
    outcome = one(order, road(described, where), Substitutes.FROM_HERE, json=json)
    command = f"emily-infra rollback {host} {wanted.number} --reboot"
    last_word(host, outcome, where, json=json, reboot=command)
    raise typer.Exit(outcome.exit_code)


def _must_be(host: "spec.Host", seen: "Observation") -> None:
    """Refuse another machine. Another hostId is no sign of one: going back may be what mends it."""
    from emily_infra.apply.errors import Refused
    from emily_infra.plan.dangers import another_host

    for danger in another_host(host, seen):
        if danger.name != "other-host-id":
            raise Refused(f"{host.name}: {danger.name}: {danger.message}", hint=danger.hint)


def _order(
    host: "spec.Host", seen: "Observation", wanted: "Generation", where: Where, *, reboot: bool
) -> "Order":
    from emily_infra.apply.decide import pace, standing, way_back
    from emily_infra.apply.order import Kind, Order

    past = _past(host, wanted, where)
    then = _as_described(host, wanted, past)
    kind = Kind.REBOOT if reboot else Kind.ROLLBACK
    made = Order(
        host.name, wanted.toplevel, standing(host, seen), kind, wanted.number,
        pace=pace(staged(host, where)), back=way_back(kind, wanted.toplevel, seen),
        pending="" if reboot else _pending(then or host, past, seen),
    )  # fmt: skip
    if then is None:
        say(f"generation {wanted.number} does not say from which host.yaml it was made: only its "
            "way in and its units are looked at")  # fmt: skip
        return made
    played = staged(then, where)
    return replace(made, checks=_forgiving(played), pace=_longer(made.pace, pace(played)))


def _past(host: "spec.Host", wanted: "Generation", where: Where) -> "Past":
    """What the generation says of itself; OutOfReach where the host does not answer any more."""
    import contextlib

    from emily_infra.machine import connect
    from emily_infra.observe.past import past

    with reached(), contextlib.closing(connect(reach(host, where))) as machine:
        return past(machine, wanted.toplevel)


def _as_described(host: "spec.Host", wanted: "Generation", past: "Past") -> "spec.Host | None":
    """The host as it was then: what it did not have yet must not be missed now."""
    from emily_infra.plan.attribution import contradicts_itself
    from emily_infra.spec.load import parse

    file = f"host.yaml of generation {wanted.number}"
    found, _ = parse(host.name, file, past.description.encode())
    return found if found and not contradicts_itself(found) else None


def _forgiving(host: "spec.Host") -> "tuple[Check, ...]":
    """The checks of a host; one that fails now too may be the very reason to go back."""
    from emily_infra.apply.check import Blame
    from emily_infra.apply.generated import checks

    return tuple(
        replace(check, blame=Blame.CHANGED) if check.blame is Blame.ALWAYS else check
        for check in checks(host)
    )


def _longer(one: "Pace", other: "Pace") -> "Pace":
    """Time enough for the checks of then, and what a slow host was given since."""
    activate, confirm = max(one.activate, other.activate), max(one.confirm, other.confirm)
    return replace(one, activate=activate, confirm=confirm)


def _pending(host: "spec.Host", past: "Past", seen: "Observation") -> str:
    """What of the generation counts only after a boot."""
    from emily_infra.plan import Built, Need
    from emily_infra.plan.reboot import reboot

    found = reboot(host.spec, Built(past.system), seen)
    return "; ".join(found.reasons) if found.need is Need.LATER else ""


def _wanted(host: str, has: "Generations", number: int | None) -> "Generation":
    from emily_infra.apply.errors import Refused

    listed = {each.number: each for each in has.generations}
    if number is None:
        older = [each for each in sorted(listed) if each < (has.number or 0)]
        number = older[-1] if older else 0
    if number not in listed:
        raise Refused(
            f"{host} has no generation {number or 'before this one'}",
            hint=f"see which it has: emily-infra generations {host}",
        )
    return listed[number]
