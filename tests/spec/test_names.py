"""Names and addresses: what their own programs take is taken, everything else is refused."""

import importlib
import pkgutil
import re
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, get_args

import pytest
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

import emily_infra.spec
from emily_infra.spec import names
from emily_infra.spec.base import Shaped
from emily_infra.spec.host import Place

ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOmeCnwwwBMiUg359LNFhHRRdhwjAxkiZ5x3XidOm7fC"

TAKEN: dict[str, tuple[object, ...]] = {
    "Word": ("a", "lan", "data-2", "a" * 31),
    "HostName": ("a", "1", "ember", "nas-2", "0x", "a" * 63),
    "HostId": ("8425e349", "00000001", 12345678),
    "Release": ("26.05", "25.11"),
    "UserName": ("root", "_sshd", "j-h", "a" * 32),
    "SshKey": (ED25519, f"{ED25519} colter@minnesota", f"{ED25519} 지현 laptop",
               "ssh-rsa " + "A" * 372),
    "TimeZone": ("UTC", "Asia/Seoul", "America/Argentina/Buenos_Aires", "Etc/GMT+8"),
    "Locale": ("en_US.UTF-8", "ko_KR.UTF-8", "C.UTF-8", "fil_PH.UTF-8"),
    "DiskId": ("ata-HDD_1", "nvme-A-part5", "wwn-0x5000c500a1b2c3d4", "scsi-35000c500:1",
               "md-uuid-1", "dm-uuid-x",
               "usb-A+B.C:0"),
    "PoolName": ("ember", "tank2", "R", "logs", "cached", "c", "log-1"),
    "DatasetName": ("code", "code/scratch", "1", "a.b_c:d-e", "a/b/c/d/e/f/g/h/i", "a" * 128),
    "DatasetPath": ("ember/code", "ember/code/scratch", "R/1"),
    "MountPoint": ("/", "/srv", "/srv/code.d/x_y-z", "/a..b", "/...", "/.hidden", "/run/secrets/x"),
    "Mac": ("a0:36:9f:00:00:01", "52:54:00:ff:ff:ff"),
    "Interface": ("lan", "wg0", "enp3s0", "a-b", "a" * 15, "lo-1", "ether"),
    "WireGuardKey": ("DCFFrHzrByanm9OFf/uvMa8VY+KnaRgRXLe5RbTK6+E=",),
    "Endpoint": ("gate.example.org:51820", "10.0.0.1:1", "[2001:db8::1]:65535", "a:80", "1a-b.c:9"),
    "SecretName": ("restic", "wg0-minnesota", "a1"),
    "SecretRef": ("secret:restic", "secret:wg0-minnesota"),
    "PackageName": ("htop", "python3Packages.numpy", "_7zz", "a-b", "linuxPackages.zfs"),
    "FindingCode": ("STO004", "WG001"),
    "Percent": (1, 100),
    "PortNumber": (1, 65535),
    "VlanId": (1, 4094),
    "Mtu": (1280, 9216),
    "Address": ("10.10.0.1", "::1", "2001:db8::1", "0.0.0.0"),
    "InterfaceAddress": ("10.10.0.2/24", "fd00::2/64", "10.0.0.1/32", "0.0.0.0/0"),
    "OrDhcp": ("dhcp", "10.10.0.2/24"),
    "OrAuto": ("auto", "fd00::2/64"),
    "Network": ("10.0.0.0/24", "0.0.0.0/0", "::/0", "10.0.0.1", "fd00::/8", "10.0.0.1/32"),
    "Date": ("2027-06-30", "2028-02-29"),
}  # fmt: skip

