"""A pool, created on disks that are provably blank, in steps that can be cut off and done again."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from emily_infra.apply.errors import Locked
from emily_infra.disks import partitions
from emily_infra.disks.blank import Guard, Report
from emily_infra.disks.faults import NotCreated, OtherwiseMeant, Stuck, Unknown
from emily_infra.disks.known import known_pools
from emily_infra.disks.places import Members, Place, places
from emily_infra.findings import Finding, Severity
from emily_infra.machine import Machine
from emily_infra.observe import Observation, Question, observe
from emily_infra.observe.disks import ZfsLabel
from emily_infra.observe.pools import Pool, standstill
from emily_infra.render.storage import BY_ID
from emily_infra.spec import storage
from emily_infra.spec.host import Host
from emily_infra.spec.topology import datasets
from emily_infra.storage import record
from emily_infra.storage.rehearsal import Rehearsal, rehearse
from emily_infra.zfs.commands import Command, create_dataset, unmounted
from emily_infra.zfs.properties import wanted
from emily_infra.zfs.shapes import Names, declared_shapes, found_shapes

Tell = Callable[[str], None]

PATIENCE = 60
"""Seconds for a look: disks that were asleep take up to 20 of them to turn."""
_EACH = 8
"""Seconds more for each device that is read, on a machine that is slow or busy."""


@dataclass(frozen=True)
class Survey:
    """What it takes until the pool is as host.yaml says, and what stands against it."""

    pool: str
    exists: bool
    reports: tuple[Report, ...] = ()
    findings: tuple[Finding, ...] = ()
    datasets: tuple[Command, ...] = ()
    """The datasets that the pool lacks."""

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        return self.exists and not self.datasets


def question(spec: storage.Storage, pool: str) -> Question:
    """The disks of a pool, read for what is on them."""
    return reading(spec, (each.disk for each in places(spec, pool)))


def reading(spec: storage.Storage, disks: Iterable[str]) -> Question:
    """These disks, with their partitions, read for what is on them."""
    names = tuple(disks)
    devices = sum(1 + len(spec.disks[name].partitions) for name in names if name in spec.disks)
    return Question(disks=names, patience=PATIENCE + _EACH * devices)


def survey(host: Host, name: str, seen: Observation) -> Survey:
    """What a look at the machine means for the pool; an error where no disk is to blame."""
    known_pools(host.name, seen)
    pool = seen.pool(name)
    if pool:
        return _there(host, pool, seen)
    _not_elsewhere(host, name, seen)
    mine = places(host.spec.storage, name)
    members = Members(host.spec.storage, seen)
    reports = Guard(seen, members, mine, name, record.begun(seen, name)).reports()
    return Survey(name, exists=False, reports=reports, findings=tuple(findings_of(host, reports)),
                  datasets=tuple(_missing(host, name, None)))  # fmt: skip


def _there(host: Host, pool: Pool, seen: Observation) -> Survey:
    alive(pool)
    differing = list(_differing(host.spec.storage, pool, seen))
    if differing:
        raise NotCreated(
            f"{host.name} has a pool {pool.name}, and it is not the one of host.yaml: "
            + "; ".join(differing),
            hint=f"compare: zpool status -P {pool.name}; emily-infra plan {host.name}",
        )
    return Survey(pool.name, exists=True, datasets=tuple(_missing(host, pool.name, pool)))


def alive(pool: Pool) -> None:
    """Stuck, where a pool says nothing, is suspended, or has long written nothing.

    Its health is no proof of life: it stays ONLINE for minutes when its disks are gone.
    """
    why = standstill(pool) if pool.told else f"zpool does not say how {pool.name} is"
    if why:
        raise Stuck(why, hint=f"zpool status -v {pool.name}; dmesg -T | tail")


def _differing(spec: storage.Storage, pool: Pool, seen: Observation) -> Iterator[str]:
    """How the pool is built otherwise than host.yaml says."""
    body = spec.pools[pool.name]
    ours = set(declared_shapes(body))
    disks = {disk for shape in ours for disk in shape.disks}
    there = set(found_shapes(pool.vdevs, Names(seen.device_names, disks)))
    yield from (f"it lacks {shape}" for shape in sorted(ours - there))
    yield from (f"it has {shape}" for shape in sorted(there - ours))
    ashift = pool.properties.get("ashift")
    if ashift and ashift.value not in ("0", str(body.ashift)):
        yield f"it has ashift {ashift.value}, not {body.ashift}"


def _not_elsewhere(host: Host, name: str, seen: Observation) -> None:
    """NotCreated, where the disks hold the very pool, only that it is not imported."""
    holding = {disk: label.hostname for disk, label in asleep(name, seen)}
    if not holding:
        return
    others = sorted({used for used in holding.values() if used not in ("", host.name)})
    last = f", last used by {', '.join(others)}" if others else ""
    first = f"make sure that {others[0]} does not use it any more; then, " if others else ""
    raise NotCreated(
        f"pool {name} is there already, on {', '.join(sorted(holding))}{last}; "
        "it is only not imported",
        hint=f"{first}on {host.name}: zpool import -d {BY_ID} {name}",
    )


def asleep(name: str, seen: Observation) -> Iterator[tuple[str, ZfsLabel]]:
    """The disks that hold a pool which could be imported, with its labels there."""
    for each in seen.examined:
        for label in each.labels:
            usable = label.state in ("active", "exported") and label.txg != 0
            if label.pool == name and usable:
                yield each.id, label


def _missing(host: Host, name: str, pool: Pool | None) -> Iterator[Command]:
    there = {each.name for each in pool.datasets} if pool else set()
    if pool and not pool.datasets:
        raise Unknown(
            f"{host.name} cannot say which datasets {name} has",
            hint="a zpool create may still be at work there: try again in a minute; "
            f"if it stays, look at it: zfs list -r {name}",
        )
    for path, (owner, dataset) in datasets(host.spec).items():  # parents before children
        if owner == name and path not in there:
            yield create_dataset(path, wanted(dataset, host.spec.storage.pools[name]))


def findings_of(host: Host, reports: tuple[Report, ...]) -> Iterator[Finding]:
    """What stands against disks, each at its line of host.yaml."""
    for report in reports:
        for each in report.objections:
            path = ("storage", "disks", report.place.disk)
            place = host.source.locate(path)
            yield Finding(each.code, Severity.ERROR, place, each.message, each.ways_out, path,
                          host.name)  # fmt: skip


@dataclass(frozen=True)
class Creation:
    """One creation over one connection: what was blank seconds ago is what is written on."""

    machine: Machine
    host: Host
    pool: str
    tell: Tell = lambda _: None
    weaker: bool = False
    """Whether host.yaml acknowledges that one vdev survives less than another."""
    below: str = ""
    """The folder that is to be a system's root: the pool is that system's, and none of it is
    mounted here."""

    @property
    def _flags(self) -> Command:
        return ("-R", self.below) if self.below else ()

    def rehearse(self) -> Rehearsal:
        """The command that will create the pool; its disks have their partitions already."""
        body = self.host.spec.storage.pools[self.pool]
        return rehearse(self.machine, self.pool, body, *self._flags, weaker=self.weaker)

    def look(self) -> Survey:
        """How things are now; its disks are read only where the pool is not there."""
        seen = self._seen(Question(patience=PATIENCE))
        return survey(self.host, self.pool, seen) if seen.pool(self.pool) else self._read()

    def _read(self) -> Survey:
        return survey(self.host, self.pool,
                      self._seen(question(self.host.spec.storage, self.pool)))  # fmt: skip

    def _seen(self, asked: Question) -> Observation:
        seen = observe(self.machine, asked)
        unlocked(self.host.name, seen)
        return seen

    def make(self) -> None:
        """Go on from wherever it stands to the pool with its datasets."""
        found = self._clean()
        if not found.exists:
            self._prepare(found)
            self._create()
            found = self.look()
            if not found.exists:
                raise OtherwiseMeant(
                    f"zpool create ended well, and {self.pool} is not there",
                    hint="zpool import; dmesg -T | tail",
                )
        for command in found.datasets:
            self.tell(f"creating {command[-1]}")
            self.machine.run(*(unmounted(command) if self.below else command), deadline=60)
        record.end(self.machine, self.pool)

    def _clean(self, otherwise: str = "a disk is not what it was a moment ago") -> Survey:
        """A fresh look that found nothing against it."""
        found = self._read()
        if found.findings:
            raise NotCreated(
                f"{otherwise}: {found.findings[0].message}",
                hint=found.findings[0].hint,
            )
        return found

    def _prepare(self, found: Survey) -> None:
        """Partitions, where host.yaml declares some and there are none."""
        serials = {r.place.disk: r.found.serial for r in found.reports if r.found}
        record.begin(self.machine, self.pool, serials)
        for report in found.reports:
            if report.to_partition:
                partition(self.machine, report, self.tell)
        if any(report.to_partition for report in found.reports):
            found = self._clean("what its partitions held before has come to light")
        for report in found.reports:
            make_formats(self.machine, report.place, report.to_format)

    def _create(self) -> None:
        """Seconds after the last look."""
        rehearsed = self.rehearse()
        if rehearsed.warning:
            self.tell(f"zpool minds, and host.yaml acknowledges: {rehearsed.warning}")
        forced = ", with -f for this one reason" if rehearsed.warning else ""
        self.tell(f"creating {self.pool}{forced}")
        self.machine.run(*rehearsed.command, deadline=600)


def unlocked(name: str, seen: Observation) -> None:
    """Locked, where somebody deploys: each would act on what the other one changes."""
    if not (seen.deploys.lock or seen.deploys.switching):
        return
    who = seen.deploys.lock.who if seen.deploys.lock else ""
    raise Locked(
        f"{who or 'somebody'} is deploying to {name}",
        hint=f"wait for it: emily-infra history {name}",
    )


def partition(machine: Machine, report: Report, tell: Tell) -> None:
    """Write the declared table on a blank disk, and wait until its partitions are there."""
    place = report.place
    tell(f"partitioning {place.disk}")
    command = partitions.partitioning(place.disk)
    machine.run(*command, stdin=report.table, deadline=60)
    paths = partitions.parts(place.disk, place.body)
    machine.run("sh", stdin=partitions.appearing(paths), deadline=330)


def make_formats(machine: Machine, place: Place, numbers: tuple[str, ...]) -> None:
    """File systems and swap on those partitions that no pool gets."""
    paths = {partitions.part(place.disk, number) for number in numbers}
    for command in partitions.formats(place.disk, place.body):
        if command[-1] in paths:
            machine.run(*command, deadline=120)
