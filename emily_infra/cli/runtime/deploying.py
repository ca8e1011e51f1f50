"""`emily-infra runtime deploy` and `rollback`."""

from typing import TYPE_CHECKING, Annotated

import typer

from emily_infra.cli.arguments import Host, Json
from emily_infra.cli.output import mention, report, report_json
from emily_infra.cli.reach import Lab, Via, Where

if TYPE_CHECKING:
    from emily_infra.runtime.order import Order
    from emily_infra.runtime.record import Record


def deploy(
    host: Host,
    window: Annotated[
        str, typer.Option("--window", metavar="TIME", help="How long it is watched, such as 10min.")
    ] = "10min",
    again: Annotated[
        bool, typer.Option("--again", help="Also where this version runs already.")
    ] = False,
    via: Via = "",
    lab: Lab = False,
    json: Json = False,
) -> None:
    """Start the version that `apply` laid ready beside the running one, and move the callers over.

    The new one is checked before, and watched afterwards while the old one is kept: should it be
    worse, the host moves the callers back by itself, also when nobody listens any more. No request
    is refused or fails by the move. Exit codes: 0 it takes, 1 it was not moved to, 3 it was worse
    and the old one takes, 4 neither answers, 7 another version's deploy is at work, 8 out of reach;
    where the connection broke meanwhile, the same command again follows the host.
    """
    import uuid

    from emily_infra.runtime.order import Order
    from emily_infra.spec.units import Duration

    try:
        seconds = int(Duration.parse(window)) / 1000
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--window") from error
    order = Order(id=uuid.uuid4().hex, window=seconds, again=again)
    _end(host, _ordered(host, order, Where(lab, via)), json=json)


def rollback(host: Host, via: Via = "", lab: Lab = False, json: Json = False) -> None:
    """Move the callers back to the version that ran before, and stop the one that runs.

    It takes a second while the old version is still kept, and a start of it later. A deploy that
    is at work is ended. Exit codes: 0 the old version takes, 1 it does not, 8 out of reach.
    """
    import uuid

    from emily_infra.runtime.order import Kind, Order

    order = Order(id=uuid.uuid4().hex, kind=Kind.ROLLBACK)
    _end(host, _ordered(host, order, Where(lab, via)), json=json, asked=True)


def _ordered(host: str, order: "Order", where: Where) -> "Record":
    from emily_infra.cli.hands import hands_on
    from emily_infra.cli.look import the_host
    from emily_infra.cli.stopping import before_any_change, if_stopped
    from emily_infra.runtime.ordering import Ordering
    from emily_infra.runtime.wall import Wall

    with before_any_change():
        described = the_host(host)[1]
    goes_on = f"{host} goes on by itself; how it ends: emily-infra runtime status {host}"
    with hands_on(described, where) as machine:
        ordering = Ordering(machine, Wall(), lambda text: mention(f"{host}: {text}"))
        followed = ordering.give(order)
        with if_stopped(goes_on):
            return ordering.follow(followed)


def _end(host: str, record: "Record", *, json: bool, asked: bool = False) -> None:
    """The last word, and the exit code that goes with it."""
    from emily_infra.runtime.record import Verdict
    from emily_infra.runtime.verdicts import trouble

    if json:
        report_json({"host": host} | record.model_dump(mode="json"))
    if asked and record.verdict is Verdict.WENT_BACK:
        if not json:
            report(f"{host}: {record.old} takes again")
        return
    if error := trouble(host, record):
        raise error
    if not json:
        report(f"{host}: {record.why}")