REFUSED: dict[str, tuple[object, ...]] = {
    "Word": ("A", "1a", "-a", "a b", "a_b", "a" * 32, "a.b", "é", "a\u0663"),
    "HostName": ("-a", "a-", "A", "a_b", "a.b", "a" * 64, "한국"),
    "HostId": ("00000000", "8425E349", "8425e34", "8425e3491", "0x8425e3", 1234567,
               "\uff18425e349"),
    "Release": ("26.5", "26.06", "unstable", 26.05, "\uff12\uff16.05", "26.05.1"),
    "UserName": ("Root", "1a", "-a", "a b", "a" * 33, "a:b", "root\n"),
    "SshKey": ("ssh-dss AAAA", "ssh-ed25519", "ssh-ed25519 AAAA", f"{ED25519}\nssh-rsa x",
               f" {ED25519}",
               f"command=\"sh\" {ED25519}", "-----BEGIN OPENSSH PRIVATE KEY-----",
               ED25519.replace("Ome", "O me")),
    "TimeZone": ("", "Asia/", "/UTC", "../etc/passwd", "Asia/Se oul", "UTC;x", "A/B/C/D"),
    "Locale": ("en_US", "en_US.utf8", "C", "en_US.ISO-8859-1", "EN_us.UTF-8"),
    "DiskId": ("sda", "sda1", "sdaa", "hda", "vdb2", "xvda", "nvme0n1", "nvme0n1p1", "mmcblk0",
               "loop0", "md0", "dm-0",
               "zd16", "sr0", "/dev/disk/by-id/ata-1", "a", "ab", "-ab", "a b c", "a/b/c",
               "x" * 129, "ata-é"),
    "PoolName": ("mirror", "mirror-1", "raidz", "raidz2x", "draid1", "spare", "spares", "log",
                 "cache", "special",
                 "dedup", "c0", "c9t0", "1a", "a b", "a/b", "a:b", "a" * 64, ""),
    "DatasetName": ("", "/", "a/", "/a", "a//b", "a b", "a@b", "a#b", ".a", "-a",
                    "a/b/c/d/e/f/g/h/i/j", "a" * 129),
    "DatasetPath": ("ember", "ember/", "/code", "1/a", "ember/code@now", "ember//code",
                    "e/" + "a" * 200),
    "MountPoint": ("", "srv", "/srv/", "//", "/a//b", "/..", "/a/../b", "/.", "/a/.", "/a b",
                   "/a\n", "/é", "/$x",
                   "/" + "a" * 1024, "~/x"),
    "Mac": ("A0:36:9F:00:00:01", "01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff", "a0-36-9f-00-00-01",
            "a0:36:9f:00:00",
            "a0:36:9f:00:00:01:02", "a0369f000001"),
    "Interface": ("eth0", "eth", "wlan1", "lo", "all", "default", "LAN", "1a", "a" * 16, "a.b",
                  "a:b", "a b", ""),
    "WireGuardKey": ("", "x", "DCFFrHzrByanm9OFf/uvMa8VY+KnaRgRXLe5RbTK6+F=", "A" * 44,
                     "secret:wg0"),
    "Endpoint": ("gate.example.org", ":51820", "a:0", "a:65536", "a:99999", "a:051", "-a:1",
                 "a-:1", "a b:1",
                 "fd00::1:51820", "[fd00::1]", "a:1 ", "a:\uff11"),
    "SecretName": ("", "A", "1a", "a_b", "a.b", "a" * 64),
    "SecretRef": ("restic", "secret:", "secret:A", "secret: restic", "hunter2", None, 5,
                  ("secret:a",)),
    "PackageName": ("", "1a", "a..b", ".a", "a.", "a b", "a;b", "${x}", "a'b", "pkgs.(x)"),
    "FindingCode": ("STO4", "sto004", "STOR004", "S004", "STO0044", "STO\u0660\u0660٤"),
    "Percent": (0, 101, True, "50", 50.0, None),
    "PortNumber": (0, 65536, -1, "22", 22.0, True),
    "VlanId": (0, 4095, "10"),
    "Mtu": (1279, 9217, "1500"),
    "Address": ("", "10.10.0", "10.10.0.256", "010.0.0.1", "10.10.0.1/24", "fe80::1%eth0",
                "::1%'; reboot #", "a", 1,
                None, "10.10.0.1\n", "\uff11.1.1.1", " ::1"),
    "InterfaceAddress": ("10.10.0.2", "10.10.0.2/33", "10.10.0.2/255.255.255.0",
                         "10.10.0.2/0.0.0.255", "dhcp", "/24",
                         "fe80::1%eth0/64", "10.10.0.2/ 24", "10.10.0.2/-1", None,
                         "10.10.0.2/\uff124"),
    "OrDhcp": ("DHCP", "auto", "", None),
    "OrAuto": ("dhcp", "Auto", None),
    "Network": ("10.0.0.1/24", "fd00::1/8", "10.0.0.0/", "10.0.0.0/33", "any", "", None,
                "::%x/64", "10.0.0.0/24 "),
    "Date": ("", "2027-6-30", "2027-02-29", "30.6.2027", "2027-06-30T00:00", "soon", 20270630,
             None),
}  # fmt: skip


