"""Rules about shares: who may open them, from where, and what a line carries."""

from collections.abc import Iterator
from difflib import get_close_matches

from emily_infra.check.rule import Problem, Standing, host_rule
from emily_infra.findings import Path, Severity
from emily_infra.spec import topology
from emily_infra.spec.host import Host, HostSpec
from emily_infra.spec.policy import openings
from emily_infra.spec.shares import (
    dataset_of,
    fastest_line,
    megabytes_a_second,
    shares,
    shows_snapshots,
    zones,
)  # fmt: skip

SMB = 445


def _share(name: str) -> Path:
    return ("samba", "shares", name)


@host_rule(
    "SMB001",
    Severity.ERROR,
    wrong="samba: { shares: { home: { dataset: tank/hom } } }",
    right="samba: { shares: { home: { dataset: tank/home } } }",
    standing=Standing.CONTRADICTION,
)
def a_share_of_nothing(host: Host) -> Iterator[Problem]:
    """A share is on a dataset that does not exist

    There is no folder to share. Samba would start and show the share, and every person who opens
    it would get an error that does not say why.
    """
    for name, share in shares(host.spec):
        if dataset_of(host.spec, share) is None:
            known = ", ".join(topology.datasets(host.spec)) or "none"
            yield Problem(
                at=(*_share(name), "dataset"),
                message=f"the share {name} is on {share.dataset}, which storage.pools lacks",
                hint=f"datasets here: {known}",
            )


@host_rule(
    "SMB002",
    Severity.ERROR,
    wrong="samba: { shares: { home: { guest: true } } }",
    right="samba: { shares: { home: { guest: false } } }",
)
def a_share_for_everyone(host: Host) -> Iterator[Problem]:
    """A share is open to guests

    Whoever is in the zone reads it, and writes it if it is writable: a visitor's laptop, a printer,
    what a phishing mail has installed. A guest's connection can be neither signed nor encrypted,
    and today's Windows refuses it. People without an account are quickly given one.
    """
    for name, share in shares(host.spec):
        if share.guest:
            access = "read" if share.read_only else "read and change"
            yield Problem(
                at=(*_share(name), "guest"),
                message=f"anyone in {', '.join(share.zones)} may {access} {name}",
                hint="delete guest, and name people: users: [NAME]",
            )


@host_rule(
    "SMB003",
    Severity.ERROR,
    wrong="samba: { shares: { home: { users: [colter, jihyun] } } }",
    right="""
        samba:
          shares: { home: { users: [colter, jihyun] } }
          users: { jihyun: { password: secret:smb-jihyun } }
        secrets: { smb-jihyun: {} }
    """,
    standing=Standing.CONTRADICTION,
)
def a_person_without_a_password(host: Host) -> Iterator[Problem]:
    """A share's user has no SMB password

    Samba keeps passwords of its own; an account on the host or an SSH key does not open a share.
    Without an entry under samba.users the person is asked for a password that does not exist.
    """
    for name, share in shares(host.spec):
        for index, user in enumerate(share.users):
            if host.spec.samba and user not in host.spec.samba.users:
                near = get_close_matches(user, sorted(host.spec.samba.users), 1)
                meant = f"did you mean {near[0]}? If not, " if near else ""
                yield Problem(
                    at=(*_share(name), "users", index),
                    message=f"{user} may open {name}, but has no entry under samba.users",
                    hint=f"{meant}add under samba.users: {user}: "
                    f"{{ password: secret:smb-{user} }}, and under secrets: smb-{user}: {{}}",
                )


@host_rule(
    "SMB004",
    Severity.ERROR,
    wrong="samba: { shares: { home: { zones: [home, office] } } }",
    right="samba: { shares: { home: { zones: [home] } } }",
    standing=Standing.CONTRADICTION,
)
def a_zone_that_does_not_exist(host: Host) -> Iterator[Problem]:
    """A share is offered in a zone that does not exist

    Samba listens on the interfaces of the zones of its shares and nowhere else. A zone that
    network.zones lacks has no interface.
    """
    known = host.spec.network.zones
    for name, share in shares(host.spec):
        for index, zone in enumerate(share.zones):
            if zone not in known:
                yield Problem(
                    at=(*_share(name), "zones", index),
                    message=f"{name} is offered in {zone}, which network.zones lacks",
                    hint=f"zones here: {', '.join(sorted(known))}",
                )


