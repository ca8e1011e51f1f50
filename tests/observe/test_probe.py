"""The probe itself, run by real shells on this machine."""

import os
import re
import shutil
import time
from pathlib import Path

import pytest

from emily_infra.observe import EVERYTHING, Question, observe
from emily_infra.observe.answer import LacksTool
from emily_infra.observe.question import script
from tests.observe import made
from tests.observe.machines import Here, program

KSTAT = "/proc/spl/kstat/zfs"
TABLE = "chain input {\n  tcp dport { 3000, 22 } accept\n  tcp dport { 445 } accept\n}"


def pool(folder: Path, name: str) -> tuple[str, str]:
    """A pool as the kernel lists it, and what to change in the script so that it is found."""
    home = folder / "kstat" / name
    home.mkdir(parents=True)
    (home / "state").write_text("ONLINE\n")
    return KSTAT, str(folder / "kstat")


@pytest.mark.parametrize("shell", [("dash",), ("bash",), ("bash", "--posix")], ids=" ".join)
def test_every_shell_tells_the_same(shell: tuple[str, ...]) -> None:
    seen = observe(Here(shell), Question(wants=EVERYTHING))

    assert seen.identity.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    assert seen.identity.hostname == os.uname().nodename
    assert seen.identity.system == "x86_64-linux"
    assert seen.identity.uptime > 0
    assert "/" in {each.path for each in seen.space}
    assert "root" in {person.name for person in seen.people}


def test_everything_is_one_command() -> None:
    machine = Here()

    observe(machine, Question(wants=EVERYTHING, firewall=TABLE, disks=("ata-none",)))

    assert machine.asked == [("sh",)]


def test_a_look_takes_less_than_a_second() -> None:
    begin = time.monotonic()

    observe(Here(), Question(wants=EVERYTHING))

    assert time.monotonic() - begin < 3  # a second alone; the tests run beside each other


def test_what_an_installation_takes_is_told_where_it_is_asked_for() -> None:
    seen = observe(Here(), Question(programs=("sh", "no-such-program")))

    assert seen.ready.programs == {"sh"}
    assert seen.ready.efi == Path("/sys/firmware/efi").is_dir()
    assert not observe(Here(), Question()).ready.programs


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    # A place of its own: other tests look at the same moment.
    place = "for place in /run "
    machine = Here(edit=(place, f"for place in {tmp_path} "))

    observe(machine)

    assert place in script(Question())
    assert machine.asked
    assert not list(tmp_path.iterdir())


def test_the_script_starts_nothing_that_changes_a_machine() -> None:
    text = script(Question())
    verbs = "set|create|destroy|import|export|add|attach|replace|scrub|snapshot|clear|upgrade"

    assert not re.search(rf"\b(zpool|zfs) ({verbs})\b", text)
    assert not re.search(r"systemctl (start|stop|restart|reload|enable|daemon)", text)
    assert "wipefs --json --no-act" in text


def test_a_zpool_that_hangs_costs_a_few_seconds_and_is_told(tmp_path: Path) -> None:
    edit = pool(tmp_path, "stuck")
    program(tmp_path, "zpool", "trap '' TERM; sleep 60 & wait; sleep 60")
    program(tmp_path, "zfs", "sleep 60")
    begin = time.monotonic()

    seen = observe(Here(programs=tmp_path, edit=edit), Question(patience=1))

    assert time.monotonic() - begin < 8
    assert {"pools", "pool_status", "pool stuck: datasets"} <= {
        gap.section for gap in seen.gaps if gap.hung
    }
    assert [(each.name, each.health, each.told) for each in seen.pools] == [
        ("stuck", "ONLINE", False)
    ]
    assert seen.identity.hostname


