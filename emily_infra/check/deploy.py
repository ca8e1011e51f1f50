"""Rules about the way that operators come in, and about what a deploy must prove."""

from collections.abc import Iterator

from emily_infra.check.rule import Problem, Standing, fleet_rule, host_rule
from emily_infra.findings import Severity
from emily_infra.spec.deploy import RESERVE, OwnCheck
from emily_infra.spec.host import Fleet, Host, HostSpec
from emily_infra.spec.policy import HOST, opened
from emily_infra.spec.topology import AnyNetwork, addresses, networks, service, zone_of
from emily_infra.spec.units import Duration

_SHELLS = frozenset({"bash", "dash", "sh", "zsh"})
_OPERATORS = frozenset({"|", "||", "&", "&&", ";", "<", ">", ">>", "2>", "2>&1"})
_TUNNEL_RETURNS = Duration.parse("1min")
"""A peer that cannot be called gives an old session up, and calls anew, after 15 to 45 s."""


@host_rule(
    "NET006", Severity.ERROR,
    wrong="network: { allow: [{ from: home, to: host, services: [smb] }] }",
    right="network: { allow: [{ from: home, to: host, services: [smb, ssh] }] }",
)  # fmt: skip
def operators_can_come_in(host: Host) -> Iterator[Problem]:
    """An operator's network is locked out of SSH

    deploy.operators says where people connect from. For each of these networks we look up the zone
    that its packets come in by (the narrowest zone that holds it, else the one with the gateway)
    and whether allow opens the SSH port there. If not, the next deployment would be the last one:
    the machine then needs somebody at its console. A network that is wider than a zone must be let
    in from everywhere that it touches; narrow it if people only sit in a part of it.
    """
    port = host.spec.system.ssh.port
    for index, network in enumerate(host.spec.deploy.operators):
        place = ("deploy", "operators", index)
        zones = _arrivals(host.spec, network)
        if not zones:
            yield Problem(
                place,
                f"nobody in {network} can reach the host: no zone holds it and none leads outside",
                "correct the network, or give the zone it comes in by a gateway",
            )
        for zone in zones:
            if port not in opened(host.spec, zone, HOST).tcp:
                message = f"{network} comes in by zone {zone}, which may not reach SSH (tcp {port})"
                yield Problem(place, message, _opening(host.spec, zone))


def _arrivals(spec: HostSpec, network: AnyNetwork) -> list[str]:
    """Every zone that a part of the network comes in by."""
    inside = {
        zone
        for zone in spec.network.zones
        for part in networks(spec, zone)
        if part.version == network.version and part.subnet_of(network)  # type: ignore[arg-type]
    }
    whole = zone_of(spec, network)
    return sorted({whole, *inside} if whole else inside)


def _opening(spec: HostSpec, zone: str) -> str:
    found = service(spec, "ssh")
    if found and spec.system.ssh.port in found.tcp:
        return f"add to network.allow: - {{ from: {zone}, to: host, services: [ssh] }}"
    return "network.services.ssh names other ports than system.ssh.port; delete it"


@host_rule(
    "NET008", Severity.ERROR,
    wrong="deploy: { address: 192.168.1.99 }",
    right="deploy: { address: 192.168.1.10 }",
)  # fmt: skip
def the_address_is_ours(host: Host) -> Iterator[Problem]:
    """deploy.address is not an address of this host

    SSH connects to this address, and a new configuration counts as working only when the host
    answers there. If it belongs to another machine, we would deploy to that one. Only a host with
    an address from dhcp (or IPv6 auto) may have one that does not stand in its file, and then not
    one in the network of another zone.
    """
    spec = host.spec
    wanted = spec.deploy.address
    own = {str(address.ip) for zone in spec.network.zones for address in addresses(spec, zone)}
    own |= {str(tunnel.address.ip) for tunnel in spec.wireguard.values()}
    word, field = ("dhcp", "address") if wanted.version == 4 else ("auto", "address6")
    fixed = any(
        wanted in address.network
        for zone in spec.network.zones
        for address in addresses(spec, zone)
        if address.version == wanted.version
    )
    learned = not fixed and any(
        getattr(zone, field) == word for zone in spec.network.zones.values()
    )
    if str(wanted) not in own and not learned:
        yield Problem(
            ("deploy", "address"),
            f"{wanted} is not an address of {host.name}",
            f"write one of: {', '.join(sorted(own)) or 'none is fixed'}",
        )


