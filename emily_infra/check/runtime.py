"""Rules about the cognitive runtime."""

from collections.abc import Iterator
from itertools import pairwise

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


@host_rule(
    "RUN008",
    Severity.ERROR,
    wrong="runtime: { token: secret:token, flags: { tree: { owner: nobody, since: 2026-11-01 } } }"
    "\nsecrets: { token: {} }",
    right="runtime: { token: secret:token, flags: { tree: { owner: colter, since: 2026-11-01 } } }"
    "\nsecrets: { token: {} }",
)
def a_flag_has_an_owner(host: Host) -> Iterator[Problem]:
    """A feature flag belongs to nobody who operates the host

    A flag is meant to go: rolled out to everybody, or taken back. Somebody has to decide that, and
    be found at night when the feature misbehaves. So its owner is one of system.admins.
    """
    admins = sorted(host.spec.system.admins)
    for name, flag in host.spec.runtime.flags.items() if host.spec.runtime else ():
        if flag.owner not in admins:
            yield Problem(
                at=("runtime", "flags", name, "owner"),
                message=f"{flag.owner}, who answers for {name}, is not one of system.admins",
                hint=f"write one of them: {', '.join(admins)}",
            )


@host_rule(
    "RUN009",
    Severity.ERROR,
    wrong="runtime: { token: secret:token, pressure: { rungs: [5, 15, 15, 50] } }\n"
    "secrets: { token: {} }",
    right="runtime: { token: secret:token, pressure: { rungs: [5, 15, 30, 50] } }\n"
    "secrets: { token: {} }",
    standing=Standing.CONTRADICTION,
)
def the_steps_of_pressure_rise(host: Host) -> Iterator[Problem]:
    """The steps that are taken when memory is short do not rise

    Each step does without more than the one before, so each needs a larger figure. The runtime
    does not start with a ladder whose upper rung is not above the lower one.
    """
    rungs = host.spec.runtime.pressure.rungs if host.spec.runtime else ()
    for index, (lower, upper) in enumerate(pairwise(rungs), start=1):
        if upper <= lower:
            yield Problem(
                at=("runtime", "pressure", "rungs", index),
                message=f"{upper:g} % is not more than {lower:g} %, the step before",
                hint="write four rising figures, such as rungs: [5, 15, 30, 50]",
            )
