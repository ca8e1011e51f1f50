"""Rules about admins: who can log in, and who can become root."""

from base64 import b64decode
from binascii import Error
from collections.abc import Iterator

from emily_infra.check.rule import Problem, Standing, host_rule
from emily_infra.findings import Path, Severity, dotted
from emily_infra.spec.host import Host
from emily_infra.spec.source import Data

_RSA_BITS = 3072
_SYSTEM_ACCOUNTS = frozenset(
    {
        "alertmanager", "emily-runtime", "grafana", "messagebus", "nobody", "polkituser",
        "prometheus", "root", "sshd", "systemd-network", "systemd-oom", "systemd-resolve",
        "systemd-timesync",
    }
)  # fmt: skip


def _keys(host: Host) -> Iterator[tuple[Path, str]]:
    for name, admin in host.spec.system.admins.items():
        for index, key in enumerate(admin.keys):
            yield ("system", "admins", name, "keys", index), key


def _fields(key: str) -> list[bytes]:
    """The parts of a public key (RFC 4253, section 6.6), or nothing where it is damaged."""
    try:
        blob = b64decode(key.split(" ")[1], validate=True)
    except (Error, IndexError):
        return []
    fields = []
    while blob:
        length = int.from_bytes(blob[:4], "big")
        if len(blob) < 4 + length:
            return []
        fields.append(blob[4 : 4 + length])
        blob = blob[4 + length :]
    whole = len(fields) > 1 and fields[0] == key.split(" ")[0].encode()
    return fields if whole else []


@host_rule(
    "SYS007",
    Severity.ERROR,
    wrong="system: { sudo: password }",
    right="""\
system: { sudo: password, admins: { colter: { password: secret:colter } } }
secrets: { colter: {} }
""",
)
def sudo_asks_for_a_password_nobody_has(host: Host) -> Iterator[Problem]:
    """sudo asks for a password that the admin does not have

    Accounts are made from host.yaml alone, so passwd on the host does not last: an admin without
    a password here has none and can never answer sudo. Where no other way to root is left, the
    next repair needs a person at the machine. An admin who is deploy.user is never asked.
    """
    system = host.spec.system
    for name, admin in system.admins.items():
        if system.sudo == "password" and not admin.password and name != host.spec.deploy.user:
            yield Problem(
                at=("system", "admins", name),
                message=f"sudo wants a password, but {name} has none",
                hint=f"add password: secret:{name} (made with: mkpasswd -m yescrypt), "
                "or sudo: passwordless",
            )


@host_rule(
    "SYS008",
    Severity.WARNING,
    wrong="system: { admins: { colter: { keys: [ssh-rsa "
    "AAAAB3NzaC1yc2EAAAADAQABAAAAgQDwqjrzsb7GoEidPAWlVNqeTFAXq6yb+8wfjrTzDWW2iqEw7G6w"
    "KFCUYnFHNGIcQcr79QeSXWUF2kDHXDODCblwi2mfrPcxrQKiQjIk3xhEglaBjze8DnZC5ThuQd4x70V/"
    "kYcRPvr6pl/WHKWTWXZaOZRK29gELP1UhQyz9IUpuQ=="
    " colter@old] } } }",
    right="system: { admins: { colter: { keys: [ssh-ed25519 "
    "AAAAC3NzaC1lZDI1NTE5AAAAIOmeCnwwwBMiUg359LNFhHRRdhwjAxkiZ5x3XidOm7fC colter@home] } } }",
)
def a_weak_key(host: Host) -> Iterator[Problem]:
    """An RSA key is too short

    The key is the only thing between the network and root. RSA below 3072 bits is below the 128
    bits of strength that everything else here has; 1024 bits can be broken with money. An ed25519
    key is shorter to paste, faster and strong.
    """
    for path, key in _keys(host):
        fields = _fields(key)
        bits = int.from_bytes(fields[2], "big").bit_length() if _is_rsa(fields) else _RSA_BITS
        if bits < _RSA_BITS:
            yield Problem(
                at=path,
                message=f"this RSA key has {bits} bits; {_RSA_BITS} is the least",
                hint="make one with: ssh-keygen -t ed25519, and paste the .pub file's line",
            )


def _is_rsa(fields: list[bytes]) -> bool:
    return len(fields) == 3 and fields[0] == b"ssh-rsa"


@host_rule(
    "SYS010",
    Severity.WARNING,
    wrong="system: { nix: { trusted_users: [colter] } }",
    right="system: { nix: { trusted_users: [] } }",
)
def a_trusted_user_is_root(host: Host) -> Iterator[Problem]:
    """A trusted user of Nix is root in all but name

    Who may import unsigned paths can put a program of his own where root will run it. With sudo
    at hand trust gains nothing; without it, it is a way round sudo's password. An account that
    only deploys needs no entry: deploy.user is trusted already.
    """
    for index, user in enumerate(host.spec.system.nix.trusted_users):
        if user not in ("root", host.spec.deploy.user):
            yield Problem(
                at=("system", "nix", "trusted_users", index),
                message=f"{user} can become root through the Nix daemon, without a password",
                hint="take the name out; sign paths instead with: nix store sign",
            )


@host_rule(
    "SYS011",
    Severity.ERROR,
    wrong="deploy: { user: deployer }",
    right="deploy: { user: colter }",
    standing=Standing.CONTRADICTION,
)
def nobody_deploys_under_this_name(host: Host) -> Iterator[Problem]:
    """The user who deploys does not exist

    deploy.user logs in over SSH with an admin's key. Accounts exist only for root and for the
    names under system.admins; any other name would be refused by the host after the first switch.
    """
    admins = sorted(host.spec.system.admins)
    if host.spec.deploy.user not in ("root", *admins):
        yield Problem(
            at=("deploy", "user"),
            message=f"{host.spec.deploy.user} is neither root nor an admin",
            hint=f"write user: root or user: {admins[0]}, or add the name under system.admins",
        )


