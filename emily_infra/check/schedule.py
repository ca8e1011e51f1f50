"""Rules about time: how long snapshots and copies live, when runs begin, how long they take."""

from collections.abc import Iterator
from itertools import combinations

from emily_infra.check.backup import dataset_place, repositories, repository_place
from emily_infra.check.rule import Problem, Standing, host_rule
from emily_infra.findings import Severity
from emily_infra.spec import topology
from emily_infra.spec.backup import Repository
from emily_infra.spec.host import Host, HostSpec
from emily_infra.spec.snapshots import copied_to, policy_of, reach, replicated_to
from emily_infra.spec.units import Calendar, Duration

_DAY = Duration.parse("1d")


@host_rule(
    "BAK003",
    Severity.ERROR,
    wrong="storage: { pools: { tank: { datasets: { home: { snapshots: dayly } } } } }",
    right="storage: { pools: { tank: { datasets: { home: { snapshots: daily } } } } }",
    standing=Standing.CONTRADICTION,
)
def a_policy_that_does_not_exist(host: Host) -> Iterator[Problem]:
    """A dataset names a snapshot policy that does not exist

    No snapshot would be taken of it, and everything that builds on snapshots (copies elsewhere,
    previous versions in the shares) would go without. Policies stand under backup.snapshots;
    `none` is the word for a dataset that takes no snapshots on purpose.
    """
    policies = sorted(host.spec.backup.snapshots)
    for path, (_, dataset) in topology.datasets(host.spec).items():
        name = dataset.snapshots
        if name and name != "none" and name not in policies:
            yield Problem(
                at=(*dataset_place(path), "snapshots"),
                message=f"{path} follows the policy {name}, which backup.snapshots lacks",
                hint=f"write one of: {', '.join([*policies, 'none'])}; or add the policy, such as "
                f"{name}: {{ hourly: 48, daily: 14, weekly: 8 }}",
            )


@host_rule(
    "BAK006",
    Severity.ERROR,
    wrong="backup: { snapshots: { daily: { hourly: 24, daily: 1, monthly: 0 } } }",
    right="backup: { snapshots: { daily: { hourly: 48, daily: 14, monthly: 0 } } }",
)
def snapshots_that_end_before_the_next_copy(host: Host) -> Iterator[Problem]:
    """Snapshots are gone before a missed copy is made up for

    A copy is made from a snapshot. With 24 hours of snapshots and one copy a night, a single night
    that fails leaves nothing anywhere that is older than a day: a file deleted the morning before
    is lost. Keep snapshots for at least twice the time between two copies, so that one run may fail
    and be noticed. A dataset that takes no snapshots has nothing to copy from at all.
    """
    datasets = topology.datasets(host.spec)
    for path, needed in _copied(host.spec):
        dataset = datasets[path][1]
        policy = policy_of(host.spec, dataset)
        if policy and reach(policy) < needed:
            yield Problem(
                at=(*dataset_place(path), "snapshots"),
                message=f"the snapshots of {path} reach back {reach(policy)}; two runs of "
                f"its copy need {needed}",
                hint=f"keep more in backup.snapshots.{dataset.snapshots}, "
                "such as { hourly: 48, daily: 14, weekly: 8 }",
            )
        elif not policy and dataset.snapshots in (None, "none"):
            policies = sorted(host.spec.backup.snapshots)
            yield Problem(
                at=(*dataset_place(path), "snapshots"),
                message=f"{path} is to be copied, but takes no snapshots to copy from",
                hint=f"give it a policy: snapshots: {policies[0] if policies else 'daily'}",
            )


def _copied(spec: HostSpec) -> Iterator[tuple[str, Duration]]:
    """Every covered dataset with the time of two runs of its slowest copy."""
    for path in topology.datasets(spec):
        periods = [spec.backup.offsite[name].schedule.period for name in copied_to(spec, path)]
        periods += [
            spec.backup.replicas[name].schedule.period for name in replicated_to(spec, path)
        ]
        if periods:
            yield path, Duration(2 * max(periods))