@host_rule(
    "SMB005",
    Severity.ERROR,
    wrong="network: { allow: [{ from: home, to: host, services: [ssh] }] }",
    right="network: { allow: [{ from: home, to: host, services: [ssh, smb] }] }",
)
def a_share_behind_a_closed_door(host: Host) -> Iterator[Problem]:
    """A share is offered where the firewall lets nobody reach it

    Samba would listen and the firewall would drop every packet to it, which for the person looks
    like a server that hangs. Either the policy lacks a line, or the share names one zone too many.
    """
    open_to = {opening.zone for opening in openings(host.spec, SMB)}
    for name, share in shares(host.spec):
        for index, zone in enumerate(share.zones):
            if zone in host.spec.network.zones and zone not in open_to:
                yield Problem(
                    at=(*_share(name), "zones", index),
                    message=f"{name} is offered in {zone}, but nothing allows {zone} to reach "
                    f"TCP port {SMB} of the host",
                    hint=f"add to network.allow: - {{ from: {zone}, to: host, services: [smb] }}",
                )


@host_rule(
    "SMB006",
    Severity.NOTE,
    wrong="""
        wireguard:
          wg0:
            address: 10.0.0.2/24
            private_key: secret:wg0
            peers:
              away:
                public_key: DCFFrHzrByanm9OFf/uvMa8VY+KnaRgRXLe5RbTK6+E=
                allowed_ips: [10.0.0.0/24]
        secrets: { wg0: {} }
        network:
          zones: { away: { wireguard: wg0 } }
          allow: [{ from: home, to: host, services: [ssh, smb] },
                  { from: away, to: host, services: [smb] }]
        samba: { shares: { home: { zones: [home, away] } } }
    """,
    right="samba: { shares: { home: { zones: [home] } } }",
)
def the_ceiling_of_a_tunnel(host: Host) -> Iterator[Problem]:
    """A share in a tunnel is as fast as the line under it

    SMB multichannel opens several connections, and all of them share the one line that the tunnel
    runs over. After the headers of WireGuard, TCP and SMB about nine tenths of it are left: at
    1 Gbit/s some 112 MB/s, not the 300 to 400 that are told of multichannel. The slower end of the
    line counts, and the distance too. More comes from a faster line, from sending less (rsync with
    compression, a cache at the client) or from moving the work to where the data is.
    """
    for name, share in shares(host.spec):
        for index, zone in enumerate(share.zones):
            found = host.spec.network.zones.get(zone)
            if found and found.wireguard:
                line = fastest_line(host.spec)
                yield Problem(
                    at=(*_share(name), "zones", index),
                    message=f"through {found.wireguard}, {name} carries at most about "
                    f"{megabytes_a_second(line)} MB/s: the uplink has {line}, and multichannel "
                    "adds nothing on one line",
                    hint="for more: a faster line, compressed transfer, or a cache at the client",
                )
                return


@host_rule(
    "SMB007",
    Severity.ERROR,
    wrong="storage: { pools: { tank: { datasets: { home: { mountpoint: null } } } } }",
    right="storage: { pools: { tank: { datasets: { home: { mountpoint: /srv/home } } } } }",
    standing=Standing.CONTRADICTION,
)
def a_share_that_is_not_mounted(host: Host) -> Iterator[Problem]:
    """A share's dataset is not mounted

    A share is a folder, and a dataset becomes a folder by being mounted. Without a mountpoint there
    is no path to give to Samba.
    """
    for name, share in shares(host.spec):
        dataset = dataset_of(host.spec, share)
        if dataset and not dataset.mountpoint:
            yield Problem(
                at=(*_share(name), "dataset"),
                message=f"{share.dataset}, which {name} shares, has no mountpoint",
                hint=f"add to the dataset: mountpoint: /srv/{name}",
            )


