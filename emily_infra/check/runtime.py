"""Rules about the cognitive runtime."""

from collections.abc import Iterator

from emily_infra.check.rule import Problem, Standing, host_rule
from emily_infra.findings import Severity
from emily_infra.spec.host import Host
from emily_infra.spec.policy import openings
from emily_infra.spec.units import Size

LEAST = Size.parse("512MiB")
"""Under this the service is throttled while it starts."""


@host_rule(
    "RUN001",
    Severity.ERROR,
    wrong="runtime: { token: secret:token, zone: attic }\nsecrets: { token: {} }",
    right="runtime: { token: secret:token, zone: home }\nsecrets: { token: {} }",
    standing=Standing.CONTRADICTION,
)
def the_runtimes_zone_exists(host: Host) -> Iterator[Problem]:
    """runtime.zone names a zone that the host does not stand in

    The API binds to the host's address in this zone. Without such a zone there is no address to
    bind to. Leave the line out to serve programs on the host itself and nobody else.
    """
    runtime = host.spec.runtime
    zones = sorted(host.spec.network.zones)
    if runtime and runtime.zone and runtime.zone not in zones:
        yield Problem(
            at=("runtime", "zone"),
            message=f"there is no zone {runtime.zone}",
            hint=f"write one of network.zones: {', '.join(zones)}; or remove the line",
        )


@host_rule(
    "RUN002",
    Severity.WARNING,
    wrong="runtime: { token: secret:token, zone: home }\nsecrets: { token: {} }",
    right="runtime: { token: secret:token, zone: home }\nsecrets: { token: {} }\n"
    "network: { allow: [{ from: home, to: host, services: [ssh, runtime] }] }",
)
def the_runtime_can_be_reached(host: Host) -> Iterator[Problem]:
    """The runtime is served in a zone that may not reach it

    The API binds to the host's address in runtime.zone, and network.allow lets nobody of that zone
    come to its port: every call waits until it gives up. Add the line, or remove `zone` so that
    the API is served to programs on the host only.
    """
    runtime = host.spec.runtime
    if not runtime or runtime.zone not in host.spec.network.zones:
        return
    admitted = {opening.zone for opening in openings(host.spec, runtime.port)}
    if runtime.zone not in admitted:
        yield Problem(
            at=("runtime", "zone"),
            message=f"no line of network.allow lets zone {runtime.zone} reach port {runtime.port}",
            hint=f"- {{ from: {runtime.zone}, to: host, services: [runtime] }}",
        )


@host_rule(
    "RUN003",
    Severity.ERROR,
    wrong="runtime: { token: secret:token, memory: 256MiB }\nsecrets: { token: {} }",
    right="runtime: { token: secret:token, memory: 512MiB }\nsecrets: { token: {} }",
)
def the_runtime_has_room_to_start(host: Host) -> Iterator[Problem]:
    """The runtime's memory is too small to start in

    At three quarters of `memory` the kernel slows the service down and takes pages back, at all of
    it the kernel kills it, and systemd starts it again into the same wall. 512MiB leaves room for
    the interpreter, its data and one heavy request.
    """
    runtime = host.spec.runtime
    if runtime and runtime.memory < LEAST:
        yield Problem(
            at=("runtime", "memory"),
            message=f"{runtime.memory} of memory; it needs {LEAST}",
            hint=f"memory: {LEAST}",
        )
