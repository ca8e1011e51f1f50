"""What host.yaml promises about backups, held against what its machine wrote down."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from emily_infra.observe.backups import Backups
from emily_infra.observe.trouble import Trouble, Weight
from emily_infra.spec.grace import grace
from emily_infra.spec.host import HostSpec
from emily_infra.spec.snapshots import pace, policy_of
from emily_infra.spec.topology import datasets


@dataclass(frozen=True)
class _Held:
    """The promises of a host against the clock of its machine."""

    now: int
    said: Callable[[int], str]

    def late(self, what: str, at: int | None, limit: int, *look: str) -> Iterator[Trouble]:
        if not at:
            yield Trouble(Weight.NOTE, f"{what}: never yet", look)
        elif self.now - at > limit:
            age = f"{self.said(self.now - at)} old, promised within {self.said(limit)}"
            yield Trouble(Weight.WRONG, f"{what}: {age}", look)


def broken(
    spec: HostSpec, found: Backups, now: int, said: Callable[[int], str]
) -> tuple[Trouble, ...]:
    """Promises about backups that are not kept; SAID puts seconds into words."""
    held = _Held(now, said)
    return (*_snapshots(spec, found, held), *_repositories(spec, found, held))


def _snapshots(spec: HostSpec, found: Backups, held: _Held) -> Iterator[Trouble]:
    late: dict[tuple[int | None, int], list[str]] = {}
    for path, (_, dataset) in datasets(spec).items():
        if policy := policy_of(spec, dataset):
            due = found.snapshots.get(path), grace(pace(policy).seconds)
            late.setdefault(due, []).append(path)
    for (at, limit), paths in late.items():
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        look = ("journalctl", "-n", "50", "-u", "emily-snapshot")
        yield from held.late(f"newest snapshot of {paths[0]}{more}", at, limit, *look)


def _repositories(spec: HostSpec, found: Backups, held: _Held) -> Iterator[Trouble]:
    drill = spec.backup.drill
    for name, repository in sorted(spec.backup.offsite.items()):
        look = ("journalctl", "-n", "50", "-u", f"emily-offsite-{name}")
        limit = grace(repository.schedule.period.seconds)
        yield from held.late(f"newest copy in {name}", found.copied.get(name), limit, *look)
        if not drill:
            continue
        look = ("journalctl", "-n", "50", "-u", "emily-drill")
        if name in found.failed:
            message = f"the last drill of {name} did not give back what was copied"
            yield Trouble(Weight.WRONG, message, look)
            continue
        limit = grace(drill.schedule.period.seconds)
        yield from held.late(f"newest drill of {name}", found.drilled.get(name), limit, *look)
