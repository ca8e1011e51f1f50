"""From a plan and what the operator allows to an order; pure, and where apply refuses."""

from dataclasses import dataclass

from emily_infra.apply.errors import Quarantined, Refused, StalePlan
from emily_infra.apply.generated import checks
from emily_infra.apply.order import Kind, Order, Pace, Standing
from emily_infra.observe import Observation
from emily_infra.plan import Activation, Plan, Weight, digest, meant_for, stale
from emily_infra.spec.host import Host


@dataclass(frozen=True)
class Leave:
    """What the operator allows beyond the ordinary."""

    accepted: frozenset[str] = frozenset()
    """Dangers by name."""
    reboot: bool = False
    """Go through a reboot even where a switch would do."""
    again: bool = False
    """Try a system that went back on this host before."""


def order(host: Host, plan: Plan, seen: Observation, leave: Leave) -> Order:
    """What is to be done; Refused, Quarantined or StalePlan where it must not be."""
    meant_for(plan, host.name)
    if moved := stale(plan, seen):
        raise StalePlan(
            f"{host.name} is not what the plan was made for: {'; '.join(moved)}",
            hint=f"look at the new plan: emily-infra plan {host.name}",
        )
    _refuse(plan, leave)
    _quarantine(plan, seen, leave)
    return Order(
        host=host.name,
        new=plan.toplevel,
        old=standing(host, seen),
        kind=_kind(host, plan, leave),
        steps=plan.to_run,
        checks=checks(host),
        pace=pace(host),
        plan=digest(plan),
    )


def pace(host: Host) -> Pace:
    """How long this host may take."""
    spec = host.spec.deploy
    return Pace(activate=spec.activate_within.seconds, confirm=spec.confirm_within.seconds)


def standing(host: Host, seen: Observation) -> Standing:
    """What the host is now, and where its operator came in."""
    now, way = seen.generation, seen.network.ssh_connection
    if now.number is None or not now.current:
        raise Refused(
            f"{host.name} has no generation to go back to",
            hint="its system profile is empty; install it with nixos-install first",
        )
    return Standing(
        now.current, now.number, seen.identity.boot_id,
        way.server if way else "", way.server_port if way else 0,
    )  # fmt: skip


def _refuse(plan: Plan, leave: Leave) -> None:
    for danger in plan.weighing(Weight.STOP):
        raise Refused(f"{plan.host}: {danger.name}: {danger.message}", hint=danger.hint)
    for danger in plan.weighing(Weight.FLAG):
        if danger.name not in leave.accepted:
            raise Refused(
                f"{plan.host}: {danger.name}: {danger.message}",
                hint=f"{danger.hint}; knowing better: --accept {danger.name}",
            )


def _quarantine(plan: Plan, seen: Observation, leave: Leave) -> None:
    tried = [deploy for deploy in seen.deploys.records if deploy.new == plan.toplevel]
    last = tried[-1] if tried else None
    if last and last.verdict in ("rolled-back", "lost") and not leave.again:
        raise Quarantined(
            f"{plan.host} went back from this very system before ({last.id}): {last.why}",
            hint=f"see what happened: emily-infra history {plan.host} {last.id}; then change "
            "something, or try the same once more with --again",
        )


def _kind(host: Host, plan: Plan, leave: Leave) -> Kind:
    must = plan.activation is Activation.REBOOT
    if must and not leave.reboot and host.spec.deploy.reboot == "manual":
        raise Refused(
            f"{plan.host} can only be booted into this system: {'; '.join(plan.reboot.reasons)}",
            hint=f"emily-infra apply {plan.host} --reboot, or deploy.reboot: allowed in host.yaml",
        )
    return (
        Kind.REBOOT
        if must or (leave.reboot and plan.activation is Activation.SWITCH)
        else (Kind.LIVE)
    )
