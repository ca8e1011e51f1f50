"""What the host needs of the world, and what it shows to it."""

import pytest

from emily_infra.check.outside import machine
from tests.hosts import codes, pebble

OFFSITE = "backup: { offsite: { shed: { repository: '%s' } } }\n"


@pytest.mark.parametrize(
    ("repository", "name"),
    [
        ("rest:https://backup.example.org:8000/x/", "backup.example.org"),
        ("rest:https://[fd00::2]:8000/x/", "fd00::2"),
        ("rest:https://[fd00/x/", ""),
        ("s3:https://s3.example.org/bucket/x", "s3.example.org"),
        ("sftp:keeper@10.0.0.9:/srv/x", "10.0.0.9"),
        ("sftp://keeper@box.example.org:22//srv/x", "box.example.org"),
        ("b2:bucket:x", ""),
        ("/mnt/usb", ""),
    ],
)
def test_the_machine_of_a_repository_is_found(repository: str, name: str) -> None:
    assert machine(repository) == name


@pytest.mark.parametrize(
    ("repository", "zone", "warned"),
    [
        ("rest:https://backup.example.org/x/", "192.168.1.10/24", True),
        ("rest:https://192.168.1.5/x/", "192.168.1.10/24", False),
        ("rest:https://backup.example.org/x/", "dhcp, gateway: null", False),
    ],
)
def test_a_name_needs_somebody_to_look_it_up(repository: str, zone: str, *, warned: bool) -> None:
    network = f"network: {{ dns: [], zones: {{ home: {{ address: {zone} }} }} }}"

    assert ("NET021" in codes(pebble(OFFSITE % repository + network))) is warned


@pytest.mark.parametrize(
    ("address", "service", "warned"),
    [
        ("9.9.8.2/24", "smb", True),
        ("9.9.8.2/24", "ssh", False),
        ("100.64.0.2/24", "smb", False),
        ("10.0.0.2/24", "smb", False),
    ],
)
def test_what_trusts_its_network_is_not_open_to_the_world(
    address: str, service: str, *, warned: bool
) -> None:
    host = pebble(
        f"network: {{ zones: {{ wan: {{ on: lan, vlan: 9, address: {address} }} }}, "
        f"allow: [{{ from: wan, to: host, services: [{service}] }}] }}"
    )

    assert ("NET022" in codes(host)) is warned


@pytest.mark.parametrize(
    "repository",
    ["rest:http://localhost:8000/", "sftp:me@192.168.1.10:/srv/x", "rest:https://pebble/x/"],
)
def test_a_server_on_this_host_is_not_elsewhere(repository: str) -> None:
    assert "BAK010" in codes(pebble(OFFSITE % repository))
