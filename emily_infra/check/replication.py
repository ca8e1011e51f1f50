"""Rules about second ZFS hosts: sent elsewhere, taken in, and both ends of one mind."""

from collections.abc import Iterator

from emily_infra.check.backup import listed_twice, own_names, replica_place
from emily_infra.check.rule import Problem, fleet_rule, host_rule
from emily_infra.findings import Path, Severity
from emily_infra.spec import topology
from emily_infra.spec.host import Fleet, Host, HostSpec
from emily_infra.spec.replication import Receive, Replica
from emily_infra.spec.snapshots import is_within

_ONE = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMLJfwPy36ovZsZCCGlRv16ASbvh9vW9APmDO7yx10Ab"
_TWO = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICm2KKEQtoPJ9+oMZLgSpGw43FZaovg5SaC4NaWZIwOt"
_BARN = (
    "barn: {{ address: {address}, host_key: {key}, key: secret:barn, into: tank/{into}, "
    "datasets: [tank/home] }}"
)
_RECEIVE = "{name}: {{ key: {key}, into: {into}, keep: {{ daily: 30 }} }}"


def _sent(address: str, into: str = "pebble") -> str:
    """An example: tank/home is sent to a machine."""
    barn = _BARN.format(address=address, key=_ONE, into=into)
    return f"{{ backup: {{ replicas: {{ {barn} }} }}, secrets: {{ barn: {{}} }} }}"


def _taken(name: str, into: str, key: str = _TWO) -> str:
    """An example: a machine sends here."""
    return _RECEIVE.format(name=name, into=into, key=key)


def replicas(spec: HostSpec) -> list[tuple[str, Replica]]:
    """Every replica with its name, in the order of names."""
    return sorted(spec.backup.replicas.items())


def receives(spec: HostSpec) -> list[tuple[str, Receive]]:
    """Every host that sends here with its name, in the order of names."""
    return sorted(spec.backup.receives.items())


def _receive_place(name: str) -> Path:
    return ("backup", "receives", name)


@host_rule(
    "BAK023",
    Severity.ERROR,
    wrong=_sent("192.168.1.10"),
    right=_sent("192.168.1.20"),
)
def a_replica_on_this_host(host: Host) -> Iterator[Problem]:
    """A replica is on the host that it is to protect

    Fire, theft and a mistake with both hands on the keyboard reach the second pool of a host as
    they reach the first one. A replica counts when another machine holds it.
    """
    for name, replica in replicas(host.spec):
        if replica.address in own_names(host):
            yield Problem(
                at=(*replica_place(name), "address"),
                message=f"{replica.address} is this host, not another one",
                hint="send it to another machine, or use a pool that is carried away",
            )


@host_rule(
    "BAK024",
    Severity.ERROR,
    wrong="backup: { replicas: { barn: { address: barn, host_key: " + _ONE + ", key: secret:barn, "
    "into: tank/pebble, datasets: [tank/home, tank/home] } } }\nsecrets: { barn: {} }",
    right=_sent("barn"),
)
def a_dataset_sent_twice(host: Host) -> Iterator[Problem]:
    """A dataset is sent twice into the same place

    A dataset stands for all that is below it. Sent twice into one place, by a list that names it
    and one above it or by two entries with the same address, the second run finds a far end that
    the first one has moved on, and both stop with an error on every other night.
    """
    seen: dict[tuple[str, int, str], str] = {}
    for name, replica in replicas(host.spec):
        yield from listed_twice(replica_place(name), replica.datasets)
        other = seen.setdefault((replica.address, replica.port, replica.into), name)
        if other != name:
            yield Problem(
                at=(*replica_place(name), "into"),
                message=f"{name} and {other} are the same place, {replica.into} on "
                f"{replica.address}",
                hint=f"merge the datasets of {name} into {other} and delete {name}",
            )


