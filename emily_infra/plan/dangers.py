"""What about the host itself can make a deploy go wrong: told before anything is changed."""

from collections.abc import Iterator

from emily_infra.observe import Observation
from emily_infra.observe.pools import standstill
from emily_infra.plan.model import Built, Danger, Weight
from emily_infra.spec.host import Host
from emily_infra.spec.units import approximately

_CLOCK_MAY_DIFFER = 60
_SPARE = 64 << 20
"""What a file system keeps free beyond what is copied to it."""
_LOST = ("FAULTED", "UNAVAIL", "SUSPENDED", "REMOVED")


def dangers(host: Host, built: Built, observation: Observation, clock: float) -> list[Danger]:
    """Every danger; CLOCK is the operator's own time when the host was asked, 0 if not known."""
    found = [
        *another_host(host, observation),
        *_at_work(host, observation),
        *_space(built, observation),
        *_pools(observation),
        *_by_others(observation),
        *_failed(observation),
        *_clock(observation, clock),
        *_gaps(observation),
    ]
    return sorted(found, key=lambda danger: list(Weight).index(danger.weight))


def another_host(host: Host, observation: Observation) -> Iterator[Danger]:
    """Signs that this is not the machine that host.yaml means."""
    who = observation.identity
    if not who.is_nixos:
        yield Danger(
            "not-nixos", Weight.STOP, f"{who.hostname} is no NixOS: {who.os_release or 'unknown'}",
            "install NixOS there first; emily-infra changes a system, it does not make one",
        )  # fmt: skip
    if who.hostname != host.name:
        yield Danger(
            "wrong-host", Weight.FLAG,
            f"the machine at {host.spec.deploy.address} calls itself {who.hostname or 'nothing'}, "
            f"not {host.name}",
            "look whose address it is before you go on: grep -n address: hosts/*/host.yaml",
        )  # fmt: skip
    written = host.spec.system.host_id
    if who.host_id and who.host_id != written:
        imported = [pool.name for pool in observation.pools]
        text = f"its hostId is {who.host_id}, host.yaml says {written}"
        if imported:
            yield Danger(
                "other-host-id", Weight.FLAG,
                f"{text}; {', '.join(imported)} would be refused at the next boot",
                f"if it is the right machine, write host_id: {who.host_id}",
            )  # fmt: skip
        else:
            yield Danger("other-host-id", Weight.WARN, f"{text}; it counts from the next boot on")


def _at_work(host: Host, observation: Observation) -> Iterator[Danger]:
    deploys = observation.deploys
    if deploys.lock:
        who, since = deploys.lock.who or "somebody", observation.identity.now - deploys.lock.since
        yield Danger(
            "locked", Weight.STOP, f"{who} is deploying to it, since {_ago(since)}",
            f"wait until it is over; how it ended: emily-infra history {host.name}",
        )  # fmt: skip
    elif deploys.switching:
        yield Danger(
            "locked", Weight.STOP, "a switch-to-configuration is running on it",
            "wait for it; it is none of ours, so somebody uses nixos-rebuild",
        )  # fmt: skip
    elif deploys.pending:
        yield Danger(
            "unsettled", Weight.WARN, f"deploy {deploys.pending} ended without a verdict",
            "apply settles it first: the host goes back to the system before it",
        )  # fmt: skip


def _space(built: Built, observation: Observation) -> Iterator[Danger]:
    free = {entry.path: entry.available for entry in observation.space}
    here = set(observation.packages)
    if here and (store := free.get("/nix", free.get("/"))) is not None:
        needed = sum(size for path, size in built.closure.items() if path not in here)
        if needed and needed + _SPARE > store:
            yield Danger(
                "no-room", Weight.STOP,
                f"{approximately(needed)} are to be copied, and {approximately(store)} are free",
                "on the host: nix-collect-garbage --delete-older-than 14d",
            )  # fmt: skip
    there = _on_boot(observation)
    new = sum(size for path, size in built.boot_files.items() if path not in there)
    boot = free.get("/boot")
    if boot is not None and new and new + _SPARE // 8 > boot:
        yield Danger(
            "boot-full", Weight.STOP,
            f"{approximately(new)} of kernel and initrd are new, and /boot has "
            f"{approximately(boot)} free",
            "on the host: nix-collect-garbage --delete-older-than 14d && "
            "/run/current-system/bin/switch-to-configuration boot",
        )  # fmt: skip


