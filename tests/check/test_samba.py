"""Who reaches a share, and how fast."""

import pytest

from emily_infra.findings import Finding
from emily_infra.spec.host import Host
from emily_infra.spec.shares import megabytes_a_second, parallel_lines
from emily_infra.spec.units import Rate
from tests.hosts import codes, findings, over, pebble, shipped

TUNNEL = """
wireguard:
  wg0:
    address: 10.0.0.2/24
    private_key: secret:wg0
    peers:
      away: { public_key: DCFFrHzrByanm9OFf/uvMa8VY+KnaRgRXLe5RbTK6+E=, allowed_ips: [10.0.0.0/24] }
secrets: { wg0: {} }
"""


def found(code: str, host: Host) -> list[Finding]:
    return [finding for finding in findings(host) if finding.code == code]


def test_any_service_with_port_445_opens_the_door() -> None:
    host = pebble(
        "network: { services: { files: { tcp: [445] } }, "
        "allow: [{ from: home, to: host, services: [ssh, files] }] }"
    )

    assert "SMB005" not in codes(host)


def test_permission_to_reach_another_zone_does_not_open_the_host() -> None:
    host = over(shipped("ember"), "network: { allow: [{ from: data, to: ai, services: [smb] }] }")

    assert "data" in " ".join(finding.message for finding in found("SMB005", host))


def test_the_ceiling_is_told_once_however_many_shares_there_are() -> None:
    share = "{ dataset: ember/models, users: [colter], zones: [minnesota] }"
    host = over(shipped("ember"), f"samba: {{ shares: {{ models: {share} }} }}")

    notes = found("SMB006", host)

    assert [note.message for note in notes] == [
        "through wg0, models carries at most about 112 MB/s: the uplink has 1Gbps, and "
        "multichannel adds nothing on one line"
    ]


@pytest.mark.parametrize(("rate", "megabytes"), [("100Mbps", 11), ("1Gbps", 112), ("10Gbps", 1125)])
def test_nine_tenths_of_a_line_are_left_for_files(rate: str, megabytes: int) -> None:
    assert megabytes_a_second(Rate.parse(rate)) == megabytes


SECOND = """
network:
  uplinks:
    lan: {{ mac: "52:54:00:00:00:10" }}
    two: {{ mac: "52:54:00:00:00:12", speed: {speed} }}
  zones: {{ other: {{ on: two, address: 192.168.2.10/24 }} }}
samba: {{ shares: {{ home: {{ zones: [home, other] }} }} }}
"""


def test_multichannel_can_work_over_two_lines_of_one_speed() -> None:
    assert parallel_lines(pebble(SECOND.format(speed="1Gbps")).spec)


def test_multichannel_cannot_work_over_lines_of_two_speeds() -> None:
    assert not parallel_lines(pebble(SECOND.format(speed="10Gbps")).spec)


def test_two_vlans_of_one_uplink_are_one_line() -> None:
    host = over(shipped("ember"), "samba: { shares: { workspace: { zones: [data, management] } } }")

    assert not parallel_lines(host.spec)


def test_encryption_is_not_wasted_where_one_zone_is_in_the_clear() -> None:
    host = pebble(
        TUNNEL + "network: { zones: { away: { wireguard: wg0 } } }\n"
        "samba: { encryption: required, shares: { home: { zones: [away, home] } } }"
    )

    assert "SMB009" not in codes(host)


def test_two_datasets_at_one_mountpoint_are_one_folder() -> None:
    host = pebble(
        "storage: { pools: { tank: { datasets: { other: { mountpoint: /srv/home } } } } }\n"
        "samba: { shares: { other: { dataset: tank/other, users: [colter], zones: [home] } } }"
    )

    assert found("SMB011", host)


def test_a_share_of_nothing_in_no_known_zone_still_gets_its_findings() -> None:
    host = pebble(
        "samba: { shares: { home: { dataset: no/where, zones: [nowhere], users: [nobody] } } }"
    )

    assert codes(host) >= {"SMB001", "SMB003", "SMB004"}