@host_rule(
    "BAK025",
    Severity.ERROR,
    wrong=f"backup: {{ receives: {{ {_taken('ember', 'tank/home')} }} }}",
    right=f"backup: {{ receives: {{ {_taken('ember', 'tank/ember')} }} }}",
)
def taken_in_where_something_is(host: Host) -> Iterator[Problem]:
    """A host's copies would be taken into a place that is no place of their own

    What is received must stand in a pool of this host, apart from this host's own datasets: the
    sender names what comes below `into`, and may neither meet a dataset that lives here nor have
    its snapshots expired by another policy. A dataset without mountpoint and with snapshots: none
    may stand there as the roof of it, as an encrypted one does.
    """
    pools = sorted(host.spec.storage.pools)
    for name, receive in receives(host.spec):
        met = _met(host.spec, receive.into)
        if receive.into.partition("/")[0] not in pools:
            yield Problem(
                at=(*_receive_place(name), "into"),
                message=f"{receive.into} is in no pool of this host",
                hint=f"write into: {next(iter(pools), 'tank')}/{name}; pools here: "
                f"{', '.join(pools) or 'none'}",
            )
        elif met:
            yield Problem(
                at=(*_receive_place(name), "into"),
                message=f"{receive.into} is a place of this host's own dataset {met}",
                hint=f"write into: {receive.into.partition('/')[0]}/received/{name}",
            )


def _met(spec: HostSpec, into: str) -> str | None:
    """A dataset of the host that what is received would meet."""
    for path, (_, dataset) in topology.datasets(spec).items():
        lives = bool(dataset.mountpoint) or dataset.snapshots not in (None, "none")
        if is_within(path, into) and (path != into or lives):
            return path
        if is_within(into, path) and lives:
            return path
    return None


@host_rule(
    "BAK026",
    Severity.ERROR,
    wrong=f"""
        backup:
          receives:
            {_taken("ember", "tank/both", _ONE)}
            {_taken("nas", "tank/both")}
    """,
    right=f"""
        backup:
          receives:
            {_taken("ember", "tank/ember", _ONE)}
            {_taken("nas", "tank/nas")}
    """,
)
def two_senders_in_one_place(host: Host) -> Iterator[Problem]:
    """Two hosts send into one place

    Each may then send over what the other one has stored, and two rules for expiring work on the
    same snapshots. Give every sender a dataset of its own that no other one stands above.
    """
    entries = receives(host.spec)
    for index, (name, receive) in enumerate(entries):
        for other, earlier in entries[:index]:
            if is_within(receive.into, earlier.into) or is_within(earlier.into, receive.into):
                yield Problem(
                    at=(*_receive_place(name), "into"),
                    message=f"{receive.into} of {name} and {earlier.into} of {other} are not apart",
                    hint=f"write into: {receive.into.partition('/')[0]}/received/{name}",
                )


@host_rule(
    "BAK027",
    Severity.ERROR,
    wrong=f"""
        backup:
          receives:
            {_taken("ember", "tank/ember")}
            {_taken("nas", "tank/nas")}
    """,
    right=f"""
        backup:
          receives:
            {_taken("ember", "tank/ember", _ONE)}
            {_taken("nas", "tank/nas")}
    """,
)
def a_senders_key_that_opens_more(host: Host) -> Iterator[Problem]:
    """A sender's key opens more than its own place

    A sender logs in with a key that may do one thing: hand over snapshots in its own name. sshd
    takes the first entry of a key that it finds, so a key that stands here twice lets one sender
    speak for the other, and an admin's key would open a shell from a machine that holds it without
    a passphrase. Make a key for each: ssh-keygen -t ed25519 -N '' -f emily-replica.
    """
    holders = {
        _bare(key): f"the admin {admin}"
        for admin, body in sorted(host.spec.system.admins.items())
        for key in body.keys
    }
    for name, receive in receives(host.spec):
        other = holders.setdefault(_bare(receive.key), name)
        if other != name:
            yield Problem(
                at=(*_receive_place(name), "key"),
                message=f"{name} sends with the key of {other}",
                hint=f"on {name}: ssh-keygen -t ed25519 -N '' -f emily-replica, put the private "
                "key behind its secret, and paste emily-replica.pub here",
            )


