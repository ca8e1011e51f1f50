"""What becomes of the very connection that the plan was made over."""

from dataclasses import replace

import pytest

from emily_infra.observe.network import SshConnection
from emily_infra.observe.units import Unit, Units
from emily_infra.plan import Access, Touch
from emily_infra.plan import plan as planned
from tests.hosts import over, pebble, shipped
from tests.plan.machines import between, built, means, running

FRIEND = "192.168.1.7"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIF2ARAOSrrf5NSIbTSM5/TfAy3hPkoEhjrT0w+Lbph1P"


def way(part: str, client: str = FRIEND) -> Access:
    return between(pebble(), pebble(part), client).access


def tunnel(part: str) -> Access:
    """The way through ember's tunnel, by which its address of the tunnel is reached."""
    ember = shipped("ember")
    seen = running(ember)
    connection = SshConnection("10.0.0.7", 50_000, "10.0.0.2", 22, "wg0")
    seen = replace(seen, network=replace(seen.network, ssh_connection=connection))
    after = over(ember, part)
    return planned(after, built(after), seen, means()).access


def test_a_change_of_something_else_leaves_the_way_in_alone() -> None:
    found = way("system: { memory: { arc: 7GiB } }")

    assert found.touch is Touch.UNTOUCHED
    assert found.via == "zone home, lan: 192.168.1.7 to 192.168.1.10 port 22"


def test_a_share_leaves_the_way_in_alone() -> None:
    assert way("samba: { shares: { home: { users: [] } } }").touch is Touch.UNTOUCHED


def test_who_sits_at_the_machine_itself_has_no_way_to_lose() -> None:
    assert way("system: { ssh: { port: 2222 } }", client="").touch is Touch.UNTOUCHED


@pytest.mark.parametrize(
    ("part", "why"),
    [
        ("network: { allow: [{ from: home, to: host, services: [smb] }] }", "allow has no line"),
        ("network: { zones: { home: { address: 192.168.2.10/24, gateway: 192.168.2.1 } } }",
         "192.168.1.10 is no address of home"),
        ("network: { zones: { home: { address: 192.168.2.10/24, gateway: null } } }",
         "no zone of host.yaml leads to 192.168.1.7"),
        ("network: { uplinks: { lan: { mac: '52:54:00:00:00:99' } } }", "no card has"),
        (f"system: {{ admins: {{ colter: {{ keys: [{KEY} new] }} }} }}", "none of the keys"),
    ],
)  # fmt: skip
def test_what_would_lock_out(part: str, why: str) -> None:
    found = way(part)

    assert found.touch is Touch.CUT
    assert why in " ".join(found.why)


@pytest.mark.parametrize(
    ("part", "why"),
    [
        ("system: { ssh: { port: 2222 } }", "sshd moves from port 22 to 2222"),
        ("network: { uplinks: { lan: { mtu: 9000 } } }", "lan is configured otherwise"),
        ("network: { allow: [{ from: home, to: host, services: [ssh] }] }", "ssh stays open"),
        ("network: { zones: { home: { gateway: 192.168.1.2 } } }", "lan is configured otherwise"),
    ],
)
def test_what_touches_the_way_in_and_leaves_it_open(part: str, why: str) -> None:
    found = way(part)

    assert found.touch is Touch.TOUCHED
    assert why in " ".join(found.why)


def test_a_host_that_moves_is_checked_where_it_will_be() -> None:
    found = way("""
        deploy: { address: 192.168.1.20 }
        network: { zones: { home: { address: 192.168.1.20/24 } } }
        """)

    assert (found.touch, found.verify_address) == (Touch.TOUCHED, "192.168.1.20")


def test_another_port_is_where_the_check_knocks() -> None:
    assert way("system: { ssh: { port: 2222 } }").verify_port == 2222


def test_one_key_of_two_is_a_warning_and_no_lock_out() -> None:
    two = f"system: {{ admins: {{ ann: {{ keys: [{KEY} ann] }} }} }}"

    found = between(pebble(two), pebble(), FRIEND).access

    assert found.touch is Touch.TOUCHED
    assert "root loses 1 key: make sure that yours stays" in found.why


def test_the_comment_of_a_key_is_not_the_key() -> None:
    old = pebble(f"system: {{ admins: {{ colter: {{ keys: [{KEY} old] }} }} }}")
    new = pebble(f"system: {{ admins: {{ colter: {{ keys: [{KEY} new] }} }} }}")

    assert between(old, new, FRIEND).access.touch is Touch.UNTOUCHED


def test_a_restart_of_sshd_is_told_although_no_field_changed() -> None:
    before, after = ({"sshd.service": f"[Service]\nExecStart={word}\n"} for word in "ab")
    units = Units((Unit("sshd.service", "loaded", "active", "running"),), files=before)
    seen = replace(running(pebble(), client=FRIEND), units=units)

    found = planned(pebble(), built(pebble(), units=after), seen, means()).access

    assert found.touch is Touch.TOUCHED
    assert "sshd.service restarts" in found.why[0]


def test_a_card_that_gets_another_name_takes_a_reboot_with_it() -> None:
    found = way("""
        network:
          uplinks: { lan: null, wan: { mac: "52:54:00:00:00:10" } }
          zones: { home: { on: wan } }
        """)

    assert found.touch is Touch.TOUCHED
    assert "the machine starts again" in found.why


def test_a_tunnel_stays_when_a_vlan_that_it_does_not_need_changes() -> None:
    part = "network: { zones: { ai: { address: 10.31.0.2/24 } } }"

    assert tunnel(part).touch is Touch.UNTOUCHED


def test_a_tunnel_needs_the_way_out_below_it() -> None:
    found = tunnel("network: { zones: { management: { vlan: 11 } } }")

    assert found.touch is Touch.TOUCHED
    assert "vlan10 goes away" in found.why


def test_a_peer_with_another_key_is_locked_out() -> None:
    key = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="

    found = tunnel(f"wireguard: {{ wg0: {{ peers: {{ minnesota: {{ public_key: {key} }} }} }} }}")

    assert found.touch is Touch.CUT
    assert "peer minnesota gets another key" in found.why[0]


def test_a_peer_that_goes_is_locked_out() -> None:
    found = tunnel("wireguard: { wg0: { peers: { minnesota: { allowed_ips: [10.9.0.0/24] } } } }")

    assert found.touch is Touch.CUT
    assert "no peer of a tunnel may send from 10.0.0.7" in found.why[0]


def test_a_way_that_host_yaml_never_knew_is_not_called_cut() -> None:
    part = "network: { allow: [{ from: home, to: host, services: [smb] }] }"

    assert way(part, client="203.0.113.9").touch is not Touch.UNTOUCHED


def test_a_first_deploy_touches_everything() -> None:
    seen = replace(running(pebble(), client=FRIEND), source={})

    found = planned(pebble(), built(pebble()), seen, means()).access

    assert found.touch is Touch.TOUCHED


def test_a_lock_out_is_a_danger_that_apply_refuses() -> None:
    part = "network: { allow: [{ from: home, to: host, services: [smb] }] }"

    made = between(pebble(), pebble(part), FRIEND)

    assert "lock-out" in [danger.name for danger in made.dangers]


def test_an_address_that_is_none_is_not_believed() -> None:
    assert way("system: { ssh: { port: 2222 } }", client="UNKNOWN").touch is Touch.TOUCHED
