"""The lab's machine itself, with whatever generation it happens to run."""

import time

import pytest

from emily_infra.lab import Lab, Plan
from emily_infra.machine import Machine, Unreachable, connect
from emily_infra.observe import Question, observe
from tests.hosts import as_host
from tests.lab.rehearsal import BASE, Rehearsal

pytestmark = pytest.mark.lab
SPEC = as_host("rehearsal", BASE).spec


def test_the_operator_comes_in_through_the_hosts_own_network(lab: Lab) -> None:
    host = connect(lab.target(), deadline=60)

    connection = host.run("sh", "-c", "echo $SSH_CONNECTION").split()

    assert connection[0] == "10.10.0.254"
    assert connection[2:] == ["10.10.0.2", "22"]


def test_the_console_does_not_need_the_hosts_network(lab: Lab, machine: Machine) -> None:
    machine.run("nsenter", "--net=/proc/1/ns/net", "ip", "link", "set", "lan", "down")

    answer = connect(lab.console(), deadline=60).run("echo", "here")

    machine.run("nsenter", "--net=/proc/1/ns/net", "ip", "link", "set", "lan", "up")
    assert answer == "here\n"


def test_disks_have_their_names_and_sizes(machine: Machine) -> None:
    found = observe(machine, Question()).disks

    sizes = {name: disk.size for disk in found for name in disk.ids}
    for name, disk in SPEC.storage.disks.items():
        assert sizes[name] == int(disk.size)


def test_pools_are_built_as_host_yaml_says(host: Rehearsal) -> None:
    seen = host.seen()

    tank = seen.pool("tank")
    assert tank
    assert tank.health == "ONLINE"
    assert len(tank.leaves) == 4
    assert "tank/work" in {each.name for each in tank.datasets}


def test_zfs_is_of_the_line_that_hosts_run(machine: Machine) -> None:
    userland, kernel = machine.run("zfs", "version").split()

    assert userland.startswith("zfs-2.4.")
    assert kernel.startswith("zfs-kmod-2.4.")


@pytest.mark.parametrize("module", ["8021q", "wireguard", "nf_tables", "cifs", "tcp_bbr", "zram"])
def test_the_kernel_has_what_hosts_need(machine: Machine, module: str) -> None:
    machine.run("modprobe", module)


@pytest.mark.parametrize(
    "program",
    ["age", "nft", "wg", "restic", "smbd", "mount.cifs", "prometheus", "alertmanager", "nix",
     "/usr/lib/postgresql/17/bin/postgres", "prometheus-node-exporter", "python3"],
)  # fmt: skip
def test_the_programs_of_hosts_are_there(machine: Machine, program: str) -> None:
    named = program.replace("alertmanager", "prometheus-alertmanager")

    assert machine.run("sh", "-c", f"command -v {named}")


def test_our_own_programs_find_their_libraries(machine: Machine) -> None:
    modules = "typer, rich, pydantic, jinja2, yaml, paramiko, prometheus_client"

    machine.run("python3", "-c", f"import {modules}")


def test_nothing_failed_at_the_start(machine: Machine) -> None:
    assert machine.run("systemctl", "list-units", "--failed", "--plain", "--no-legend") == ""


def test_up_twice_is_up_once(stage: Rehearsal) -> None:
    lab = stage.lab
    before = lab.status().pid

    lab.up(Plan(stage.describe(), stage.root))

    assert lab.status().pid == before


@pytest.mark.rehearsal
def test_after_a_power_cut_the_same_machine_is_at_the_same_port(lab: Lab) -> None:
    target, console = lab.target(), lab.console()
    before = connect(console, deadline=60)
    identity = before.run("cat", "/etc/machine-id", "/proc/sys/kernel/random/boot_id").split()
    before.run("sh", "-c", "echo kept >/var/lib/kept && sync")

    lab.power_cut()
    off = lab.running
    lab.start()

    after = connect(console, deadline=60)
    again = after.run("cat", "/etc/machine-id", "/proc/sys/kernel/random/boot_id").split()
    assert not off
    assert (lab.target(), lab.console()) == (target, console)
    assert again[0] == identity[0]
    assert again[1] != identity[1]
    assert after.run("cat", "/var/lib/kept") == "kept\n"


@pytest.mark.rehearsal
def test_a_machine_that_restarts_itself_comes_back(lab: Lab, machine: Machine) -> None:
    before = machine.run("cat", "/proc/sys/kernel/random/boot_id")
    machine.run("systemctl", "reboot", "--no-block")

    for _ in range(60):
        time.sleep(5)
        try:
            after = connect(lab.console(), deadline=10).run(
                "cat", "/proc/sys/kernel/random/boot_id"
            )
        except Unreachable:
            continue
        if after != before:
            return
    pytest.fail("it did not come back")
