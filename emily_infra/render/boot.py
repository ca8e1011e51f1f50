"""The boot module: the boot loader, /tmp, swap in RAM and what a hang leads to."""

from collections.abc import Mapping

from emily_infra.spec.host import Host
from emily_infra.spec.topology import partitions

_ON_FAILURE = ("panic=30", "boot.panic_on_fail")
"""A panic restarts the machine after 30 s, and an initrd that cannot go on is one."""
_ZSWAP = ("enabled=1", "compressor=zstd", "max_pool_percent=20", "shrinker_enabled=1")


def lower(host: Host) -> Mapping[str, object]:
    """What modules/boot.nix.j2 prints."""
    memory = host.spec.system.memory
    compressed = memory.compressed_swap
    return {
        "generations": host.spec.system.boot.generations,
        "spare_esps": partitions(host.spec, "esp")[1:],
        "tmpfs": _mount_size(memory.tmpfs) if memory.tmpfs else None,
        "zram_percent": memory.zram_percent if compressed == "zram" else None,
        "kernel_parameters": [
            *_ON_FAILURE,
            *(f"zswap.{setting}" for setting in _ZSWAP if compressed == "zswap"),
        ],
        "zswap": compressed == "zswap",
    }


def _mount_size(size: int) -> str:
    """Bytes as the option `size` of a tmpfs takes them, in the largest unit that is exact."""
    for power, unit in ((30, "G"), (20, "M"), (10, "k")):
        if size % (1 << power) == 0:
            return f"{size >> power}{unit}"
    return str(int(size))