@host_rule(
    "NET020", Severity.NOTE,
    wrong="""
        deploy: { operators: [192.168.1.0/24, 10.9.0.0/24] }
        network:
          zones: { far: { wireguard: wg0 } }
          allow:
            - { from: home, to: host, services: [ssh, smb] }
            - { from: far, to: host, services: [ssh] }
        wireguard:
          wg0:
            address: 10.9.0.1/24
            private_key: secret:wg0
            peers:
              desk:
                public_key: iO+eTz3fOYI5oy3cRUX/iP5fIHvmuXv0YvIwz6amu+4=
                allowed_ips: [10.9.0.0/24]
        secrets: { wg0: {} }
        """,
    right="deploy: { operators: [192.168.1.0/24] }",
)  # fmt: skip
def operators_use_the_address_of_their_zone(host: Host) -> Iterator[Problem]:
    """Operators in another zone must use the host's address there

    An address of the host answers only in its own zone: the firewall drops a packet for the
    management address that comes in by a tunnel, so that no zone can be left by asking for
    another one's address. People in another zone than that of deploy.address reach the host all
    the same, but by the address that it has with them.
    """
    spec = host.spec
    zones = sorted(spec.network.zones)
    homes = {str(own.ip): zone for zone in zones for own in addresses(spec, zone)}
    home = homes.get(str(spec.deploy.address))
    for index, network in enumerate(spec.deploy.operators):
        zone = zone_of(spec, network)
        theirs = [str(own.ip) for own in addresses(spec, zone)] if zone else []
        if home and zone != home and theirs:
            yield Problem(
                ("deploy", "operators", index),
                f"{network} comes in by {zone}, where {spec.deploy.address} does not answer",
                f"from there, use: ssh {theirs[0]}",
            )


@host_rule(
    "DEP001", Severity.ERROR,
    wrong="deploy: { confirm_within: 1min, checks: { api: { command: [test, -e, /run/api] } } }",
    right="deploy: { confirm_within: 2min, checks: { api: { command: [test, -e, /run/api] } } }",
)  # fmt: skip
def a_check_ends_before_the_host_goes_back(host: Host) -> Iterator[Problem]:
    """A check may take longer than the host waits

    After the switch the host waits for confirm_within, and goes back by itself when nobody has
    said that all is well. A check whose deadline lies beyond that moment can undo a deploy that it
    would have passed. The last 15 seconds belong to saying so: a new connection and one command.
    """
    patience, confirm = host.spec.deploy.patience, host.spec.deploy.confirm_within
    for name, own in sorted(host.spec.deploy.checks.items()):
        if own.deadline > patience:
            yield Problem(
                ("deploy", "checks", name),
                f"{name} may take {own.deadline}; with confirm_within: {confirm} there is time for "
                f"{patience}",
                f"write deadline: {patience} here, or deploy.confirm_within: "
                f"{Duration(own.deadline + RESERVE)}",
            )


@fleet_rule(
    "DEP002", Severity.WARNING,
    wrong="""
        one: { deploy: { tags: [two] } }
        two: { system: { host_id: 5eb1e001 } }
        """,
    right="""
        one: { deploy: { tags: [lab] } }
        two: { system: { host_id: 5eb1e001 } }
        """,
)  # fmt: skip
def a_tag_is_no_host(fleet: Fleet) -> Iterator[Problem]:
    """A tag has the name of a host

    `apply --tag NAME` goes to every host with the tag, `apply NAME` to one host. When a tag is
    called like a host, a slip of the fingers deploys to a machine that nobody had in mind.
    """
    for name, host in sorted(fleet.items()):
        for index, tag in enumerate(host.spec.deploy.tags):
            if tag in fleet:
                yield Problem(
                    ("deploy", "tags", index),
                    f"{tag} is the name of a host, and a tag of {name}",
                    "call the tag by what its hosts have in common, such as lab or storage",
                    host=name,
                )


