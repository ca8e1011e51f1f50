"""An installation, from wherever it stands to disks that the next boot finds its system on."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import count

from emily_infra.disks.blank import Report
from emily_infra.disks.faults import NotCreated
from emily_infra.findings import Finding
from emily_infra.install import verify
from emily_infra.install.deeds import identity, importing, installing, letting_go
from emily_infra.install.faults import NotAnInstaller, NotBootable, NotLetGo
from emily_infra.install.layout import ROOT, boot_places, mounting, place
from emily_infra.install.survey import (
    Ground,
    Standing,
    boot_reports,
    ground,
    idle,
    old_enough,
    question,
    unformatted,
)
from emily_infra.machine import CommandFailed, Machine
from emily_infra.observe import Observation, observe
from emily_infra.plan.model import Built
from emily_infra.render.storage import BY_ID, file_systems
from emily_infra.spec.host import Host
from emily_infra.storage.create import Creation, Tell, make_formats, partition, reading
from emily_infra.storage.rehearsal import accepts_weaker

Copying = Callable[[str, Tell], None]
_SLOW = 3600.0
_STEP = 50
"""Copied paths between two words about them."""


@dataclass(frozen=True)
class Installation:
    """One installation over one connection."""

    machine: Machine
    host: Host
    findings: tuple[Finding, ...] = ()
    """Of host.yaml, with what of it is acknowledged."""
    tell: Tell = lambda _: None

    @property
    def weaker(self) -> tuple[str, ...]:
        """The pools of which host.yaml acknowledges that one vdev survives less than another."""
        pools = self.host.spec.storage.pools
        return tuple(name for name in pools if accepts_weaker(self.findings, name))

    def look(self) -> Ground:
        """How things are now."""
        return ground(self.host, observe(self.machine, question(self.host.spec)))

    def make(self, built: Built, copy: Copying) -> None:
        """Go on from wherever it stands to the end."""
        wanted = verify.images(built)
        found = self._clean(built)
        self.tell(f"this machine is {self.host.name} for ZFS now")
        self.machine.run("sh", stdin="set -e\n" + "\n".join(identity(self.host)), deadline=120)
        for report in found.boot:
            if report.to_partition or found.to_format[report.place.disk]:
                self._prepare(report)
        for pool in found.pools:
            self._open(pool.name, pool.standing)
        self._mount()
        self._copy(built, copy)
        self.tell("installing profile and boot loader")
        self.machine.run(*installing(built.toplevel), deadline=_SLOW)
        self._verify(built, wanted)
        self._let_go()

    def _clean(self, built: Built) -> Ground:
        """A fresh look that found nothing against it."""
        found = self.look()
        old_enough(self.host, found, built.closure)
        if found.findings:
            raise NotCreated(
                f"a disk is not what it was a moment ago: {found.findings[0].message}",
                hint=found.findings[0].hint,
            )
        return found

    def _prepare(self, report: Report) -> None:
        """A boot disk: its table, then what is on its partitions that no pool gets."""
        if report.to_partition:
            partition(self.machine, report, self.tell)
        seen = self._observed(report.place.disk)
        (again,) = boot_reports(self.host, seen, report.place.disk)
        if again.objections:
            raise NotCreated(again.objections[0].message, hint=again.objections[0].hint)
        if left := unformatted(again, seen):
            self.tell(f"formatting the boot and swap partitions of {report.place.disk}")
            make_formats(self.machine, report.place, left)

    def _open(self, pool: str, standing: Standing) -> None:
        """A pool with its datasets, imported below ROOT."""
        if standing is Standing.ASLEEP:
            self.tell(f"importing {pool}")
            self.machine.run(*importing(pool), deadline=300)
        weaker = pool in self.weaker
        Creation(self.machine, self.host, pool, self.tell, weaker, ROOT).make()

    def _mount(self) -> None:
        """What is not mounted yet, parents first."""
        seen = self._observed()
        idle(self.host, seen)
        there = {path for _, path, _ in seen.mounts}
        for entry in file_systems(self.host.spec):
            if place(entry) not in there:
                self.tell(f"mounting {entry.path}")
                for command in mounting(entry):
                    self.machine.run(*command, deadline=60)
        wrong = tuple(verify.mislaid(self.host, self._observed()))
        if wrong:
            raise NotAnInstaller("; ".join(wrong), hint=f"look at it: findmnt -R {ROOT}")

    def _copy(self, built: Built, copy: Copying) -> None:
        total, numbers = len(built.closure), count(1)

        def told(line: str) -> None:
            if line.startswith("copying path ") and (number := next(numbers)) % _STEP == 0:
                self.tell(f"copied {number} of at most {total} paths")

        self.tell(f"copying the system: {total} paths, less what is there")
        copy(built.toplevel, told)

    def _verify(self, built: Built, wanted: tuple[verify.Image, ...]) -> None:
        """NotBootable, with every reason at once; all is left as it is, to be looked at."""
        self.tell("looking at what the next boot will find")
        program = verify.script(self.host, wanted)
        told = self.machine.run("unshare", "--mount", "sh", stdin=program, deadline=600)
        seen = self._observed(*(place.disk for place in boot_places(self.host.spec)))
        reasons = (
            *verify.unbootable(self.host, built, wanted, verify.sight(told)),
            *verify.mislaid(self.host, seen),
            *verify.unswappable(self.host, seen),
            *verify.unstable(self.host, seen),
            *self._damaged(built),
        )
        if reasons:
            raise NotBootable(_listed("the next boot would not find its system", reasons),
                              hint=f"all is left mounted below {ROOT}; look there, then the same "
                              "again")  # fmt: skip

    def _damaged(self, built: Built) -> Iterable[str]:
        """Store paths that do not hold what they did here."""
        paths = "".join(f"{path}\n" for path in built.closure)
        try:
            self.machine.run("xargs", "nix-store", "--store", ROOT, "--verify-path",
                             stdin=paths, deadline=6 * _SLOW)  # fmt: skip
        except CommandFailed as error:
            said = error.stderr.strip().splitlines()[-3:]
            return (f"the copied system is not whole: {' / '.join(said)}",)
        return ()

    def _let_go(self) -> None:
        """Unmount and export, and look whether the new system may have it all."""
        self.tell("unmounting, and exporting the pools")
        for command in letting_go(self.host):
            try:
                self._let_go_of(*command)
            except CommandFailed as error:
                raise NotLetGo(
                    f"{' '.join(command)}: {error.stderr.strip()}",
                    hint=f"who uses it: fuser -vm {ROOT}; then the same again. Pools that are not "
                    "exported open on the new system all the same, for they carry its hostid",
                ) from error
        listing = self.machine.run("zpool", "import", "-d", BY_ID, deadline=120)
        seen = self._observed(*self.host.spec.storage.disks)
        reasons = tuple(verify.held(self.host, seen, listing))
        if reasons:
            raise NotLetGo(_listed("the new system might be refused its pools", reasons),
                           hint=f"zpool import -d {BY_ID}")  # fmt: skip

    def _let_go_of(self, *command: str) -> None:
        """Twice, for what was just closed may be held for a moment."""
        with suppress(CommandFailed):
            self.machine.run(*command, deadline=300)
            return
        self.machine.run("udevadm", "settle", deadline=150)
        self.machine.run(*command, deadline=300)

    def _observed(self, *disks: str) -> Observation:
        """A look at the machine, in which only these disks are read."""
        return observe(self.machine, reading(self.host.spec.storage, disks))


def _listed(what: str, reasons: Iterable[str]) -> str:
    return what + "".join(f"\n  {reason}" for reason in reasons)
