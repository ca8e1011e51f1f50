"""The SMB server as Nix, systemd and Samba's own testparm see it."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from emily_infra.render.samba import lower, passwords
from emily_infra.spec.host import Host
from tests.hosts import over, pebble, shipped
from tests.render import systemd
from tests.render.evaluated import module

DHCP = """
network: { zones: { home: { address: dhcp, gateway: null } } }
"""


def samba(host: Host) -> Any:
    return module(host, "samba")


def settings(host: Host) -> Any:
    return samba(host)["services"]["samba"]["settings"]


def smb_conf(sections: Mapping[str, Mapping[str, object]]) -> str:
    """The file as NixOS writes it: the global section first, lists with spaces between."""
    lines = []
    for section in sorted(sections, key=lambda name: (name != "global", name)):
        lines.append(f"[{section}]")
        for key, value in sections[section].items():
            text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
            lines.append(f"{key}={text}")
    return "\n".join(lines) + "\n"


def understood(host: Host, folder: Path, parameter: str, section: str = "global") -> str:
    """What testparm makes of a parameter; AssertionError where it refuses or doubts the file."""
    file = folder / "smb.conf"
    file.write_text(smb_conf(settings(host)))
    done = subprocess.run(
        ["testparm", "-s", f"--section-name={section}", f"--parameter-name={parameter}", str(file)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    doubts = [line for line in done.stderr.splitlines() if "nknown" in line or "Ignoring" in line]
    assert done.returncode == 0, done.stderr
    assert not doubts
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("server min protocol", "SMB3"),  # its other name for SMB3_11
        ("server signing", "required"),
        ("server smb encrypt", "desired"),
        ("map to guest", "Never"),
        ("smb ports", "445"),
        ("disable netbios", "Yes"),
        ("bind interfaces only", "Yes"),
        ("interfaces", "lo vlan20 10.0.0.2/24"),
        ("hosts allow", "127.0.0.1 ::1 10.20.0.0/24 10.0.0.0/24"),
        ("hosts deny", "ALL"),
        ("server multi channel support", "No"),
        ("load printers", "No"),
        ("usershare max shares", "0"),
    ],
)
def test_samba_understands_the_server_as_meant(parameter: str, value: str, tmp_path: Path) -> None:
    assert understood(shipped("ember"), tmp_path, parameter) == value


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("path", "/srv/code"),
        ("valid users", "colter"),
        ("read only", "No"),
        ("guest ok", "No"),
        ("inherit permissions", "Yes"),
        ("vfs objects", "shadow_copy2"),
        ("shadow:snapdir", ".zfs/snapshot"),
        ("shadow:format", "emily-%Y%m%dT%H%M%SZ"),
        ("shadow:localtime", "no"),
        ("shadow:sort", "desc"),
    ],
)
def test_samba_understands_a_share_as_meant(parameter: str, value: str, tmp_path: Path) -> None:
    assert understood(shipped("ember"), tmp_path, parameter, "workspace") == value


def test_a_share_is_opened_from_its_own_zones_only() -> None:
    host = over(
        shipped("ember"),
        "samba: { shares: { models: { dataset: ember/models, users: [colter], zones: [data] } } }",
    )

    allowed = {name: settings(host)[name]["hosts allow"] for name in ("models", "workspace")}

    assert allowed["models"] == ["127.0.0.1", "::1", "10.20.0.0/24"]
    assert "10.0.0.0/24" in allowed["workspace"]


def test_a_zone_whose_address_is_learned_locks_nobody_out() -> None:
    sections = settings(pebble(DHCP))

    assert "hosts allow" not in sections["global"]
    assert "hosts deny" not in sections["global"]
    assert "hosts allow" not in sections["home"]


def test_nothing_of_netbios_runs_and_no_port_is_opened_everywhere() -> None:
    server = samba(pebble())["services"]["samba"]

    assert server["openFirewall"] is False
    assert server["nmbd"]["enable"] is False
    assert server["winbindd"]["enable"] is False


def test_a_share_without_snapshots_offers_no_previous_versions() -> None:
    host = pebble("storage: { pools: { tank: { datasets: { home: { snapshots: none } } } } }")

    assert "vfs objects" not in settings(host)["home"]


def test_multichannel_is_on_where_two_uplinks_are_equally_fast(tmp_path: Path) -> None:
    host = pebble("""
        network:
          uplinks: { two: { mac: "52:54:00:00:00:12" } }
          zones: { other: { on: two, address: 192.168.2.10/24 } }
        samba: { shares: { home: { zones: [home, other] } } }
    """)

    assert understood(host, tmp_path, "server multi channel support") == "Yes"


def test_an_acknowledged_guest_gets_into_that_share_and_no_other(tmp_path: Path) -> None:
    host = over(
        shipped("ember"),
        "samba: { shares: { open: { dataset: ember/media, guest: true, zones: [data] } } }",
    )

    assert understood(host, tmp_path, "map to guest") == "Bad User"
    assert understood(host, tmp_path, "guest ok", "open") == "Yes"
    assert understood(host, tmp_path, "guest ok", "workspace") == "No"


def test_systemd_has_nothing_to_say_against_the_units(tmp_path: Path) -> None:
    assert systemd.complaints(samba(shipped("ember")), tmp_path) == ""


def test_the_unit_that_handles_passwords_is_sealed(tmp_path: Path) -> None:
    assert systemd.exposure(samba(shipped("ember")), "emily-samba-users", tmp_path) <= 1.0


def test_smbd_starts_when_the_addresses_it_binds_to_are_there() -> None:
    unit = samba(shipped("ember"))["systemd"]["services"]["samba-smbd"]

    assert unit["after"] == [
        "systemd-networkd-wait-online@vlan20.service",
        "systemd-networkd-wait-online@wg0.service",
    ]
    assert unit["wants"] == unit["after"]


def test_smbd_waits_for_the_datasets_that_it_shares() -> None:
    unit = samba(shipped("ember"))["systemd"]["services"]["samba-smbd"]

    assert unit["unitConfig"]["RequiresMountsFor"] == ["/srv/code"]


def test_a_dataset_that_zfs_mounts_itself_is_waited_for_as_well() -> None:
    host = pebble("storage: { pools: { tank: { datasets: { home: { mounted_by: zfs } } } } }")

    assert "zfs-mount.service" in samba(host)["systemd"]["services"]["samba-smbd"]["after"]


def test_passwords_are_set_before_anyone_can_connect() -> None:
    unit = samba(pebble())["systemd"]["services"]["emily-samba-users"]

    assert unit["before"] == ["samba-smbd.service"]
    assert unit["serviceConfig"]["LoadCredential"] == ["smb-colter:/run/secrets/smb-colter"]


def test_a_person_who_is_no_admin_becomes_a_user_who_cannot_log_in() -> None:
    host = pebble("""
        samba:
          users: { jihyun: { password: secret:smb-jihyun } }
          shares: { home: { users: [colter, jihyun] } }
        secrets: { smb-jihyun: {} }
    """)

    assert samba(host)["users"]["users"] == {"jihyun": {"isSystemUser": True, "group": "users"}}


def test_an_admin_is_not_declared_a_second_time() -> None:
    assert "users" not in samba(pebble())


def test_a_host_without_shares_has_no_such_module() -> None:
    assert lower(pebble("samba: null")) is None


def run_users(folder: Path, secrets: Mapping[str, str], known: str = "") -> tuple[int, str]:
    """The script of emily-samba-users with stand-ins for Samba's programs, and what they heard."""
    for name, secret in secrets.items():
        (folder / f"smb-{name}").write_text(secret)
    (folder / "known").write_text(known)
    _program(folder, "smbpasswd", f'(echo "$*"; cat) >>{folder}/told')
    _program(folder, "pdbedit", f'[ "$1" = -L ] && cat {folder}/known || echo "$*" >>{folder}/told')
    done = subprocess.run(
        ["bash", "-ec", str(passwords(secrets))],
        env={"PATH": f"{folder}:/usr/bin:/bin", "CREDENTIALS_DIRECTORY": str(folder)},
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, (folder / "told").read_text()


def _program(folder: Path, name: str, body: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / name).chmod(0o755)


def test_a_password_is_told_on_standard_input_and_never_as_an_argument(tmp_path: Path) -> None:
    code, told = run_users(tmp_path, {"colter": "one $secret %s\n"})

    assert code == 0
    assert told == "-s -a colter\none $secret %s\none $secret %s\n"


def test_who_left_host_yaml_loses_the_password_and_who_stayed_keeps_it(tmp_path: Path) -> None:
    known = "colter:1000:\nold:1001:Old Person\n"

    _, told = run_users(tmp_path, {"colter": "secret"}, known)

    assert told.splitlines()[-1] == "-x -u old"
    assert "-u colter" not in told


def test_one_empty_password_fails_the_unit_but_not_the_others(tmp_path: Path) -> None:
    code, told = run_users(tmp_path, {"early": "\n", "late": "secret\n"})

    assert code == 1
    assert told.startswith("-s -a late\n")