@host_rule(
    "DEP003", Severity.ERROR,
    wrong="""deploy: { checks: { api: { command: ["test -e /run/api"] } } }""",
    right="deploy: { checks: { api: { command: [test, -e, /run/api] } } }",
)  # fmt: skip
def a_command_is_a_list_of_words(host: Host) -> Iterator[Problem]:
    """A check's command is written for a shell

    A command is a list: the program, then each argument as an item of its own. No shell reads it,
    so a program with a space in its name is not found, and a | or && is handed to the program as
    an argument. Such a check fails every time and takes the deploy back with it. Where a shell is
    what you want, say so: [sh, -c, "test -e /run/a && test -e /run/b"].
    """
    for name, own in sorted(host.spec.deploy.checks.items()):
        program, *arguments = own.command
        place = ("deploy", "checks", name, "command")
        found = sorted(_OPERATORS.intersection(arguments))
        if " " in program:
            words = ", ".join(program.split())
            message = f"there is no program called {program!r}"
            yield Problem((*place, 0), message, f"one item a word: command: [{words}]")
        elif found and program.rpartition("/")[2] not in _SHELLS:
            message = f"{found[0]} reaches {program} as a plain argument; no shell reads it"
            yield Problem(place, message, 'write command: [sh, -c, "..."] for a line of shell')


@host_rule(
    "DEP004", Severity.ERROR,
    wrong="deploy: { checks: { api: { command: [test, -e, /run/api], deadline: 4s } } }",
    right="deploy: { checks: { api: { command: [test, -e, /run/api], deadline: 20s } } }",
    standing=Standing.CONTRADICTION,
)  # fmt: skip
def a_check_has_time_to_succeed_twice(host: Host) -> Iterator[Problem]:
    """A check's deadline comes before it can have succeeded

    A check counts when it succeeds twice in a row, so that a service that answers once and falls
    over is not taken for a healthy one. It is first asked after its grace and then once an
    interval: if the deadline comes before the second answer, the check can only fail.
    """
    for name, own in sorted(host.spec.deploy.checks.items()):
        if own.deadline <= own.soonest:
            yield Problem(
                ("deploy", "checks", name),
                f"{name} can have succeeded twice after {own.soonest} ({_reckoning(own)}), and its "
                f"deadline is {own.deadline}",
                f"deadline: {Duration(2 * own.soonest)} leaves some room",
            )


def _reckoning(own: OwnCheck) -> str:
    interval = f"an interval of {own.interval}"
    return f"{own.grace} of grace and {interval}" if own.grace else interval


@host_rule(
    "DEP005", Severity.WARNING,
    wrong="""
        deploy: { address: 10.9.0.1, operators: [10.9.0.0/24], confirm_within: 30s }
        network:
          zones: { far: { wireguard: wg0 } }
          allow: [{ from: far, to: host, services: [ssh, smb] }]
        wireguard:
          wg0:
            address: 10.9.0.1/24
            private_key: secret:wg0
            peers:
              desk:
                public_key: iO+eTz3fOYI5oy3cRUX/iP5fIHvmuXv0YvIwz6amu+4=
                allowed_ips: [10.9.0.0/24]
        secrets: { wg0: {} }
        """,
    right="deploy: { confirm_within: 30s }",
)  # fmt: skip
def a_tunnel_has_time_to_come_back(host: Host) -> Iterator[Problem]:
    """The way in is a tunnel, and the host does not wait for it

    deploy.address is the host's address in a tunnel. A change to the network makes the tunnel
    anew, and its other end needs up to 45 seconds to notice and to call again. The host would take
    the silence for a lock-out and go back from a good system.
    """
    spec = host.spec
    tunnel = next(
        (name for name, body in sorted(spec.wireguard.items())
         if body.address.ip == spec.deploy.address), None,
    )  # fmt: skip
    if tunnel and spec.deploy.confirm_within < _TUNNEL_RETURNS:
        yield Problem(
            ("deploy", "confirm_within"),
            f"{tunnel} may need 45s to come back, and the host waits "
            f"{spec.deploy.confirm_within} in all",
            f"deploy.confirm_within: {Duration.parse('2min')}, or at least {_TUNNEL_RETURNS}",
        )
