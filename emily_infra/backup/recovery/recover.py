"""All that a repository holds of a host, back into its empty datasets; killed, it goes on."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from emily_infra.backup import upkeep
from emily_infra.backup.here import Here, named
from emily_infra.backup.locks import locked
from emily_infra.backup.occasion import Occasion
from emily_infra.backup.recovery import ground
from emily_infra.backup.recovery.faults import NotEmpty, NothingToGive, NotWhole
from emily_infra.backup.recovery.giving import Given, compared, missing, restored
from emily_infra.backup.recovery.ground import Plot, Standing
from emily_infra.backup.restic.messages import Copy
from emily_infra.backup.restic.program import Restic
from emily_infra.backup.restic.repository import contact, own_copies
from emily_infra.backup.restic.verdicts import PARTIAL
from emily_infra.errors import EmilyError

VERB = "recover"


@dataclass(frozen=True)
class Order:
    """What is asked for."""

    repository: str
    datasets: tuple[str, ...] = ()
    """All of the repository's if none is named."""
    at: datetime | None = None
    """The newest copy that is not younger than this."""
    root: Path = Path("/")
    """Below which the datasets are mounted: an installer mounts them below /mnt."""
    go_on: bool = False
    """Also where snapshots say that somebody may have worked since it was begun."""


@dataclass(frozen=True)
class Plan:
    """What would be done."""

    copy: Copy
    plots: tuple[Plot, ...]
    newer: Copy | None
    """A newer copy that lacks something, and was passed over."""
    missing: tuple[str, ...]
    """Datasets that the repository should hold, and that are not in the copy."""

    @property
    def is_partial(self) -> bool:
        """Whether the copy lacks files, for want of a better one."""
        return PARTIAL in self.copy.tags


@dataclass(frozen=True)
class Recovered:
    """What was done."""

    plan: Plan
    given: dict[str, Given]
    """By dataset, what this run restored; those that an earlier run had finished are left out."""
    snapshots: tuple[str, ...]
    trouble: tuple[EmilyError, ...]
    """Why the first snapshot could not be taken everywhere."""


def planned(here: Here, order: Order) -> Plan:
    """Look at the repository and at the machine; nothing is written."""
    return _planned(here, order, Restic(here, order.repository))


def recover(here: Here, order: Order, on_plan: Callable[[Plan], None]) -> Recovered:
    """Restore every dataset that is not restored yet, compare, and take a first snapshot."""
    restic = contact(here, order.repository)
    with locked(here, f"repository-{order.repository}", verb=VERB):
        plan = _planned(here, order, restic)
        on_plan(plan)
        given = {
            plot.dataset: _give(here, restic, plan.copy, plot)
            for plot in plan.plots
            if plot.standing is not Standing.DONE
        }
    taken = upkeep.upkeep(here, upkeep.Order(occasion=Occasion.APPLY))
    return Recovered(
        plan,
        given,
        snapshots=tuple(each.full for run in taken for each in run.taken),
        trouble=tuple(each for run in taken for each in run.trouble),
    )


def _planned(here: Here, order: Order, restic: Restic) -> Plan:
    held = sorted(here.settings.copied_to(order.repository))
    for dataset in order.datasets:
        named(dict.fromkeys(held, True), dataset, f"dataset in {order.repository}")
    plots = ground.survey(here, order.datasets or held, order.root)
    there = own_copies(restic)
    if not order.go_on:
        ground.must_be_unused(here, plots)
    copy = _chosen(order, there, plots)
    lacking = missing(restic, copy, [plot.dataset for plot in plots])
    newer = next((each for each in reversed(there) if each.time > copy.time), None)
    return Plan(
        copy,
        tuple(plot for plot in plots if plot.dataset not in lacking),
        newer if order.at is None else None,
        tuple(lacking),
    )


def _chosen(order: Order, there: Sequence[Copy], plots: Iterable[Plot]) -> Copy:
    """The copy that was begun, or else the newest good one."""
    begun = {plot.copy for plot in plots if plot.standing is not Standing.EMPTY}
    if len(begun) > 1:
        raise NotEmpty(
            f"datasets of this host were restored from different copies: {', '.join(begun)}",
            hint="restore the rest a dataset at a time: emily-infra backup recover HOST "
            "--dataset NAME",
        )
    if begun:
        return _begun(order, there, begun.pop())
    wanted = [each for each in there if order.at is None or each.time <= order.at]
    good = [each for each in wanted if PARTIAL not in each.tags] or wanted
    if not good:
        raise NothingToGive(
            f"{order.repository} holds no copy of this host"
            f"{f' from before {order.at:%Y-%m-%d %H:%MZ}' if order.at and there else ''}",
            hint=f"see what it holds: restic -r URL snapshots; another one: --repository NAME"
            f"{', or a later --at' if order.at else ''}",
        )
    return good[-1]


def _begun(order: Order, there: Sequence[Copy], begun: str) -> Copy:
    found = next((each for each in there if each.id == begun), None)
    if found is None:
        raise NothingToGive(
            f"the copy {begun[:8]} from which this recovery was begun is not in {order.repository}",
            hint="name the repository that it was begun from: --repository NAME; to begin anew, "
            "destroy and create the datasets by hand",
        )
    if order.at is not None and found.time > order.at:
        raise NotEmpty(
            f"a recovery from the copy of {found.time:%Y-%m-%d %H:%MZ} was begun already",
            hint="go on with that one: leave --at out",
        )
    return found


def _give(here: Here, restic: Restic, copy: Copy, plot: Plot) -> Given:
    ground.mark(here, plot, Standing.BEGUN, copy.id)
    here.tell(f"{plot.dataset}: restoring to {plot.place}")
    given = restored(restic, copy, plot)
    differing = compared(restic, copy, plot)
    if differing:
        raise NotWhole(
            f"{plot.dataset}: not as it is in the copy: {', '.join(map(str, differing))}",
            hint="run the same command again: it goes on, and mends what differs",
        )
    ground.mark(here, plot, Standing.DONE, copy.id)
    return given
