"""`emily-infra rollback`."""

from typing import TYPE_CHECKING, Annotated

import typer

from emily_infra.cli.arguments import Host, Json
from emily_infra.cli.output import say
from emily_infra.cli.reach import Lab, Via, road, staged

if TYPE_CHECKING:
    from emily_infra.observe.generations import Generation, Generations


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

    Nothing is built or copied. The generation is activated, looked at over a new connection, and
    only then made the default; should it be ill, the host returns to what runs now.
    """
    from emily_infra.apply.copy import Substitutes
    from emily_infra.apply.decide import pace, standing, way_back
    from emily_infra.apply.order import Kind, Order
    from emily_infra.cli.deploying import approve, last_word, one
    from emily_infra.cli.look import the_host
    from emily_infra.cli.preparing import asked
    from emily_infra.observe import Question

    _, described = the_host(host)
    seen = asked(described, Question(), lab=lab, via=via)
    wanted = _wanted(host, seen.generation, generation)
    kind = Kind.REBOOT if reboot else Kind.ROLLBACK
    order = Order(
        host, wanted.toplevel, standing(described, seen), kind, wanted.number,
        pace=pace(staged(described, lab=lab)), back=way_back(kind, wanted.toplevel, seen),
    )  # fmt: skip
    say(f"{host}: from generation {seen.generation.number} to {wanted.number} ({wanted.version})")
    approve(f"put {host} back to generation {wanted.number}?", yes=yes)
    way = road(described, lab=lab, via=via)
    outcome = one(order, way, Substitutes.FROM_HERE, json=json)
    last_word(host, outcome, lab=lab, json=json)
    raise typer.Exit(outcome.exit_code)


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