@host_rule(
    "SYS012",
    Severity.NOTE,
    wrong="system: { admins: { colter: { keys: [ssh-ed25519 "
    "AAAAC3NzaC1lZDI1NTE5AAAAIOmeCnwwwBMiUg359LNFhHRRdhwjAxkiZ5x3XidOm7fC colter@home] } } }",
    right="""\
system:
  admins:
    jihyun:
      keys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIObWyT+R6W/KTJ4rAuyAXCFoiOhi646SwbNnjc+lXnEp]
""",
)
def one_key_to_everything(host: Host) -> Iterator[Problem]:
    """One key is the only way in

    Keys are the only way in over the network. A laptop lost or a disk failed takes the only key
    along, and what is left is a keyboard at the machine. A second key costs one line: another
    person's, or one on a hardware token in a drawer.
    """
    keys = {key.split(" ")[1] for _, key in _keys(host)}
    if len(keys) == 1:
        yield Problem(
            at=("system", "admins"),
            message="a single SSH key opens this host",
            hint="add a second key, kept in another place than the first",
        )


@host_rule(
    "SYS013",
    Severity.ERROR,
    wrong="system: { admins: { sshd: { keys: [ssh-ed25519 "
    "AAAAC3NzaC1lZDI1NTE5AAAAIObWyT+R6W/KTJ4rAuyAXCFoiOhi646SwbNnjc+lXnEp jihyun@seoul] } } }",
    right="system: { admins: { jihyun: { keys: [ssh-ed25519 "
    "AAAAC3NzaC1lZDI1NTE5AAAAIObWyT+R6W/KTJ4rAuyAXCFoiOhi646SwbNnjc+lXnEp jihyun@seoul] } } }",
    standing=Standing.CONTRADICTION,
)
def an_admin_named_like_a_system_account(host: Host) -> Iterator[Problem]:
    """A person has the name of a system account

    NixOS makes that account for a service or for root, and refuses to build a host where it is a
    person as well. root needs no entry: the admins' keys open it when deploy.user is root. With an
    SMB password root could change every file of a share, from every client.
    """
    admins: list[Path] = [("system", "admins", name) for name in host.spec.system.admins]
    samba = host.spec.samba.users if host.spec.samba else {}
    for place in (*admins, *(("samba", "users", name) for name in samba)):
        name = str(place[-1])
        if name in _SYSTEM_ACCOUNTS or name.startswith("nixbld"):
            yield Problem(
                at=place,
                message=f"{name} is an account of the system",
                hint="give every person a name of their own",
            )


@host_rule(
    "SYS014",
    Severity.ERROR,
    wrong="system: { admins: { colter: { keys: [ssh-ed25519 "
    "AAAAC3NzaC1lZDI1NTE5AAAAIOmeCnwwwBMiUg359LNFhHRRdhwjAxkiZ5x3XidOm7fCAAAA colter@home] } } }",
    right="system: { admins: { colter: { keys: [ssh-ed25519 "
    "AAAAC3NzaC1lZDI1NTE5AAAAIOmeCnwwwBMiUg359LNFhHRRdhwjAxkiZ5x3XidOm7fC colter@home] } } }",
)
def a_damaged_key(host: Host) -> Iterator[Problem]:
    """An SSH key is damaged

    The text between the type and the comment does not hold together: a piece is missing or too
    much, or it is a key of another type. sshd passes over such a line without a word, so that its
    owner is locked out.
    """
    for path, key in _keys(host):
        if not _fields(key):
            yield Problem(
                at=path,
                message=f"this is no whole {key.split(' ')[0]} key",
                hint="paste the one line of the .pub file again; ssh-keygen -lf FILE must read it",
            )


@host_rule(
    "SYS015",
    Severity.WARNING,
    wrong="system: { admins: { colter: { keys: [ssh-ed25519 "
    "AAAAC3NzaC1lZDI1NTE5AAAAIOmeCnwwwBMiUg359LNFhHRRdhwjAxkiZ5x3XidOm7fC REPLACE] } } }",
    right="system: { admins: { colter: { keys: [ssh-ed25519 "
    "AAAAC3NzaC1lZDI1NTE5AAAAIOmeCnwwwBMiUg359LNFhHRRdhwjAxkiZ5x3XidOm7fC colter@home] } } }",
)
def a_placeholder_is_left(host: Host) -> Iterator[Problem]:
    """The file still says REPLACE

    `emily-infra init` writes REPLACE where it cannot know: at your SSH key, at the names of the
    disks. A host built with the key of the example opens to nobody, and disks of that name are
    never found.
    """
    places = [path for path, text in _texts(host.source.data) if "REPLACE" in text]
    if places:
        more = f", and {len(places) - 1} more places do" if len(places) > 1 else ""
        yield Problem(
            at=places[0],
            message=f"{dotted(places[0])} still says REPLACE{more}",
            hint="search the file for REPLACE, and write there what this machine has",
        )


def _texts(data: Data, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every text of the file, keys included, at its place."""
    if isinstance(data, str):
        yield path, data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield (*path, key), key
            yield from _texts(value, (*path, key))
    elif isinstance(data, tuple):
        for index, value in enumerate(data):
            yield from _texts(value, (*path, index))
