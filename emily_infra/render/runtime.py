"""The runtime module."""

from collections.abc import Mapping

from emily_infra.render.monitoring import bracketed
from emily_infra.render.runtime_settings import configuration, credentials
from emily_infra.render.units import hardened
from emily_infra.spec import topology
from emily_infra.spec.host import Host, HostSpec
from emily_infra.spec.policy import openings
from emily_infra.spec.runtime import Runtime, server_address, servers_of


def lower(host: Host) -> Mapping[str, object] | None:
    """What modules/runtime.nix.j2 prints, or nothing where the host has no such part."""
    spec = host.spec
    if not spec.runtime:
        return None
    return {
        "config": configuration(spec, spec.runtime),
        "listen": f"{bracketed(topology.served_on(spec, spec.runtime.zone))}:{spec.runtime.port}",
        "memory_max": int(spec.runtime.memory),
        "memory_high": int(spec.runtime.memory) * 3 // 4,
        "credentials": _credentials(spec, spec.runtime),
        "hardening": hardened(families=("AF_INET", "AF_INET6", "AF_UNIX")),
        "deploying": hardened(capabilities=("CAP_DAC_OVERRIDE",)),
        "reach": reach(spec, spec.runtime),
    }


def _credentials(spec: HostSpec, runtime: Runtime) -> list[str]:
    wanted = credentials(runtime).items()
    return [f"{name}:{topology.secret_file(spec, ref)}" for name, ref in wanted]


def reach(spec: HostSpec, runtime: Runtime) -> list[str] | None:
    """The only addresses it may exchange packets with; nothing where that cannot be told.

    A server with a name may be anywhere. A zone with a way out brings callers from anywhere, and so
    does one whose address is learned.
    """
    callers = {opening.zone for opening in openings(spec, runtime.port)}
    zones = sorted((callers | {runtime.zone}) & set(spec.network.zones) if runtime.zone else ())
    servers = [server_address(url) for url in servers_of(runtime)]
    if None in servers or any(spec.network.zones[zone].is_outward for zone in zones):
        return None
    networks = [str(network) for zone in zones for network in topology.networks(spec, zone)]
    alone = [str(address) for address in servers if address and not address.is_loopback]
    return ["localhost", *dict.fromkeys(networks + alone)]
