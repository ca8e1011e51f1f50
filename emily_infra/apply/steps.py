"""The storage steps of a plan, on the host: each as it was planned, or not at all."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from emily_infra.apply.errors import NotBegun, StalePlan
from emily_infra.disks.faults import Unknown
from emily_infra.disks.known import known_pools
from emily_infra.machine import CommandFailed, Expired, Machine
from emily_infra.observe import Observation, Question, observe
from emily_infra.render.storage import BY_ID
from emily_infra.storage import record
from emily_infra.zfs.commands import MISMATCH, Command, overridable
from emily_infra.zfs.members import member
from emily_infra.zfs.rehearsed import layout

if TYPE_CHECKING:
    from emily_infra.apply.order import Order
    from emily_infra.plan.model import Step, Taking
    from emily_infra.spec.host import HostSpec

PATIENCE = 60
"""Seconds for a look: disks that were asleep take up to 20 of them to turn."""
_DEADLINE = 300.0
"""Of one command. None waits for a resilver; one that takes longer hangs behind a dead disk."""
_ASIDE = ("cache", "spare")
_TAKES_A_MIX = "--allow-replication-mismatch"
_UNHEARD_OF = re.compile(r"(?:invalid|unrecognized) option")


Look = Callable[[tuple[str, ...]], Observation]
"""A look at the host that reads these disks too."""


def looking(machine: Machine) -> Look:
    """Over one connection, with time enough for disks that were asleep."""
    return lambda disks: observe(machine, Question(disks=disks, patience=PATIENCE))


@dataclass(frozen=True)
class Due:
    """A step whose turn it is."""

    step: "Step"
    serials: Mapping[str, str] = field(default_factory=dict)
    """Of the disks that it takes."""
    unproven: tuple[str, ...] = ()
    """Its pools of which the kernel does not say when they last wrote."""


def still_needed(order: "Order", look: Look) -> Iterator[Due]:
    """The steps whose effect is not there yet, in an order that works.

    Minutes or days may lie between plan and apply: somebody has done a step by hand, or an earlier
    apply has, or a disk is blank no longer. NotBegun or StalePlan, before the first of them.
    """
    from emily_infra.plan.storage import against, steps, to_read

    if order.spec is None:
        yield from map(Due, order.steps)
        return
    seen = look(())
    if disks := to_read(order.spec, seen):
        seen = look(disks)
    _told(order, order.spec, seen)
    planned = {step.commands: step for step in order.steps}
    titles = {step.title for step in order.steps}
    found = list(steps(order.spec, seen))
    for step in found:
        if step.title in titles and not step.hazard.runs:
            raise _not_begun(step, step.why)
        if step.hazard.runs and not step.offered and step.commands not in planned:
            raise StalePlan(
                f"the pools of {order.host} are not as they were when the plan was made: now it "
                f"takes another step, {step.title}",
                hint=f"look at the new plan: emily-infra plan {order.host}",
            )
    todo = [step for step in found if step.hazard.runs and step.commands in planned]
    for step in todo:
        disks = _disks(order.spec, step)
        if disks and step is not todo[0]:  # a resilver or an add may have taken its time
            seen = look(disks)
            _told(order, order.spec, seen)
            if why := next(against(order.spec, step, seen), ""):
                raise _not_begun(step, why)
        yield _due(order.spec, step, seen)


def _disks(spec: "HostSpec", step: "Step") -> tuple[str, ...]:
    names = step.taking.disks if step.taking else ()
    found = (member(name, spec.storage.disks) for name in names)
    return tuple(dict.fromkeys(each.disk for each in found if each))


def _due(spec: "HostSpec", step: "Step", seen: Observation) -> Due:
    taken = {*_disks(spec, step)}
    serials = {name: disk.serial for disk in seen.disks for name in taken & {*disk.ids}}
    pools = (seen.pool(name) for name in sorted(_pools(spec, step)))
    silent = tuple(pool.name for pool in pools if pool and pool.committed_age is None)
    return Due(step, serials, silent)


def _told(order: "Order", spec: "HostSpec", seen: Observation) -> None:
    """NotBegun, where the host does not say how the pools are that steps are about.

    What is not seen needs no step, so that the steps would be left out without a word.
    """
    try:
        known_pools(order.host, seen)
    except Unknown as error:
        raise NotBegun(str(error), hint=error.hint) from error
    for name in sorted({name for step in order.steps for name in _pools(spec, step)}):
        pool = seen.pool(name)
        if pool is None or not (pool.told and pool.datasets):
            raise StalePlan(
                f"{order.host} does not say how pool {name} is, which the plan has steps for",
                hint=f"zpool status -v {name}; if it was exported: zpool import -d {BY_ID} {name}",
            )


def _pools(spec: "HostSpec", step: "Step") -> set[str]:
    """The pools of host.yaml that its commands name, themselves or by a dataset."""
    words = (word for command in step.commands for word in command[2:])
    return {word.partition("/")[0] for word in words} & spec.storage.pools.keys()


def take(due: Due, machine: Machine) -> None:
    """Run its commands; one that cannot be undone is rehearsed before.

    zpool writes a table on a disk before it asks the kernel, which may refuse. The record lets the
    next plan know that table as its own.
    """
    step = due.step
    for pool in due.unproven:  # else the first to hang would be a step
        _run(step, ("zpool", "sync", pool), machine)
    commands = [
        _rehearsed(step, step.taking, command, machine) if _adds(step) else command
        for command in step.commands
    ]
    for disk, serial in sorted(due.serials.items()):
        record.begin(machine, record.of_disk(disk), {disk: serial})
    for command in commands:
        _run(step, command, machine)
    for disk in sorted(due.serials):
        record.end(machine, record.of_disk(disk))


def _adds(step: "Step") -> bool:
    return bool(step.taking and step.taking.role)


def _rehearsed(
    step: "Step", taking: "Taking | None", command: Command, machine: Machine
) -> Command:
    """The command, with force only if zpool minds nothing but what host.yaml asks for."""
    assert taking
    try:
        said = _run(step, _with(command, "-n"), machine)
    except NotBegun as error:
        reasons = overridable(str(error)) or ()
        if not taking.uneven or not reasons or not all(r.startswith(MISMATCH) for r in reasons):
            raise
        command, said = _overriding(step, command, machine)
    shapes = list(layout(said))
    meant = (taking.role, taking.kind, tuple(sorted(taking.disks)))
    others = [
        shape
        for shape in shapes
        if set(shape.disks) & set(taking.disks) and (shape.role, shape.kind, shape.disks) != meant
    ]
    is_there = any((shape.role, shape.kind, shape.disks) == meant for shape in shapes)
    if others or not (is_there or taking.role in _ASIDE):  # 2.1 shows neither cache nor spares
        shown = "; ".join(map(str, others)) or "nothing of the kind"
        raise _not_begun(step, f"zpool understands something else by it: {shown}")
    return command


def _overriding(step: "Step", command: Command, machine: Machine) -> tuple[Command, str]:
    """The command with what takes a mix, and its rehearsal.

    -f would also take a disk that is in use. OpenZFS 2.1 knows nothing else.
    """
    for flag in (_TAKES_A_MIX, "-f"):
        changed = _with(command, flag)
        try:
            return changed, _run(step, _with(changed, "-n"), machine)
        except NotBegun as error:
            if flag == "-f" or not _UNHEARD_OF.search(str(error)):
                raise
    raise AssertionError


def _with(command: Command, flag: str) -> Command:
    return (*command[:2], flag, *command[2:])


def _run(step: "Step", command: Command, machine: Machine) -> str:
    try:
        return machine.run(*command, deadline=_DEADLINE)
    except CommandFailed as error:
        raise _not_begun(step, str(error), error.hint) from error
    except Expired as error:
        raise _not_begun(
            step,
            f"no end within {_DEADLINE:.0f} s, so it hangs or goes on by itself: {error}",
            "look whether the pool still writes: zpool status -v; dmesg -T | tail",
        ) from error


def _not_begun(step: "Step", why: str, hint: str = "plan again") -> NotBegun:
    return NotBegun(
        f"{step.title}: {why}",
        hint=f"{hint}; what was done before it stays, and may be done again",
    )
