"""Whether the machine must start again, and whether it can be switched without."""

import re
from collections.abc import Iterator

from emily_infra.observe import Observation
from emily_infra.plan.model import Built, Need, Reboot
from emily_infra.plan.packages import named
from emily_infra.spec.host import HostSpec

_RELEASE = re.compile(r"-linux-([0-9][0-9A-Za-z.-]*)|-(?:linux-)?([0-9]+\.[0-9]+[0-9A-Za-z.]*)")


def reboot(spec: HostSpec, built: Built, observation: Observation) -> Reboot:
    """What a boot would change beyond a switch."""
    first = tuple(_not_before(spec, built, observation))
    later = tuple(_only_then(built, observation))
    if first:
        return Reboot(Need.FIRST, (*first, *later))
    return Reboot(Need.LATER, later) if later else Reboot()


def _not_before(spec: HostSpec, built: Built, observation: Observation) -> Iterator[str]:
    """Why a switch of the running machine would be refused, or would do harm."""
    now, new = observation.generation.current_system, built.system
    if now.toplevel and now.interface != new.interface:
        yield f"the way systems are started changed ({now.interface or 'none'} to {new.interface})"
    for name in sorted(now.inhibitors.keys() & new.inhibitors.keys()):
        if now.inhibitors[name] != new.inhibitors[name]:
            yield f"{name} must not change under running programs (a switch inhibitor)"
    for name, uplink in sorted(spec.network.uplinks.items()):
        for card in observation.network.interfaces:
            this = card.permanent_mac.lower() == uplink.mac.lower() and not card.kind
            if this and card.name != name:
                yield (
                    f"the card {uplink.mac} is called {card.name} until the next boot, and "
                    f"{name} after it; switched before, it would have no address"
                )


def _only_then(built: Built, observation: Observation) -> Iterator[str]:
    """What is switched to now and counts from the next boot on."""
    booted, new = observation.generation.booted_system, built.system
    if not booted.toplevel or not new.kernel:
        return
    if booted.kernel != new.kernel:
        yield f"kernel {_release(booted.kernel)} -> {_release(new.kernel)}"
    elif booted.modules != new.modules:
        yield "kernel modules change"
    if booted.initrd != new.initrd:
        yield "the initrd changes"
    before, after = booted.params.split(), new.params.split()
    gone = [word for word in before if word not in after]
    come = [word for word in after if word not in before]
    if gone or come:
        yield "kernel parameters: " + " ".join([*(f"-{w}" for w in gone), *(f"+{w}" for w in come)])
    yield from _zfs(built, observation)


def _zfs(built: Built, observation: Observation) -> Iterator[str]:
    """Programs of one ZFS release with the module of another can fail in ways of their own."""
    loaded = {v for n, v in map(_zfs_version, observation.packages) if n == "zfs-kernel"}
    coming = {v for n, v in map(_zfs_version, built.closure) if n == "zfs-user"}
    if loaded and coming and not loaded & coming:
        yield (
            f"ZFS programs {', '.join(sorted(coming))} would run with the module "
            f"{', '.join(sorted(loaded))} until then"
        )


def _zfs_version(path: str) -> tuple[str, str]:
    name, version = named(path) or ("", "")
    return name, version.split("-")[0]


def _release(path: str) -> str:
    found = _RELEASE.search(path)
    return (found[1] or found[2]) if found else path.rpartition("/")[2] or "none"
