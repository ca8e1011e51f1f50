"""Rules about the system: its identity, how it boots, what is installed."""

import re
from collections import defaultdict
from collections.abc import Iterator

from emily_infra.check.rule import Problem, fleet_rule, host_rule
from emily_infra.findings import Severity
from emily_infra.spec import topology
from emily_infra.spec.host import Fleet, Host, HostSpec
from emily_infra.spec.storage import Disk
from emily_infra.spec.units import Size

_MIB = 1 << 20
_GENERATION = 120 * _MIB
"""A kernel and an initrd with ZFS and firmware; generations that share both cost nothing."""
_LOADER = 64 * _MIB
"""systemd-boot itself, memory test and firmware updates."""

_LLAMA = "llama-cpp"
_GRAPHS = "neo4j, or PostgreSQL with the extension age"
_CONTAINER = "a container pinned by its digest"
_VLLM = "is marked insecure (15 known CVEs) and needs a GPU of compute capability 7.0"
_UNFIT = {
    "eclipse-zenoh": ("does not exist; nixpkgs calls the client zenoh", "python3Packages.zenoh"),
    "falkor-db-cli": ("does not exist", _GRAPHS),
    "falkordb": ("is not packaged", _GRAPHS),
    "feast": ("is not packaged", _CONTAINER),
    "langfuse": ("is packaged as a client only", "python3Packages.langfuse"),
    "minio": ("was given up by its authors and is marked insecure", "garage_2"),
    "mlflow": ("does not exist under this name", "mlflow-server"),
    "promtail": ("has lost its NixOS module", "grafana-alloy"),
    "pumba": ("is not packaged", "toxiproxy"),
    "pytest": ("does not exist under this name", "python3Packages.pytest"),
    "pytest-cov": ("does not exist under this name", "python3Packages.pytest-cov"),
    "python3Packages.falkordb": ("is not packaged", _GRAPHS),
    "python3Packages.feast": ("is not packaged", _CONTAINER),
    "python3Packages.py-libzfs": ("is built for ZFS 2.3 and not for the 2.4 in use", "zfs"),
    "python3Packages.resticpy": ("is not packaged", "restic"),
    "python3Packages.vllm": (_VLLM, _LLAMA),
    "sglang": ("is no top-level package and needs a newer GPU than vllm does", _LLAMA),
    "torch": ("does not exist under this name", "python3Packages.torch"),
    "vllm": (_VLLM, _LLAMA),
    "wasm-edge": ("does not exist; nixpkgs calls it wasmedge", "wasmedge"),
    "wasm-edge-py": ("does not exist", "python3Packages.wasmtime"),
}
"""Packages that nixpkgs lacks or refuses: what is wrong, and what to use instead."""


@fleet_rule(
    "SYS001",
    Severity.ERROR,
    wrong="one: { system: { host_id: 8425e349 } }\ntwo: { system: { host_id: 8425e349 } }",
    right="one: { system: { host_id: 8425e349 } }\ntwo: { system: { host_id: 0badcafe } }",
)
def two_hosts_with_one_id(fleet: Fleet) -> Iterator[Problem]:
    """Two hosts have the same host_id

    ZFS writes the id into every pool it imports, so that a machine knows which pools are its own.
    With the same id twice, a disk moved or a LUN seen from both is imported by both at once, and
    that destroys the pool. The id of a host that has been installed is never changed.
    """
    hosts = defaultdict(list)
    for name, host in fleet.items():
        hosts[host.spec.system.host_id].append(name)
    for host_id, names in hosts.items():
        for name in names if len(names) > 1 else ():
            other = names[0] if name != names[0] else names[1]
            yield Problem(
                at=("system", "host_id"),
                message=f"{other} has the host_id {host_id} too ({len(names)} hosts have it)",
                hint="give the newer host a fresh one: head -c4 /dev/urandom | xxd -p",
                host=name,
            )