@host_rule(
    "SMB008",
    Severity.WARNING,
    wrong="storage: { pools: { tank: { datasets: { home: { snapshots: none } } } } }",
    right="storage: { pools: { tank: { datasets: { home: { snapshots: none } } } } }\n"
    "samba: { shares: { home: { previous_versions: false } } }",
)
def previous_versions_of_nothing(host: Host) -> Iterator[Problem]:
    """A share promises previous versions, but its dataset takes no snapshots

    Windows would show an empty list under Previous Versions. People find out on the day on which
    they need one.
    """
    for name, share in shares(host.spec):
        dataset = dataset_of(host.spec, share)
        if dataset and share.previous_versions and not shows_snapshots(host.spec, share):
            policies = sorted(host.spec.backup.snapshots)
            yield Problem(
                at=(*_share(name), "previous_versions"),
                message=f"{share.dataset} takes no snapshots, so {name} has no previous versions",
                hint=f"give the dataset a policy: snapshots: {policies[0] if policies else 'daily'}"
                f"; or write previous_versions: false under samba.shares.{name}",
            )


@host_rule(
    "SMB009",
    Severity.WARNING,
    wrong="""
        wireguard:
          wg0:
            address: 10.0.0.2/24
            private_key: secret:wg0
            peers:
              away:
                public_key: DCFFrHzrByanm9OFf/uvMa8VY+KnaRgRXLe5RbTK6+E=
                allowed_ips: [10.0.0.0/24]
        secrets: { wg0: {} }
        network:
          zones: { away: { wireguard: wg0 } }
          allow: [{ from: home, to: host, services: [ssh] },
                  { from: away, to: host, services: [smb] }]
        samba: { encryption: required, shares: { home: { zones: [away] } } }
    """,
    right="samba: { encryption: required, shares: { home: { zones: [home] } } }",
)
def everything_encrypted_twice(host: Host) -> Iterator[Problem]:
    """SMB encrypts what the tunnel encrypts already

    All shares are reached through WireGuard only. Encrypting a second time costs both ends
    processor time for every byte and protects from nobody new. With `desired` a client may still
    ask for it, and every packet stays signed.
    """
    samba = host.spec.samba
    offered = zones(host.spec).values()
    if samba and samba.encryption == "required" and offered and all(z.wireguard for z in offered):
        tunnels = sorted({str(zone.wireguard) for zone in offered})
        yield Problem(
            at=("samba", "encryption"),
            message=f"every share is reached through {', '.join(tunnels)}, which encrypts already",
            hint="write encryption: desired",
        )


@host_rule(
    "SMB010",
    Severity.ERROR,
    wrong="samba: { shares: { home: { users: [] } } }",
    right="samba: { shares: { home: { users: [colter] } } }",
)
def a_share_for_nobody(host: Host) -> Iterator[Problem]:
    """A share names nobody who may open it

    For Samba a share without a list of people is open to everyone who has any SMB password on the
    host. That is never what an empty list means, so it has to be said who may come in.
    """
    for name, share in shares(host.spec):
        if not share.users and not share.guest:
            known = sorted(host.spec.samba.users) if host.spec.samba else []
            yield Problem(
                at=_share(name),
                message=f"{name} has no users",
                hint=f"add users: [{', '.join(known) or 'NAME'}]",
            )


@host_rule(
    "SMB011",
    Severity.WARNING,
    wrong="""
        samba: { shares: { copy: { dataset: tank/home, users: [colter], zones: [home] } } }
    """,
    right="""
        storage:
          pools: { tank: { datasets: { code: { mountpoint: /srv/code, snapshots: daily } } } }
        samba: { shares: { copy: { dataset: tank/code, users: [colter], zones: [home] } } }
        backup: { offsite: { shed: { datasets: [tank/home, tank/code] } } }
    """,
)
def one_folder_under_two_names(host: Host) -> Iterator[Problem]:
    """Two shares are the same folder

    Each name has people, zones and rights of its own, and what one of them forbids the other may
    allow. Two programs that open one file under two names do not see each other's locks in their
    caches either.
    """
    names: dict[str, str] = {}
    for name, share in shares(host.spec):
        first = names.setdefault(_folder(host.spec, share.dataset), name)
        if first != name:
            yield Problem(
                at=(*_share(name), "dataset"),
                message=f"{first} and {name} are the same folder",
                hint=f"keep one of them, with the users and zones of both; or give {name} "
                "a dataset of its own",
            )


def _folder(spec: HostSpec, dataset: str) -> str:
    """Two datasets at one mountpoint are one folder as well."""
    found = topology.datasets(spec).get(dataset)
    return (found[1].mountpoint if found else None) or dataset
