"""The SMB server: old protocols, NetBIOS and guests off, bound to the zones of its shares."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from emily_infra.render.nix import Lines
from emily_infra.render.units import hardened
from emily_infra.spec import shares, topology
from emily_infra.spec.host import Host, HostSpec
from emily_infra.spec.network import Zone
from emily_infra.spec.samba import Samba, Share
from emily_infra.spec.snapshots import NAME_FORMAT

_LOOPBACK = ["127.0.0.1", "::1"]
_STATE = ["/var/lib/samba", "/var/cache/samba", "-/run/lock/samba", "-/run/samba"]


@dataclass(frozen=True)
class Line:
    """What the comment on multichannel says."""

    multichannel: str
    ceiling: int


def lower(host: Host) -> Mapping[str, object] | None:
    """What modules/samba.nix.j2 prints, or nothing where nothing is shared."""
    spec = host.spec
    if not spec.samba:
        return None
    folders = [mount for name, share in shares.shares(spec) if (mount := _folder(spec, share))]
    return {
        "workgroup": spec.samba.workgroup,
        "encryption": spec.samba.encryption,
        "interfaces": ["lo", *_bound(spec)],
        "clients": _clients(spec, shares.zones(spec)),
        "guests": "bad user" if any(share.guest for _, share in shares.shares(spec)) else "never",
        "line": _line(spec, spec.samba),
        "shares": {name: _share(spec, share) for name, share in shares.shares(spec)},
        "people": sorted(spec.samba.users.keys() - spec.system.admins.keys()),
        "hardening": hardened() | {"PrivateNetwork": True, "ReadWritePaths": _STATE},
        "credentials": _credentials(spec, spec.samba),
        "script": passwords(spec.samba.users),
        "after": _after(spec),
        "mounts": sorted(set(folders)),
    }


def _folder(spec: HostSpec, share: Share) -> str | None:
    dataset = shares.dataset_of(spec, share)
    return dataset.mountpoint if dataset else None


def _interfaces(spec: HostSpec) -> list[str]:
    found = (topology.interface(zone) for zone in shares.zones(spec).values())
    return list(dict.fromkeys(found))


def _bound(spec: HostSpec) -> list[str]:
    """What smbd binds to: it passes over the name of an interface without broadcast, as a tunnel's
    is, but takes its address.
    """
    found: list[str] = []
    for zone in shares.zones(spec).values():
        tunnel = spec.wireguard.get(zone.wireguard or "")
        found.append(str(tunnel.address) if tunnel else topology.interface(zone))
    return list(dict.fromkeys(found))


def _clients(spec: HostSpec, zones: Iterable[str]) -> list[str]:
    """The networks whose machines may connect; nothing where an address in a zone is learned.

    The firewall keeps such a zone alone: a list that lacks its networks would lock its people out.
    """
    known = [(name, spec.network.zones[name]) for name in zones if name in spec.network.zones]
    if any(_learned(zone) for _, zone in known):
        return []
    found = [str(network) for name, _ in known for network in topology.networks(spec, name)]
    return [*_LOOPBACK, *dict.fromkeys(found)]


def _learned(zone: Zone) -> bool:
    return zone.address == "dhcp" or zone.address6 == "auto"


def _line(spec: HostSpec, samba: Samba) -> Line:
    parallel = samba.multichannel == "auto" and shares.parallel_lines(spec)
    ceiling = shares.megabytes_a_second(shares.fastest_line(spec))
    return Line("yes" if parallel else "no", ceiling)


def _share(spec: HostSpec, share: Share) -> dict[str, object]:
    settings: dict[str, object] = {
        "path": _folder(spec, share) or "/var/empty",
        "valid users": list(share.users),
        "read only": "yes" if share.read_only else "no",
        # New files take group and mode from the folder they are made in, so that what one person
        # writes the others can write too.
        "inherit permissions": "yes",
    }
    if share.guest:
        settings |= {"guest ok": "yes", "valid users": []}
    clients = _clients(spec, sorted(share.zones))
    if clients:
        settings["hosts allow"] = clients
    if shares.shows_snapshots(spec, share):
        settings |= _previous_versions()
    return {key: value for key, value in settings.items() if value != []}


def _previous_versions() -> dict[str, object]:
    """The snapshots of ZFS as Windows shows them; their names are in UTC."""
    return {
        "vfs objects": "shadow_copy2",
        "shadow:snapdir": ".zfs/snapshot",
        "shadow:format": NAME_FORMAT,
        "shadow:localtime": "no",
        "shadow:sort": "desc",
    }


def _credentials(spec: HostSpec, samba: Samba) -> list[str]:
    return [
        f"smb-{name}:{topology.secret_file(spec, user.password)}"
        for name, user in sorted(samba.users.items())
    ]


def _after(spec: HostSpec) -> list[str]:
    """smbd binds once, at its start, to the addresses that its interfaces have by then."""
    waits = [f"systemd-networkd-wait-online@{name}.service" for name in _interfaces(spec)]
    by_zfs = any(
        dataset is not None and dataset.mounted_by == "zfs"
        for _, share in shares.shares(spec)
        for dataset in [shares.dataset_of(spec, share)]
    )
    return [*waits, "zfs-mount.service"] if by_zfs else waits


def passwords(users: Iterable[str]) -> Lines:
    """The script that makes Samba's own list of users that of host.yaml."""
    names = " ".join(sorted(users))
    return Lines(_PASSWORDS.replace("@names@", names))


_PASSWORDS = """\
# Passwords go through standard input: arguments can be read by everyone on the host.
set_password() {
  password=$(cat "$CREDENTIALS_DIRECTORY/smb-$1")
  if [ -z "$password" ]; then
    echo "<3>the SMB password of $1 is empty"
    return 1
  fi
  printf '%s\\n%s\\n' "$password" "$password" | smbpasswd -s -a "$1"
}

failed=0
for user in @names@; do
  set_password "$user" || failed=1
done

# Who is no longer in host.yaml has no password any more.
pdbedit -L | while IFS=: read -r user _; do
  case " @names@ " in
    *" $user "*) ;;
    *) pdbedit -x -u "$user" ;;
  esac
done
exit $failed
"""
