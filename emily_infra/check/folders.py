"""Rules about folders that lie in one another: what a share shows beside its own files."""

from collections.abc import Iterator

from emily_infra.check.rule import Problem, host_rule
from emily_infra.findings import Severity
from emily_infra.spec.host import Host, HostSpec
from emily_infra.spec.samba import Share
from emily_infra.spec.shares import dataset_of, shares
from emily_infra.spec.snapshots import is_within
from emily_infra.spec.storage import Owner
from emily_infra.spec.topology import BOOT_PATHS, mounts

_SYSTEM = BOOT_PATHS | {"/boot", "/home", "/root"}
_PHOTOS = """
    storage: { pools: { tank: { datasets: { home/photos:
      { mountpoint: %s, snapshots: daily } } } } }
    samba:
      users: { eve: { password: secret:smb-eve } }
      shares:
        home: { users: [colter, eve] }
        photos: { dataset: tank/home/photos, users: [colter], zones: [home] }
    secrets: { smb-eve: {} }
"""


def _folders(spec: HostSpec) -> list[tuple[str, Share, str]]:
    """Every share with the folder that it is, in the order of names."""
    mounted = {mount.path: mount.mountpoint for mount in mounts(spec)}
    return [
        (name, share, mounted[share.dataset])
        for name, share in shares(spec)
        if share.dataset in mounted
    ]


@host_rule(
    "SMB012",
    Severity.WARNING,
    wrong=_PHOTOS % "/srv/home/photos",
    right=_PHOTOS % "/srv/photos",
)
def a_share_shows_another(host: Host) -> Iterator[Problem]:
    """A share lies in another one that lets more people in

    A dataset mounted inside a shared folder is part of that folder: who opens the outer share walks
    into the inner one, past its list of people, its zones and its read_only. Only the permissions
    of the files are left between them. Mount the inner dataset elsewhere, or give both shares the
    same people.
    """
    folders = _folders(host.spec)
    for name, inner, folder in folders:
        for outer_name, outer, outer_folder in folders:
            more = _more(outer, inner)
            if folder != outer_folder and _below(folder, outer_folder) and more:
                yield Problem(
                    at=("samba", "shares", name),
                    message=f"{name} lies in {outer_name}, through which {more}",
                    hint=f"mount {inner.dataset} outside of {outer_folder}, or give both the same "
                    "users, zones and read_only",
                )


def _more(outer: Share, inner: Share) -> str:
    """What the outer share allows in the folder and the inner one does not."""
    people = sorted(set(outer.users) - set(inner.users))
    zones = sorted(set(outer.zones) - set(inner.zones))
    if outer.guest and not inner.guest:
        return "anyone may open it"
    if people and not inner.guest:
        return f"{', '.join(people)} may open it too"
    if zones:
        return f"it is reached from {', '.join(zones)} too"
    return "it can be written" if inner.read_only and not outer.read_only else ""


def _below(path: str, folder: str) -> bool:
    return folder == "/" or is_within(path, folder)


@host_rule(
    "SMB013",
    Severity.ERROR,
    wrong="storage: { pools: { tank: { datasets: { home: { mountpoint: /var/lib } } } } }",
    right="storage: { pools: { tank: { datasets: { home: { mountpoint: /srv/home } } } } }",
)
def the_system_is_shared(host: Host) -> Iterator[Problem]:
    """A share is a folder of the system itself

    Below /, /etc, /nix and /var/lib lie keys, the databases of services, Samba's own passwords and
    what runs as root at the next start; below /home lie the files that open an account. What keeps
    a client out of them is the permissions of each single file. Share a dataset that holds what is
    to be shared and nothing else.
    """
    for name, share, folder in _folders(host.spec):
        if folder in _SYSTEM or _below(folder, "/etc") or _below(folder, "/nix"):
            yield Problem(
                at=("samba", "shares", name, "dataset"),
                message=f"{name} would share {folder} of the system, by {share.dataset}",
                hint=f"share a dataset of its own, mounted at /srv/{name}",
            )


@host_rule(
    "SEC005",
    Severity.ERROR,
    wrong="secrets: { restic: { file: /srv/home/restic } }",
    right="secrets: { restic: { file: /run/secrets/restic } }",
)
def a_secret_in_a_share(host: Host) -> Iterator[Problem]:
    """A secret's file lies in a share

    Clients see the file, can put another one in its place, and find it again among the previous
    versions after it has been changed. Secrets belong in a folder that only root can open.
    """
    folders = _folders(host.spec)
    for name, secret in host.spec.secrets.items():
        for share, _, folder in folders:
            if secret.file and _below(secret.file, folder):
                yield Problem(
                    at=("secrets", name, "file"),
                    message=f"{secret.file} is in the share {share}, which is {folder}",
                    hint=f"write file: /run/secrets/{name}, or leave file out",
                )
                break


@host_rule(
    "SMB014",
    Severity.WARNING,
    wrong="""
        storage: { pools: { tank: { datasets: { home: { owner: null } } } } }
        """,
    right="""
        storage: { pools: { tank: { datasets: { home:
          { owner: { user: colter, group: users, mode: "0770" } } } } } }
        """,
)
def its_people_can_write(host: Host) -> Iterator[Problem]:
    """A share can be opened but not written by its people

    Samba lets a user in, and then the file system decides as it does for anybody: the top folder of
    a new dataset belongs to root, mode 0755. Everyone on the host who may log in or has an SMB
    password is in the group users; give that group, or the one person, the folder. With the set-gid
    bit (2770) what one makes stays the group's.
    """
    for name, share in shares(host.spec):
        dataset = dataset_of(host.spec, share)
        if dataset is None or share.read_only:
            continue
        owner = dataset.owner or Owner()
        shut_out = [user for user in share.users if not _writes(owner, user)]
        if shut_out:
            whose = f"{owner.user}:{owner.group} {owner.mode}"
            yield Problem(
                at=("samba", "shares", name),
                message=f"{', '.join(shut_out)} cannot write in {name}: its folder is {whose}",
                hint=f"at {share.dataset} write owner: {{ user: {shut_out[0]}, group: users, "
                'mode: "2770" }, or read_only: true at the share',
            )


def _writes(owner: Owner, user: str) -> bool:
    digit = {owner.user: -3}.get(user, -2 if owner.group == "users" else -1)
    return bool(int(owner.mode[digit]) & 2)
