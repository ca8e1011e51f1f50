"""Names and addresses as types: each refuses what the field's own programs would refuse."""

import re
from datetime import date
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
)
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, PlainValidator, WithJsonSchema

from emily_infra.spec.base import Secretive, Shaped, shown, wrong

PORT = r"(?:[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5])"
"""A pattern for 1 to 65535."""
Word = Annotated[str, Shaped(r"[a-z][a-z0-9-]{0,30}", "a name", "lower-case letters, digits and -")]
HostName = Annotated[
    str,
    Shaped(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", "a host name",
           "1 to 63 lower-case letters, digits and -, not at either end"),
]  # fmt: skip
HostId = Annotated[
    str,
    Shaped(r"(?!0{8})[0-9a-f]{8}", "a hostId",
           "8 lower-case hexadecimal digits, made once with: head -c4 /dev/urandom | xxd -p"),
]  # fmt: skip
Release = Annotated[
    str, Shaped(r"\d\d\.(?:05|11)", "a NixOS release", 'write it in quotes: "26.05"')
]
UserName = Annotated[
    str, Shaped(r"[a-z_][a-z0-9_-]{0,31}", "a user name", "lower-case letters, digits, _ and -")
]
SshKey = Annotated[
    str,
    Shaped(
        r"(?:ssh-ed25519|ecdsa-sha2-nistp(?:256|384|521)|sk-ssh-ed25519@openssh\.com"
        r"|sk-ecdsa-sha2-nistp256@openssh\.com|ssh-rsa) [A-Za-z0-9+/]{68,}={0,3}(?: [^\r\n]*)?",
        "an SSH public key", "paste the one line of ~/.ssh/id_ed25519.pub"),
]  # fmt: skip
TimeZone = Annotated[
    str, Shaped(r"[A-Za-z_]+(?:/[A-Za-z0-9_+-]+){0,2}", "a time zone", "such as UTC or Asia/Seoul")
]
Locale = Annotated[
    str, Shaped(r"(?:[a-z]{2,3}_[A-Z]{2}|C)\.UTF-8", "a UTF-8 locale", "such as ko_KR.UTF-8")
]
DiskId = Annotated[
    str,
    Shaped(r"(?!(?:sd|hd|vd|xvd)[a-z]+\d*$|nvme\d+n\d+|(?:mmcblk|loop|md|dm-|zd|sr)\d+)"
           r"[A-Za-z0-9][A-Za-z0-9_.:+-]{2,127}",
           "a stable disk id", "use the name under /dev/disk/by-id; kernel names move at a reboot"),
]  # fmt: skip
PoolName = Annotated[
    str,
    Shaped(
        r"(?!(?:mirror|raidz|draid|spare)|(?:log|cache|special|dedup)$|c\d)[A-Za-z][A-Za-z0-9_.-]{0,62}",
        "a pool name ZFS takes", "start with a letter; mirror, raidz, draid, spare, log are taken"),
]  # fmt: skip
DatasetName = Annotated[
    str,
    Shaped(r"(?!.{129})[A-Za-z0-9][A-Za-z0-9_.:-]*(?:/[A-Za-z0-9][A-Za-z0-9_.:-]*){0,8}",
           "a dataset name",
           "the path below the pool in Latin letters and digits, such as code or code/scratch"),
]  # fmt: skip
DatasetPath = Annotated[
    str,
    Shaped(r"(?!.{193})[A-Za-z][A-Za-z0-9_.-]*(?:/[A-Za-z0-9][A-Za-z0-9_.:-]*){1,9}",
           "a dataset", "pool and dataset, such as ember/code"),
]  # fmt: skip
MountPoint = Annotated[
    str,
    Shaped(r"(?!.{1024})(?:/|(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._-]+)+)", "an absolute path",
           "such as /srv/code, without spaces, . or .."),
]  # fmt: skip
Mac = Annotated[
    str,
    Shaped(r"[0-9a-f][02468ace](?::[0-9a-f]{2}){5}", "a unicast MAC address",
           'lower case with colons, the second digit even: "a0:36:9f:00:00:01"'),
]  # fmt: skip
Interface = Annotated[
    str,
    Shaped(r"(?!(?:eth|wlan|lo|all|default)\d*$)[a-z][a-z0-9-]{0,14}", "an interface name",
           "up to 15 lower-case letters, digits and -; eth0 belongs to the kernel"),
]  # fmt: skip
WireGuardKey = Annotated[
    str,
    Shaped(r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=", "a WireGuard public key",
           "44 characters from: wg pubkey < private.key"),
]  # fmt: skip
Endpoint = Annotated[
    str,
    Shaped(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-f:]+\]):" + PORT,
           "an endpoint", "host:port, such as gate.example.org:51820"),
]  # fmt: skip
SecretName = Annotated[
    str, Shaped(r"[a-z][a-z0-9-]{0,62}", "a secret's name", "lower-case letters, digits and -")
]
SecretRef = Annotated[
    str,
    Secretive(r"secret:[a-z][a-z0-9-]{0,62}", "a reference to a secret",
           "write secret:NAME and declare NAME under secrets; the value never stands here"),
]  # fmt: skip
PackageName = Annotated[
    str, Shaped(r"[A-Za-z_][A-Za-z0-9_-]*(?:\.[A-Za-z_][A-Za-z0-9_-]*)*", "a nixpkgs name",
                "the attribute under pkgs, such as htop or python3Packages.numpy")
]  # fmt: skip
FindingCode = Annotated[
    str, Shaped(r"[A-Z]{2,3}\d{3}", "a finding's code", "such as STO004, as check prints it")
]
Percent = Annotated[int, Field(ge=1, le=100)]
PortNumber = Annotated[int, Field(ge=1, le=65535)]
VlanId = Annotated[int, Field(ge=1, le=4094)]
Mtu = Annotated[int, Field(ge=1280, le=9216)]