def _on_boot(observation: Observation) -> set[str]:
    """Kernels and initrds that are on the boot partition already; of old initrds nobody tells."""
    has = observation.generation
    kernels = {each.kernel for each in has.generations}
    own = (has.current_system, has.booted_system, has.profile_system)
    return kernels | {path for each in own for path in (each.kernel, each.initrd)}


def _pools(observation: Observation) -> Iterator[Danger]:
    for pool in observation.pools:
        if pool.health in _LOST:
            yield Danger(
                "pool-lost", Weight.FLAG, f"pool {pool.name} is {pool.health}: {pool.complaint}",
                f"mend it first: zpool status -v {pool.name}",
            )  # fmt: skip
        elif pool.is_stuck:
            yield Danger(
                "pool-stuck", Weight.FLAG, standstill(pool),
                f"a switch may hang on it; mend it first: zpool status -v {pool.name}; dmesg -T",
            )  # fmt: skip
        elif pool.health != "ONLINE" or pool.errors:
            wrong = pool.complaint or pool.errors or "see zpool status"
            yield Danger(
                "pool-degraded", Weight.WARN, f"pool {pool.name} is {pool.health}: {wrong}",
                f"zpool status -v {pool.name}",
            )  # fmt: skip


def _by_others(observation: Observation) -> Iterator[Danger]:
    now = observation.generation
    if now.boot_default and now.current and now.boot_default != now.current:
        yield Danger(
            "other-boot-default", Weight.WARN,
            f"a reboot would start {_generation(observation, now.boot_default)}, and "
            f"{_generation(observation, now.current)} is running",
            "somebody ran test, boot or rollback by hand; apply makes both the same",
        )  # fmt: skip
    settled = [each for each in observation.deploys.records if each.verdict]
    last = settled[-1] if settled else None
    if last is None or not now.profile:
        return
    left = last.new if last.verdict == "committed" else last.old
    if left and now.profile != left:
        yield Danger(
            "changed-by-others", Weight.WARN,
            f"since the last deploy ({last.id}) somebody has made "
            f"{_generation(observation, now.profile)}",
            "what it changed is undone below; ask before you go on",
        )  # fmt: skip


def _generation(observation: Observation, toplevel: str) -> str:
    numbers = observation.generation.of(toplevel)
    return f"generation {max(numbers)}" if numbers else toplevel.rpartition("/")[2]


def _failed(observation: Observation) -> Iterator[Danger]:
    failed = observation.units.failed
    if failed:
        count = "1 unit has" if len(failed) == 1 else f"{len(failed)} units have"
        yield Danger(
            "units-failed", Weight.WARN, f"{count} failed before: {', '.join(failed)}",
            "listed, not blamed on this deploy; see: systemctl --failed",
        )  # fmt: skip


def _clock(observation: Observation, clock: float) -> Iterator[Danger]:
    ahead = observation.identity.now - clock
    if clock and observation.identity.now and abs(ahead) > _CLOCK_MAY_DIFFER:
        way = "ahead of" if ahead > 0 else "behind"
        yield Danger(
            "clock", Weight.WARN, f"its clock is {_ago(int(abs(ahead)))} {way} yours",
            "times of records and snapshots are off: timedatectl timesync-status",
        )  # fmt: skip


def _gaps(observation: Observation) -> Iterator[Danger]:
    hung = [gap.section for gap in observation.gaps if gap.hung]
    if hung:
        yield Danger(
            "hung", Weight.WARN, f"the host gave no answer in time about: {', '.join(hung)}",
            "a program there is stuck, as behind a dead disk: journalctl -k -p err",
        )  # fmt: skip


def _ago(seconds: int) -> str:
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{max(0, seconds)} seconds"