@pytest.mark.skipif(shutil.which("zpool") is not None, reason="this machine has zpool")
def test_pools_that_the_kernel_has_are_told_though_zpool_is_missing(tmp_path: Path) -> None:
    edit = pool(tmp_path, "tank")

    seen = observe(Here(edit=edit))

    assert [(each.name, each.health, each.told) for each in seen.pools] == [
        ("tank", "ONLINE", False)
    ]
    assert not seen.knows("pools")


def test_a_pool_may_have_any_name_that_zfs_takes(tmp_path: Path) -> None:
    edit = pool(tmp_path, "foo bar-1.2:3")
    program(tmp_path, "zpool", "exit 0")
    program(tmp_path, "zfs", 'echo "$@" >>"$0.log"')

    seen = observe(Here(programs=tmp_path, edit=edit))

    assert [each.name for each in seen.pools] == ["foo bar-1.2:3"]
    assert "xattr foo bar-1.2:3\n" in (tmp_path / "zfs.log").read_text()


def test_openzfs_2_1_is_asked_for_all_because_it_lacks_a_property(tmp_path: Path) -> None:
    told = made.datasets({"tank": {"type": "filesystem", "guid": "7"}})
    edit = pool(tmp_path, "tank")
    program(tmp_path, "zpool", "exit 0")
    refuse = "echo \"bad property list: invalid property 'snapshots_changed'\" >&2; exit 2"
    program(tmp_path, "zfs", f"case $* in *snapshots_changed*) {refuse};; esac\nprintf '{told}'")

    seen = observe(Here(programs=tmp_path, edit=edit))

    assert [each.name for each in seen.pools[0].datasets] == ["tank"]
    assert not [gap for gap in seen.gaps if "datasets" in gap.section]


def test_the_firewall_is_compared_as_nft_itself_prints_it(tmp_path: Path) -> None:
    program(tmp_path, "unshare", 'shift; exec "$@"')
    cases = '"-f -") cat >/dev/null;; *) echo same;;'
    program(tmp_path, "nft", f"case $* in {cases} esac")

    seen = observe(Here(programs=tmp_path), Question(firewall=TABLE))

    assert (seen.network.firewall, seen.network.firewall_wished) == ("same", "same")
    assert seen.network.firewall_digest


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("nft"), reason="needs root, a network namespace and nft"
)
def test_a_real_nft_prints_the_wished_table_in_its_own_words() -> None:
    seen = observe(Here(), Question(firewall=TABLE))

    assert "tcp dport { 22, 3000 } accept" in seen.network.firewall_wished
    assert "tcp dport 445 accept" in seen.network.firewall_wished


def test_the_way_in_is_found_where_sudo_has_hidden_it() -> None:
    around = ("env", "SSH_CONNECTION=10.0.0.9 50000 127.0.0.1 2222", "sh", "-c")
    sudo = Here((*around, "env -u SSH_CONNECTION sh; exit 0"))

    way = observe(sudo).network.ssh_connection

    assert way
    assert (way.client, way.client_port, way.server_port) == ("10.0.0.9", 50000, 2222)
    assert way.interface == "lo"


def test_a_machine_without_tar_is_told_of(tmp_path: Path) -> None:
    for name in ("base64", "find", "grep", "mktemp"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    last_resort = "export PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    bare = Here(("/bin/sh",), environment={"PATH": str(tmp_path)}, edit=(last_resort, ""))

    with pytest.raises(LacksTool, match="lacks tar"):
        observe(bare)


def test_texts_are_not_read_of_a_machine_that_runs_what_is_expected() -> None:
    running = str(Path("/run/current-system").resolve())

    seen = observe(Here(), Question(expected=running, wants=EVERYTHING))

    assert not seen.units.files
    assert not seen.packages


def test_what_is_asked_cannot_break_out_of_the_script() -> None:
    nasty = "'; touch /tmp/emily-broken-out; echo '"

    observe(Here(), Question(expected=nasty, firewall=nasty, disks=(nasty,)))

    assert not Path("/tmp/emily-broken-out").exists()