_WRITTEN = re.compile(r"[0-9A-Fa-f.:]+(?:/[0-9]{1,3})?")


def _plain(value: object) -> str:
    """The text of an address; no scope (`%eth0`), behind which anything could stand."""
    if isinstance(value, str) and _WRITTEN.fullmatch(value):
        return value
    raise ValueError


def _address(value: object) -> IPv4Address | IPv6Address:
    try:
        return ip_address(_plain(value))
    except ValueError:
        raise wrong(f"{shown(value)} is not an IP address", "such as 10.10.0.1") from None


def _interface(value: object) -> IPv4Interface | IPv6Interface:
    try:
        interface = ip_interface(_plain(value))
    except ValueError:
        interface = None
    if interface is None or "/" not in str(value):
        hint = "the host's own address and the prefix length, such as 10.10.0.2/24"
        raise wrong(f"{shown(value)} is not an address with its prefix", hint)
    return interface


def _or_word(word: str) -> PlainValidator:
    """An interface address, or the one word that may stand in its place."""
    return PlainValidator(lambda value: value if value == word else _interface(value))


def _network(value: object) -> IPv4Network | IPv6Network:
    try:
        interface = ip_interface(_plain(value))
    except ValueError:
        raise wrong(f"{shown(value)} is not a network", "such as 10.0.0.0/24") from None
    if interface.ip != interface.network.network_address:
        message = f"{shown(value)} is an address in a network"
        raise wrong(message, f"write {interface.network} for the network, or {interface.ip} alone")
    return interface.network


def _date(value: object) -> date:
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise wrong(f"{shown(value)} is not a date", "such as 2027-06-30") from None


_AS_TEXT = PlainSerializer(str, return_type=str)
_ADDRESS_SCHEMA = WithJsonSchema({"type": "string"})
Address = Annotated[IPv4Address | IPv6Address, BeforeValidator(_address), _AS_TEXT]
_OnInterface = IPv4Interface | IPv6Interface
OrDhcp = Annotated[_OnInterface | Literal["dhcp"], _or_word("dhcp"), _AS_TEXT, _ADDRESS_SCHEMA]
OrAuto = Annotated[_OnInterface | Literal["auto"], _or_word("auto"), _AS_TEXT, _ADDRESS_SCHEMA]
InterfaceAddress = Annotated[IPv4Interface | IPv6Interface, BeforeValidator(_interface), _AS_TEXT]
Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_network), _AS_TEXT]
Date = Annotated[date, BeforeValidator(_date), _AS_TEXT]