@host_rule(
    "BAK007",
    Severity.WARNING,
    wrong="backup: { drill: null }",
    right="backup: { drill: weekly }",
)
def a_copy_that_is_never_restored(host: Host) -> Iterator[Problem]:
    """Copies are made, but never restored

    A copy counts once it has been restored. A drill restores a few real files to a scratch folder,
    compares them byte for byte with the snapshot they came from and leaves evidence; the alerts
    watch its age. Without it, the first restore is the one you need.
    """
    backup = host.spec.backup
    if backup.offsite and not backup.drill:
        yield Problem(
            at=("backup",),
            message=f"nothing is ever restored from {' or '.join(sorted(backup.offsite))}",
            hint="add to backup: drill: weekly",
        )


@host_rule(
    "BAK008",
    Severity.ERROR,
    wrong="backup: { offsite: { shed: { keep: { daily: 0, weekly: 0, monthly: 0, yearly: 0 } } } }",
    right="backup: { offsite: { shed: { keep: { daily: 7, weekly: 0, monthly: 0, yearly: 0 } } } }",
)
def a_repository_that_keeps_nothing(host: Host) -> Iterator[Problem]:
    """A repository is told to keep nothing

    Every copy would be forgotten as soon as it is made. restic refuses a policy without a single
    rule, so nothing would ever be forgotten instead, and the repository would grow for ever.
    """
    for name, repository in repositories(host.spec):
        if not any(count for _, count in repository.keep):
            yield Problem(
                at=(*repository_place(name), "keep"),
                message=f"all counts of {name} are 0",
                hint="write keep: { daily: 7, weekly: 4, monthly: 12, yearly: 3 }",
            )


@host_rule(
    "BAK012",
    Severity.WARNING,
    wrong='backup: { offsite: { shed: { schedule: "06:00" } } }',
    right='backup: { offsite: { shed: { schedule: "05:30" } } }',
)
def two_runs_at_the_same_minute(host: Host) -> Iterator[Problem]:
    """Two runs on one repository begin at the same minute

    Pruning and verifying lock a repository for everyone else. Two runs that begin together end one
    after the other, so the copy may be made hours later than it says here. Leave room between
    them: the copy first, at night; reading back when it is surely done; pruning once a week.
    """
    for name, repository in repositories(host.spec):
        runs = (
            ("schedule", "the copy", repository.schedule),
            ("prune", "pruning", repository.prune),
            ("verify", "reading back", repository.verify.schedule),
        )
        for (_, first, one), (key, second, other) in combinations(runs, 2):
            if coincide(one, other):
                yield Problem(
                    at=(*repository_place(name), key),
                    message=f"{first} ({one}) and {second} ({other}) of {name} can begin at the "
                    "same minute; one waits for the other",
                    hint="move one of them to a minute of its own, such as "
                    f"{'prune: Sun 09:30' if key == 'prune' else 'verify: { schedule: 06:30 }'}",
                )


def coincide(one: Calendar, other: Calendar) -> bool:
    """Whether two calendars ever fire at the same minute."""
    pairs = zip(_fields(one), _fields(other), strict=True)
    return all(a == b or "*" in (a, b) for a, b in pairs)


def _fields(calendar: Calendar) -> list[str]:
    """Weekday, day of the month, hour and minute, each a value or a star."""
    *day, date, time, _ = calendar.on_calendar.split(" ")
    hour, minute, _ = time.split(":")
    return [day[0] if day else "*", date.rpartition("-")[2], hour, minute]