def adapter(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(getattr(names, name))


def pairs(table: dict[str, tuple[object, ...]]) -> Iterator[Any]:
    for name, values in table.items():
        for value in values:
            yield pytest.param(name, value, id=f"{name}-{str(value)[:20]!r}")


@pytest.mark.parametrize(("name", "value"), list(pairs(TAKEN)))
def test_a_good_name_is_taken_as_it_is_written(name: str, value: object) -> None:
    assert str(adapter(name).validate_python(value, strict=True)) in (str(value), f"{value}/32")


@pytest.mark.parametrize(("name", "value"), list(pairs(REFUSED)))
def test_a_bad_name_is_refused_with_a_hint(name: str, value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        adapter(name).validate_python(value, strict=True)

    for error in refused.value.errors():
        assert error["type"] != "emily" or error["ctx"]["hint"]
        assert len(error["msg"]) < 150
        assert "\n" not in error["msg"]


def test_every_type_of_names_has_good_and_bad_examples() -> None:
    public = {name for name, value in vars(names).items() if get_args(value) and name[0].isupper()}
    public -= {"Annotated", "Literal"}

    assert public == TAKEN.keys() == REFUSED.keys()


def test_an_address_where_a_network_belongs_names_both_ways_out() -> None:
    with pytest.raises(ValidationError) as refused:
        adapter("Network").validate_python("10.0.0.7/24")

    assert refused.value.errors()[0]["ctx"]["hint"] == (
        "write 10.0.0.0/24 for the network, or 10.0.0.7 alone"
    )


@pytest.mark.parametrize(
    "value", ["hunter2", "AGE-SECRET-KEY-1QQQ", 12345678, ("hunter2",), "secret:Hunter2"]
)
def test_what_stands_where_a_secrets_name_belongs_is_never_repeated(value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        adapter("SecretRef").validate_python(value)

    [error] = refused.value.errors(include_input=False)
    assert "unter2" not in str(error)
    assert "QQQ" not in str(error)
    assert error["ctx"]["secret"] is True


def shapes() -> dict[str, Shaped]:
    """Every pattern of the whole spec, wherever it stands."""
    found: dict[str, Shaped] = {}
    for info in pkgutil.iter_modules(emily_infra.spec.__path__):
        module = importlib.import_module(f"emily_infra.spec.{info.name}")
        for name, value in vars(module).items():
            for part in _all_parts(value):
                if isinstance(part, Shaped):
                    found[part.pattern] = part
                    assert name
    return found


def _all_parts(value: Any) -> Iterator[Any]:
    yield value
    for info in getattr(value, "model_fields", {}).values() if isinstance(value, type) else ():
        yield from (*info.metadata, *_all_parts(info.annotation))
    for part in get_args(value):
        yield from _all_parts(part)


SHAPES = shapes()
GROWING = (
    "a", "1", "-", ".", "/", ":", "a.", "a/", "a:", "a-", "/a", "/.", "/a.", "[0]", "a[0]",
    "a[0].", " ", "A",
    "AAAA", "=", "a@", "é", "secret:", "s3:https://a/", "rest:http://", "sftp:a@b:", "a b", "::",
    "[fd", "\n",
    "http://a:b@",
)  # fmt: skip
STARTS = (
    "",
    "/",
    "a",
    "[",
    "ssh-rsa ",
    "secret:",
    "s3:https://",
    "rest:https://",
    "sftp:",
    "b2:",
    "a/",
    "A",
)


def test_the_patterns_are_found() -> None:
    assert len(SHAPES) > 25
    assert get_args(Place)[1].pattern in SHAPES


@pytest.mark.parametrize("pattern", list(SHAPES), ids=lambda pattern: pattern[:40])
def test_no_text_makes_a_pattern_slow(pattern: str) -> None:
    shape = SHAPES[pattern]
    began = time.process_time()

    for start in STARTS:
        for piece in GROWING:
            hostile = (start + piece * 100_000)[:100_000]
            for text in (hostile, f"{hostile}!", f"{hostile}\0"):
                _tried(shape, text)

    assert time.process_time() - began < 20, "1,000 texts of 100 kB"


@pytest.mark.parametrize("pattern", list(SHAPES), ids=lambda pattern: pattern[:40])
def test_the_pattern_means_the_same_in_a_json_schema(pattern: str) -> None:
    assert not re.search(r"\\[AZzGhHK]|\(\?[iLmsuxP<#]|\(\?<", pattern), (
        "ECMA 262 knows no such thing"
    )


def _tried(shape: Shaped, text: str) -> None:
    began = time.process_time()
    with suppress(PydanticCustomError):
        shape.check(text)
    assert time.process_time() - began < 1.0, (shape.pattern, text[:40])
