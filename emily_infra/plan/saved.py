"""A plan as a file: bound to the machine and the moment that it was made for."""

import hashlib
import json

from pydantic import TypeAdapter, ValidationError

from emily_infra.errors import EmilyError
from emily_infra.observe import Observation
from emily_infra.plan.model import Identity, Plan

VERSION = 1
_KIND = "emily-infra plan"
_PLAN: TypeAdapter[Plan] = TypeAdapter(Plan)


class NoPlan(EmilyError):
    """A file that is not a plan of ours, or not whole."""

    code = "PLN001"


class NewerPlan(EmilyError):
    """A plan in a format that this version does not know."""

    code = "PLN002"


class ForeignPlan(EmilyError):
    """A plan for another host than the one it is to be applied to."""

    code = "PLN003"


def digest(plan: Plan) -> str:
    """A name for everything that a plan shows; two plans that show the same have the same."""
    return hashlib.sha256(_PLAN.dump_json(plan)).hexdigest()


def to_json(plan: Plan) -> str:
    """The plan as text; from the file alone one can tell whether it is a no-op."""
    head = {
        "kind": _KIND, "version": VERSION, "noop": plan.is_noop, "digest": digest(plan)
    }  # fmt: skip
    return json.dumps(head | {"plan": _PLAN.dump_python(plan, mode="json")}, indent=2) + "\n"


def from_json(text: str, where: str) -> Plan:
    """A plan out of the text of a file, which an error names."""
    try:
        data = json.loads(text)
        head = {name: data[name] for name in ("kind", "version", "noop", "digest", "plan")}
    except (ValueError, TypeError, KeyError, RecursionError):
        raise _no_plan(where, "it is no plan of emily-infra, or it is cut") from None
    if head["kind"] != _KIND or type(head["version"]) is not int:
        raise _no_plan(where, "it is no plan of emily-infra")
    if head["version"] > VERSION:
        raise NewerPlan(
            f"{where} is a plan of version {head['version']}; this emily-infra knows {VERSION}",
            hint="use the emily-infra that made it, or make the plan again with this one",
        )
    try:
        plan = _PLAN.validate_json(json.dumps(head["plan"]))
    except (ValidationError, ValueError, RecursionError):
        raise _no_plan(where, "its content is not that of a plan") from None
    if digest(plan) != head["digest"]:
        raise _no_plan(where, "it was changed after it was made")
    return plan


def _no_plan(where: str, why: str) -> NoPlan:
    return NoPlan(f"{where}: {why}", hint="make it again with: emily-infra plan HOST --out FILE")


def meant_for(plan: Plan, host: str) -> None:
    """Refuse a plan that was made for another host."""
    if plan.host != host:
        raise ForeignPlan(
            f"the plan is for {plan.host}, not for {host}",
            hint=f"emily-infra plan {host} --out FILE",
        )


def stale(plan: Plan, observation: Observation) -> tuple[str, ...]:
    """What has moved on the host since the plan was made; nothing where it still holds."""
    was, now = plan.identity, identity(observation)
    compared = (
        ("it is another machine: machine-id", was.machine_id, now.machine_id),
        ("its hostId changed:", was.host_id, now.host_id),
        ("it was started again: boot", was.boot_id, now.boot_id),
        ("its profile is at another generation:", was.generation, now.generation),
        ("its profile leads elsewhere:", _short(was.profile), _short(now.profile)),
        ("another system is running:", _short(was.current), _short(now.current)),
    )
    return tuple(
        f"{what} {before or 'none'} then, {after or 'none'} now"
        for what, before, after in compared
        if before != after
    )


def identity(observation: Observation) -> Identity:
    """Which machine in which state an observation is of."""
    who, now = observation.identity, observation.generation
    return Identity(
        who.machine_id, who.boot_id, who.host_id, now.number, now.profile, now.current
    )  # fmt: skip


def _short(toplevel: str) -> str:
    return toplevel.removeprefix("/nix/store/")