@host_rule(
    "BAK016",
    Severity.ERROR,
    wrong='backup: { offsite: { shed: { schedule: "02:00", hours: "22:00-02:00" } } }',
    right='backup: { offsite: { shed: { schedule: "02:00", hours: "22:00-06:00" } } }',
)
def hours_that_leave_no_time(host: Host) -> Iterator[Problem]:
    """A copy has no time to run in

    Outside of `hours` a running copy is stopped in good order and goes on with the next run. A
    run that begins outside of them is over at once, every time, and hours that are shorter than
    one hour are mostly spent on reading the index of the repository and listing files.
    """
    for name, repository in repositories(host.spec):
        hours = repository.hours
        if hours and not any(map(hours.holds, _starts(repository.schedule))):
            yield Problem(
                at=(*repository_place(name), "hours"),
                message=f"{name} begins {repository.schedule}, which is not within {hours}",
                hint=f"move the schedule into the hours, such as {hours[:5]}, or widen them",
            )
        elif hours and hours.length < Duration.parse("1h"):
            yield Problem(
                at=(*repository_place(name), "hours"),
                message=f"{hours} is {hours.length}, too short for a copy to get anywhere",
                hint="give it an hour at least, such as 22:00-06:00",
            )


def _starts(calendar: Calendar) -> Iterator[int]:
    """The minutes of the day at which a calendar may fire."""
    hour, minute = _fields(calendar)[2:]
    hours = range(24) if hour == "*" else (int(hour),)
    yield from (each * 60 + int(minute) for each in hours)


@host_rule(
    "BAK013",
    Severity.WARNING,
    wrong="backup: { offsite: { shed: { verify: { schedule: monthly, whole_in: 2w } } } }",
    right='backup: { offsite: { shed: { verify: { schedule: "06:00", whole_in: 4w } } } }',
)
def reading_back_too_seldom(host: Host) -> Iterator[Problem]:
    """Reading back cannot keep the promise of whole_in

    Each run reads one share of the repository, and all shares together are every byte. When runs
    are further apart than whole_in, even a run that reads everything comes too late.
    """
    for name, repository in repositories(host.spec):
        verify = repository.verify
        if verify.schedule.period > verify.whole_in:
            yield Problem(
                at=(*repository_place(name), "verify"),
                message=f"{name} is read back {verify.schedule}, up to "
                f"{verify.schedule.period} apart, but every byte is promised within "
                f"{verify.whole_in}",
                hint='write verify: { schedule: "06:00", whole_in: 4w }',
            )


@host_rule(
    "BAK014",
    Severity.NOTE,
    wrong="storage: { pools: { tank: { datasets: { home: { quota: 3TB } } } } }\n"
    "backup: { offsite: { shed: { upload_limit: 100Mbps } } }",
    right="storage: { pools: { tank: { datasets: { home: { quota: 500GB } } } } }\n"
    "backup: { offsite: { shed: { upload_limit: 100Mbps } } }",
)
def a_first_copy_longer_than_a_day(host: Host) -> Iterator[Problem]:
    """The first copy takes longer than a day

    Bytes divided by the line: 1 Gbit/s carries 10.8 TB a day at the very most. Until the first copy
    is complete there is no copy, and the nightly run does not start a second time meanwhile. Begin
    with the datasets that cannot be had again, add the others one by one. Reckoned from quotas,
    because the size of the data is not known here; of a day, only its `hours` count.
    """
    for name, repository in repositories(host.spec):
        size, rate = _quota(host.spec, repository), _rate(host.spec, repository)
        hours = repository.hours
        carried = rate * (hours.length if hours else _DAY).seconds
        if size * 8 > carried:
            yield Problem(
                at=(*repository_place(name), "datasets"),
                message=f"filled to their quotas, the datasets of {name} hold "
                f"{size / 10**12:.4g} TB; at {rate}{f' from {hours}' if hours else ''} that takes "
                f"{size * 8 / carried:.1f} days at least",
                hint="list the most precious dataset first, and add the others once it is copied",
            )


def _quota(spec: HostSpec, repository: Repository) -> int:
    known = topology.datasets(spec)
    quotas = (known[path][1].quota for path in set(repository.datasets) if path in known)
    return sum(quota for quota in quotas if quota)


def _rate(spec: HostSpec, repository: Repository) -> int:
    """The most that can pass: the fastest uplink, or the ceiling below it."""
    line = max(uplink.speed for uplink in spec.network.uplinks.values())
    return min(line, repository.upload_limit or line)
