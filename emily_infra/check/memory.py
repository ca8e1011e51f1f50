"""Rules about memory: what the RAM is promised to."""

from collections.abc import Iterator

from emily_infra.check.rule import Problem, host_rule
from emily_infra.findings import Severity
from emily_infra.spec import topology
from emily_infra.spec.host import Host, HostSpec

GIB = 1 << 30
SYSTEM = 2 * GIB
"""Set aside for the kernel, systemd, sshd, Nix and the exporters."""


def promises(spec: HostSpec) -> dict[str, int]:
    """Everything that may hold memory for good, with its ceiling in bytes."""
    memory = spec.system.memory
    promised = {
        "the ZFS cache": int(memory.arc),
        "files in /tmp": int(memory.tmpfs),
        "the system": SYSTEM,
    }
    if spec.runtime:
        promised["the runtime"] = int(spec.runtime.memory)
    return promised


def _added(promised: dict[str, int]) -> str:
    return " + ".join(f"{_gib(size)} for {what}" for what, size in promised.items())


def _gib(size: int) -> str:
    return f"{size / GIB:.4g} GiB"


@host_rule(
    "SYS002",
    Severity.ERROR,
    wrong="system: { memory: { total: 16GiB, arc: 13GiB, tmpfs: 2GiB } }",
    right="system: { memory: { total: 16GiB, arc: 6GiB, tmpfs: 2GiB } }",
)
def more_memory_is_promised_than_there_is(host: Host) -> Iterator[Problem]:
    """More memory is promised than there is

    The ceilings of the ZFS cache, of /tmp, of the runtime and 2 GiB for the system itself are
    added up. The ZFS cache is no ordinary page cache: it gives memory back late, so that a burst
    elsewhere ends with the kernel killing a process, at night and not necessarily the guilty one.
    Lower system.memory.arc first: half of the RAM is plenty for a file server.
    """
    promised = promises(host.spec)
    total = int(host.spec.system.memory.total)
    over = sum(promised.values()) - total
    if over > 0:
        yield Problem(
            at=("system", "memory"),
            message=f"{_added(promised)} is {_gib(sum(promised.values()))}, "
            f"{_gib(over)} more than the {_gib(total)} installed",
            hint=f"lower arc, tmpfs or runtime.memory by {_gib(over)} together",
        )


@host_rule(
    "SYS003",
    Severity.WARNING,
    wrong="system: { memory: { total: 16GiB, arc: 11GiB, tmpfs: 2GiB } }",
    right="system: { memory: { total: 16GiB, arc: 10GiB, tmpfs: 2GiB } }",
)
def little_memory_is_left(host: Host) -> Iterator[Problem]:
    """Little memory is left for everything else

    After the ZFS cache, /tmp, the runtime and the system, at least an eighth of the RAM and never
    less than 2 GiB should be unpromised: builds, a restore drill, Samba clients and Prometheus all
    live there, and none of them has a ceiling of its own.
    """
    promised = promises(host.spec)
    total = int(host.spec.system.memory.total)
    left, wanted = total - sum(promised.values()), max(total // 8, 2 * GIB)
    if 0 <= left < wanted:
        yield Problem(
            at=("system", "memory"),
            message=f"{_added(promised)} leaves {_gib(left)} of {_gib(total)} for everything else",
            hint=f"leave {_gib(wanted)}: lower arc by {_gib(wanted - left)}",
        )


@host_rule(
    "SYS004",
    Severity.ERROR,
    wrong="system: { memory: { compressed_swap: zswap } }",
    right="system: { memory: { compressed_swap: zram } }",
)
def zswap_needs_a_swap_partition(host: Host) -> Iterator[Problem]:
    """zswap without a swap partition

    zswap compresses pages on their way to a swap device; without one it holds nothing. zram needs
    no device: it is a compressed swap in RAM. Swap on a ZFS volume is no way out, it can deadlock:
    ZFS may need memory to write the page that was to free memory.
    """
    if host.spec.system.memory.compressed_swap != "zswap" or topology.partitions(host.spec, "swap"):
        return
    yield Problem(
        at=("system", "memory", "compressed_swap"),
        message="zswap has no swap partition to compress for",
        hint="write compressed_swap: zram, or give an SSD a partition with use: swap",
    )
