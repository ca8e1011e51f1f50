"""From a target to an open, verified and authenticated connection."""

from contextlib import closing, nullcontext

from paramiko import (
    AuthenticationException,
    BadAuthenticationType,
    SSHException,
    Transport,
)

from emily_infra.machine.deadline import Deadline
from emily_infra.machine.elevate import AsRoot
from emily_infra.machine.faults import Expired, Refused, Unreachable
from emily_infra.machine.keys import Keys, agent, described, keys
from emily_infra.machine.known import HostKey, Known, known
from emily_infra.machine.link import Link, reach
from emily_infra.machine.settings import Settings, effective
from emily_infra.machine.ssh import PULSE, Pulse, Ssh
from emily_infra.machine.target import Target


def opened(target: Target, clock: Deadline, pulse: Pulse = PULSE) -> Ssh:
    """A new connection to TARGET."""
    settings = effective(target, clock)
    accepted = known(settings, clock)
    link = reach(settings, clock)
    transport = Transport(link.line)
    try:
        _greet(transport, settings, accepted, link, clock)
        _log_in(transport, settings, clock)
    except BaseException:
        transport.close()
        # Its timer would keep the whole program from ending for as long as the handshake may last.
        transport.packetizer.complete_handshake()
        link.close()
        raise
    way = ("ssh", *target.options(), target.address)
    return Ssh(target.name, transport, link, AsRoot(settings.user), way, pulse)


def _greet(
    transport: Transport, settings: Settings, accepted: Known, link: Link, clock: Deadline
) -> None:
    """Agree on keys, and see that the host is the one that is known."""
    options = transport.get_security_options()
    mine = tuple(options.key_types)
    first = tuple(kind for kind in accepted.kinds() if kind in mine)
    options.key_types = (*first, *(kind for kind in mine if kind not in first))
    transport.banner_timeout = transport.handshake_timeout = max(0.01, clock.left())
    try:
        transport.start_client(timeout=clock.left())
        shown = transport.get_remote_server_key()
    except (SSHException, EOFError, OSError) as error:
        raise _no_greeting(settings, link, clock, error) from error
    accepted.judge(settings, HostKey(shown.get_name(), shown.asbytes()))


def _no_greeting(settings: Settings, link: Link, clock: Deadline, error: Exception) -> Unreachable:
    name, place = settings.target.name, f"{settings.host} port {settings.port}"
    if clock.passed:
        return Expired(
            f"{name}: {place} took the connection but did not greet as an SSH server within "
            f"{clock.seconds:g} s{link.said()}",
            hint="is sshd what listens there, and is the host not overloaded?",
        )
    return Unreachable(
        f"{name}: no SSH with {place}: {error or 'it hung up before it greeted'}{link.said()}",
        hint="is sshd what listens there? A busy one (MaxStartups) and one that has banned this "
        "address hang up, too",
    )


def _log_in(transport: Transport, settings: Settings, clock: Deadline) -> None:
    """Offer one key after the other."""
    held, trouble = agent(settings, clock)
    with closing(held) if held else nullcontext():
        choice = keys(settings, held)
        why = _offered(transport, settings, choice, clock)
    if transport.is_authenticated():
        return
    if clock.passed:
        raise Expired(
            f"{settings.target.name}: {settings.place} did not decide about a key within "
            f"{clock.seconds:g} s",
            hint="does the agent wait for a confirmation, or the server for a name (UseDNS)?",
        )
    raise _refusal(settings, choice, why, trouble)


def _offered(transport: Transport, settings: Settings, choice: Keys, clock: Deadline) -> str:
    """Why none was taken, if none was."""
    tried = 0
    try:
        if not choice.offers:
            transport.auth_timeout = clock.left()
            transport.auth_none(settings.user)
        for tried, offer in enumerate(choice.offers, 1):  # noqa: B007 (counts up to a hang-up)
            transport.auth_timeout = clock.left()
            try:
                transport.auth_publickey(settings.user, offer.key)
            except BadAuthenticationType as error:
                return f"it lets nobody in by key, only by {', '.join(error.allowed_types)}"
            except AuthenticationException:
                if not transport.is_active() or clock.passed:
                    raise
            if transport.is_authenticated():
                return ""
    except BadAuthenticationType:
        return "there is none to offer"
    except (SSHException, EOFError, OSError):
        return f"it hung up after {tried} of {len(choice.offers)} (MaxAuthTries of its sshd?)"
    return "it takes none of them"


def _refusal(settings: Settings, choice: Keys, why: str, trouble: str) -> Refused:
    notes = (*choice.skipped, *((trouble,) if trouble else ()))
    hint = (
        f"put the public half of one of these into authorized_keys of {settings.user} there "
        "(system.admins.NAME.keys of host.yaml)"
    )
    if not choice.offers:
        hint = "make a key with ssh-keygen -t ed25519, or name one in ~/.ssh/config: IdentityFile"
    if "MaxAuthTries" in why:
        hint = "name the right key in ~/.ssh/config: IdentityFile, with IdentitiesOnly yes"
    if notes:
        hint += "; or see to the keys that were left out"
    return Refused(
        f"{settings.target.name}: {settings.place} accepts no key: {why}"
        + described(choice.offers)
        + "".join(f"\n  left out: {note}" for note in notes),
        hint=hint,
    )