def _bare(key: str) -> str:
    """A public key without its comment."""
    return " ".join(key.split(" ")[:2])


_FAR = """{{ deploy: {{ address: 192.168.1.20 }}, network: {{ zones: {{ home: {{
    address: 192.168.1.20/24 }} }} }}, backup: {{ receives: {{ {entry} }} }} }}"""


@fleet_rule(
    "BAK028",
    Severity.ERROR,
    wrong=f"one: {_sent('192.168.1.20', 'one')}\n"
    f"two: {_FAR.format(entry=_taken('one', 'tank/other'))}",
    right=f"one: {_sent('192.168.1.20', 'one')}\n"
    f"two: {_FAR.format(entry=_taken('one', 'tank/one'))}",
)
def a_far_side_of_another_mind(fleet: Fleet) -> Iterator[Problem]:
    """The far side of a replica is a host of ours, and does not take it in

    Both ends are described here, so they can be held against each other before the first night:
    the far host needs an entry under backup.receives by this host's name, with the same `into`,
    and is reached as root, whose key there runs that one command only, on the port that its SSH
    server listens on.
    """
    known = _by_address(fleet)
    for host in fleet.values():
        for name, replica in replicas(host.spec):
            far = known.get(replica.address)
            if far and (found := _disagreement(host.name, replica, far)):
                key, message, hint = found
                place = (*replica_place(name), key) if key else replica_place(name)
                yield Problem(at=place, message=message, hint=hint, host=host.name)


def _by_address(fleet: Fleet) -> dict[str, Host]:
    """The hosts by everything they are reached at; what every host calls itself names none."""
    known: dict[str, Host] = {}
    if any(host.spec.backup.replicas for host in fleet.values()):
        for host in fleet.values():
            for address in own_names(host) - _ANYBODY | {str(host.spec.deploy.address)}:
                known.setdefault(address, host)
    return known


_ANYBODY = {"localhost", topology.LOOPBACK, "::1"}


def _disagreement(sender: str, replica: Replica, far: Host) -> tuple[str, str, str] | None:
    """The key of the replica that is not as the far side has it, what is wrong, what to write."""
    receive, port = far.spec.backup.receives.get(sender), far.spec.system.ssh.port
    if receive is None:
        missing = f"{far.name} takes in nothing from {sender}"
        entry = f"{sender}: {{ key: PUBLIC KEY, into: {replica.into}, keep: {{ daily: 30 }} }}"
        return "", missing, f"add to {far.name}'s host.yaml under backup.receives: {entry}"
    wanted: tuple[tuple[str, object, object], ...] = (
        ("into", replica.into, receive.into),
        ("port", replica.port, port),
        ("user", replica.user, "root"),
    )
    for key, here, there in wanted:
        if here != there:
            return key, f"{key} is {here} here and {there} on {far.name}", f"write {key}: {there}"
    return None


@fleet_rule(
    "BAK029",
    Severity.WARNING,
    wrong=f"one: {{}}\ntwo: {_FAR.format(entry=_taken('one', 'tank/one'))}",
    right=f"one: {_sent('192.168.1.20', 'one')}\n"
    f"two: {_FAR.format(entry=_taken('one', 'tank/one'))}",
)
def a_sender_that_does_not_send(fleet: Fleet) -> Iterator[Problem]:
    """A host is let in to send, and does not

    Its key is a way in that nobody uses, and whoever reads this file believes in a replica that is
    not there. Either the entry is a leftover, or the sender's own backup.replicas is missing.
    """
    known = _by_address(fleet)
    for host in fleet.values():
        for name, receive in receives(host.spec):
            sender = fleet.get(name)
            entries = replicas(sender.spec) if sender else []
            sent = [known.get(entry.address) for _, entry in entries]
            if sender and host not in sent:
                yield Problem(
                    at=_receive_place(name),
                    message=f"{name} sends nothing here, by its own host.yaml",
                    hint=f"add to {name}'s host.yaml under backup.replicas an entry with address: "
                    f"{host.spec.deploy.address} and into: {receive.into}, or delete this one",
                    host=host.name,
                )
