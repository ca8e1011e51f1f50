"""From a plan and what the operator allows to an order; pure, and where apply refuses."""

from dataclasses import dataclass

from emily_infra.apply.errors import Locked, Quarantined, Refused, StalePlan
from emily_infra.apply.generated import checks
from emily_infra.apply.order import Back, Kind, Order, Pace, Standing
from emily_infra.observe import Observation
from emily_infra.plan import Activation, Need, Plan, Weight, digest, meant_for, stale
from emily_infra.spec.host import Host


@dataclass(frozen=True)
class Leave:
    """What the operator allows beyond the ordinary."""

    accepted: frozenset[str] = frozenset()
    """Dangers by name, and the words of steps that cannot be undone."""
    reboot: bool = False
    """Go through a reboot even where a switch would do."""
    again: bool = False
    """Try a system that went back on this host before."""


def order(host: Host, plan: Plan, seen: Observation, leave: Leave) -> Order:
    """What is to be done; Refused, Quarantined or StalePlan where it must not be."""
    still_holds(host, plan, seen)
    _refuse(plan, leave)
    _unspoken(plan, leave)
    _quarantine(plan, seen, leave)
    kind = _kind(host, plan, leave)
    return Order(
        host=host.name,
        new=plan.toplevel,
        old=standing(host, seen),
        kind=kind,
        steps=plan.accepted(leave.accepted),
        spec=host.spec,
        checks=checks(host),
        pace=pace(host),
        plan=digest(plan),
        back=way_back(kind, plan.toplevel, seen),
        pending="" if kind is Kind.REBOOT else pending(plan),
    )


def still_holds(host: Host, plan: Plan, seen: Observation) -> None:
    """StalePlan where the host is not what the plan was made for."""
    meant_for(plan, host.name)
    if moved := stale(plan, seen):
        raise StalePlan(
            f"{host.name} is not what the plan was made for: {'; '.join(moved)}",
            hint=f"look at the new plan: emily-infra plan {host.name}",
        )


def reboots(host: Host, plan: Plan, leave: Leave) -> bool:
    """Whether this apply starts the machine again, if it may."""
    match plan.activation:
        case Activation.REBOOT:
            return True
        case Activation.SWITCH:
            counts_later = plan.reboot.need is Need.LATER
            return leave.reboot or (counts_later and host.spec.deploy.reboot == "allowed")
        case Activation.COMMIT | Activation.NOTHING:
            return leave.reboot and plan.reboot.need is not Need.NO


def pending(plan: Plan) -> str:
    """Why the machine has to be started again after a switch; nothing where it need not."""
    return "; ".join(plan.reboot.reasons) if plan.reboot.need is Need.LATER else ""


def way_back(kind: Kind, new: str, seen: Observation) -> Back | None:
    """The generation to go back to, where that is not simply what runs and what the profile holds.

    A system that runs and is only to be booted goes back to the one that was booted before. One
    that somebody has made the default by hand goes back to the one that runs.
    """
    now = seen.generation
    if new == now.current:
        return _proven(now.booted, seen) if kind is Kind.REBOOT and now.booted != new else None
    numbers = now.of(now.current) if now.profile == new else ()
    return Back(now.current, max(numbers)) if numbers else None


def _proven(booted: str, seen: Observation) -> Back:
    numbers = seen.generation.of(booted)
    if not numbers:
        raise Refused(
            f"no generation of {seen.machine} holds the system that it was booted with, so a "
            "reboot would have no way back",
            hint="with somebody at its console, reboot it by hand: systemctl reboot",
        )
    return Back(booted, max(numbers))


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
        way.server if way else "", way.server_port if way else 0, host.spec.system.boot.generations,
    )  # fmt: skip


def _refuse(plan: Plan, leave: Leave) -> None:
    for danger in plan.weighing(Weight.STOP):
        kind = Locked if danger.name == "locked" else Refused
        raise kind(f"{plan.host}: {danger.name}: {danger.message}", hint=danger.hint)
    for danger in plan.weighing(Weight.FLAG):
        if danger.name not in leave.accepted:
            raise Refused(
                f"{plan.host}: {danger.name}: {danger.message}",
                hint=f"{danger.hint}; knowing better: --accept {danger.name}",
            )


def _unspoken(plan: Plan, leave: Leave) -> None:
    for step in plan.unspoken(leave.accepted):
        raise Refused(
            f"{plan.host}: {step.title} cannot be undone",
            hint=f"read why in the plan; if it is meant: --accept {step.word}",
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
    return Kind.REBOOT if reboots(host, plan, leave) else Kind.LIVE
