"""The runtime module."""

import json
from collections.abc import Mapping

from emily_infra.render.monitoring import bracketed
from emily_infra.render.nix import Lines
from emily_infra.render.units import hardened
from emily_infra.spec import topology
from emily_infra.spec.host import Host, HostSpec
from emily_infra.spec.policy import openings
from emily_infra.spec.runtime import Runtime


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


def configuration(spec: HostSpec, runtime: Runtime) -> Lines:
    """The service's TOML; strings as JSON writes them, which TOML reads the same way."""
    service: dict[str, object] = {
        "host": topology.served_on(spec, runtime.zone),
        "port": runtime.port,
        "language": runtime.language,
    }
    providers = {str(name): _provider(name) for name in sorted(runtime.providers)}
    return Lines("\n".join([_table("service", service), _table("providers", providers)]))


def _table(name: str, values: Mapping[str, object]) -> str:
    lines = [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    return "\n".join(lines) + "\n"


def _provider(name: str) -> str:
    """The name of the credential that holds a provider's key."""
    return f"provider-{name}"


def _credentials(spec: HostSpec, runtime: Runtime) -> list[str]:
    wanted = {"token": runtime.token}
    wanted |= {_provider(name): ref for name, ref in sorted(runtime.providers.items())}
    return [f"{name}:{topology.secret_file(spec, ref)}" for name, ref in wanted.items()]


def reach(spec: HostSpec, runtime: Runtime) -> list[str] | None:
    """The only addresses it may exchange packets with; nothing where that cannot be told.

    A provider is somewhere on the internet. A zone with a way out brings callers from anywhere,
    and so does one whose address is learned.
    """
    callers = {opening.zone for opening in openings(spec, runtime.port)}
    zones = sorted((callers | {runtime.zone}) & set(spec.network.zones) if runtime.zone else ())
    if runtime.providers or any(spec.network.zones[zone].is_outward for zone in zones):
        return None
    networks = (str(network) for zone in zones for network in topology.networks(spec, zone))
    return ["localhost", *dict.fromkeys(networks)]