@host_rule(
    "SYS005",
    Severity.ERROR,
    wrong="""\
system: { boot: { generations: 8 } }
storage: { disks: { nvme-A: { size: 960GB, partitions: { 1: { size: 512MB, use: esp } } } } }
""",
    right="""\
system: { boot: { generations: 8 } }
storage: { disks: { nvme-A: { size: 960GB, partitions: { 1: { size: 2GiB, use: esp } } } } }
""",
)
def an_esp_too_small_for_its_generations(host: Host) -> Iterator[Problem]:
    """The ESP is too small for the generations it must hold

    systemd-boot copies the kernel and the initrd of every generation to the ESP: about 120 MiB
    with ZFS and firmware, and 64 MiB for the rest. Generations share what did not change, so this
    is the worst case; it comes after a kernel update or two. On a full ESP the switch fails half
    way, and the ESP cannot grow, because other partitions follow it. 2 GiB are enough for 16.
    """
    generations = host.spec.system.boot.generations
    needed = generations * _GENERATION + _LOADER
    for disk, body in host.spec.storage.disks.items():
        for number, partition in body.partitions.items():
            if partition.use == "esp" and partition.size < needed:
                fits = (partition.size - _LOADER) // _GENERATION
                fewer = f", or system.boot.generations: {fits}" if fits > 1 else ""
                yield Problem(
                    at=("storage", "disks", disk, "partitions", number, "size"),
                    message=f"{generations} generations need about {needed // _MIB} MiB, "
                    f"the ESP has {partition.size // _MIB} MiB",
                    hint=f"size: {Size(-(-needed // (1 << 30)) << 30)}{fewer}",
                )


@host_rule(
    "SYS006",
    Severity.WARNING,
    wrong="""\
storage:
  disks:
    nvme-A:
      size: 960GB
      partitions: { 1: { size: 2GiB, use: esp }, 2: { size: 99GiB, use: zfs } }
    nvme-B: { size: 960GB, partitions: { 2: { size: 99GiB, use: zfs } } }
  pools:
    rpool: { data: [mirror: [nvme-A-part2, nvme-B-part2]], datasets: { root: { mountpoint: / } } }
""",
    right="""\
storage:
  disks:
    nvme-A: &nvme
      size: 960GB
      partitions: { 1: { size: 2GiB, use: esp }, 2: { size: 99GiB, use: zfs } }
    nvme-B: *nvme
  pools:
    rpool: { data: [mirror: [nvme-A-part2, nvme-B-part2]], datasets: { root: { mountpoint: / } } }
""",
)
def one_esp_for_a_redundant_root(host: Host) -> Iterator[Problem]:
    """The root pool survives a disk, the boot loader does not

    The pool of / can lose a disk and go on, but the only ESP is on one of them. If that one fails,
    the machine runs until its next reboot and then does not come back. A second ESP on another
    disk is kept in step at every switch.
    """
    booting = sorted({esp.rpartition("-part")[0] for esp in topology.partitions(host.spec, "esp")})
    others = sorted(_root_disks(host.spec) - set(booting))
    if len(booting) == 1 and booting[0] in _root_disks(host.spec) and others:
        yield Problem(
            at=("storage", "disks", others[0]),
            message=f"the root pool is on {booting[0]} and {', '.join(others)}, "
            f"but only {booting[0]} has an ESP",
            hint=f"give {others[0]} a partition of the same size with use: esp",
        )


def _root_disks(spec: HostSpec) -> set[str]:
    """The disks of the pool of /, where it can lose one; otherwise none."""
    pools = {mount.pool for mount in topology.mounts(spec) if mount.mountpoint == "/"}
    vdevs = [vdev for name in sorted(pools) for vdev in spec.storage.pools[name].data]
    if not all(vdev.failures_survived for vdev in vdevs):
        return set()
    members = {member for vdev in vdevs for member in vdev.disks}
    return {name for name, disk in spec.storage.disks.items() if members & _devices(name, disk)}


def _devices(name: str, disk: Disk) -> set[str]:
    return {name, *(f"{name}-part{number}" for number in disk.partitions)}


@host_rule(
    "SYS009",
    Severity.ERROR,
    wrong="system: { packages: [htop, minio] }",
    right="system: { packages: [htop, garage_2] }",
)
def a_package_that_nixpkgs_refuses(host: Host) -> Iterator[Problem]:
    """A package is missing in nixpkgs or marked insecure there

    The build would stop with a message about an attribute or an insecure package, after minutes
    and without a way out. This list holds the names that documents and habits suggest and nixpkgs
    does not have or refuses to build, each with what does the job instead.
    """
    for index, name in enumerate(host.spec.system.packages):
        known = re.sub(r"^python3\d*Packages\.", "python3Packages.", name)
        if known in _UNFIT:
            wrong, instead = _UNFIT[known]
            yield Problem(
                at=("system", "packages", index),
                message=f"{name} {wrong}",
                hint=f"use {instead}",
            )
