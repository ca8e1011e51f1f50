"""Pools and datasets of a real machine, brought by `apply` to what host.yaml says."""

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from emily_infra.lab import Lab, Plan
from emily_infra.observe.pools import standstill
from tests.lab.rehearsal import Rehearsal

pytestmark = pytest.mark.lab

DONE, ERROR, PENDING = 0, 1, 2
DISKS = ", ".join(f"disk-{n}: {{ size: 1TB, bay: {n} }}" for n in range(5, 11))
# Always the same, so that a deploy brings no new system where only the pool changes.
SAME = "deploy: { tags: [pools] }"
MORE = f"storage: {{ disks: {{ {DISKS} }} }}\n{SAME}\n"


NAMES = ["work/deep", "late", *"abcdefgh"]


def with_pool(pool: str) -> str:
    exempt = ", ".join(
        f"tank/{name}: a rehearsal" for name in NAMES if re.search(rf"\b{name}:", pool)
    )
    return (
        f"storage: {{ disks: {{ {DISKS} }}, pools: {{ tank: {{ {pool} }} }} }}\n"
        f"backup: {{ exempt: {{ {exempt} }} }}\n{SAME}\n"
    )


SECOND = (
    "data: [{ raidz2: [disk-1, disk-2, disk-3, disk-4] }, "
    "{ raidz2: [disk-5, disk-6, disk-7, disk-8] }]"
)
PULL = 'echo 1 >"/sys/block/$(basename "$(readlink -f /dev/disk/by-id/{0})")/device/../remove"'
HELPERS = "spares: [disk-9], cache: [disk-10]"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """A lab with six disks more than the pool has."""
    name = f"pools-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    made = Rehearsal(name, Path(tmp_path_factory.mktemp("pools")), Lab(name))
    made.lab.reset()
    made.lab.up(Plan(made.describe(MORE), made.root, memory=1024), tell=print)
    yield made
    made.lab.down()


@pytest.fixture
def host(stage: Rehearsal) -> Rehearsal:
    if not stage.lab.running:
        stage.lab.start()
    return stage


def planned(host: Rehearsal, code: int) -> str:
    plan = host.start("plan")
    assert plan.end() == code, plan.said
    return plan.said


def is_reached(host: Rehearsal) -> bool:
    """The deploy went through, and a second plan finds nothing to do."""
    deploy = host.last()
    assert deploy.verdict == "committed", deploy
    return "nothing to do" in planned(host, DONE)


def members(host: Rehearsal) -> str:
    return host.console("zpool list -vHP tank")


# The order counts: each test leaves the pool as the next one finds it.


def test_datasets_come_and_what_somebody_has_set_goes_back(host: Rehearsal) -> None:
    host.console("zfs set recordsize=64K compression=lz4 tank/work; zfs create tank/theirs")
    host.describe(with_pool(
        "datasets: { work/deep: { recordsize: 1MiB, quota: 10GiB, snapshots: none } }"
    ))  # fmt: skip

    said = planned(host, PENDING)
    done = host.apply()

    assert done.process.returncode == DONE, done.said
    assert "take back recordsize of tank/work: 64KiB -> 128KiB" in said
    assert "filesystem tank/theirs" in said
    found = host.console("zfs get -Hpo value recordsize,compression tank/work; "
                         "zfs get -Hpo value recordsize,quota tank/work/deep")  # fmt: skip
    assert found.split() == ["131072", "zstd", "1048576", str(10 << 30)]
    assert is_reached(host)


@pytest.mark.rehearsal
def test_drift_by_hand_is_found_and_repaired(host: Rehearsal) -> None:
    host.console("zfs set compression=off tank/work")

    drift = host.start("drift")
    assert drift.end() != DONE
    done = host.apply()

    assert "compression of tank/work" in drift.said
    assert done.process.returncode == DONE, done.said
    assert host.console("zfs get -Ho value compression tank/work").strip() == "zstd"


@pytest.mark.rehearsal
def test_a_spare_and_a_cache_come_and_go(host: Rehearsal) -> None:
    host.describe(with_pool(HELPERS))
    come = host.apply()
    assert come.process.returncode == DONE, come.said
    assert is_reached(host)
    there = members(host)

    host.describe(MORE)
    go = host.apply()

    assert go.process.returncode == DONE, go.said
    assert "disk-9" in there
    assert "disk-10" in there
    assert "disk-9" not in members(host)
    assert "disk-10" not in members(host)


@pytest.mark.rehearsal
def test_a_disk_that_is_not_blank_any_more_is_not_taken(host: Rehearsal) -> None:
    host.describe(with_pool("cache: [disk-10]"))  # it was a cache device a moment ago

    said = planned(host, PENDING)

    assert "impossible: add cache disk-10 to tank" in said
    assert "disk-10 is not blank" in said


@pytest.mark.rehearsal
def test_a_vdev_is_added_only_on_the_operators_word(host: Rehearsal) -> None:
    host.describe(with_pool(SECOND))

    said = planned(host, PENDING)
    refused = host.apply()
    before = members(host)
    done = host.apply("--accept", "irreversible:tank")

    assert "irreversible: add raidz2 disk-5 disk-6 disk-7 disk-8 to tank" in said
    assert refused.process.returncode == ERROR
    assert "--accept irreversible:tank" in refused.said
    assert "raidz2-1" not in before
    assert done.process.returncode == DONE, done.said
    assert "raidz2-1" in members(host)
    assert is_reached(host)


@pytest.mark.rehearsal
def test_an_operator_who_dies_among_the_steps_can_go_on(host: Rehearsal) -> None:
    names = ", ".join(f"{each}: {{ snapshots: none }}" for each in "abcdefgh")
    host.describe(with_pool(f"{SECOND}, datasets: {{ {names} }}"))
    first = host.start("apply", "--yes")
    first.until(": prepare storage")
    first.kill()
    assert host.last().verdict == "abandoned"

    second = host.apply()

    assert second.process.returncode == DONE, second.said
    assert is_reached(host)


@pytest.mark.rehearsal
def test_a_vdev_that_is_not_described_stays(host: Rehearsal) -> None:
    host.describe(MORE)

    said = planned(host, PENDING)

    assert "impossible: tank has raidz2 disk-5" in said
    assert "raidz2-1" in members(host)


@pytest.mark.rehearsal
def test_properties_are_settled_after_a_boot(host: Rehearsal) -> None:
    host.console("zfs set compression=lz4 tank/work")
    before = host.boot_id()

    host.console("systemctl reboot --no-block")
    host.wait_for_another_boot(before)

    host.wait_for("systemctl is-active emily-dataset-properties >/dev/null")
    journal = host.console("journalctl -b -u emily-dataset-properties --no-pager")
    assert "set compression=zstd as host.yaml says; it was lz4" in journal
    assert host.console("zfs get -Ho value compression tank/work").strip() == "zstd"
    assert not host.seen().units.failed


@pytest.mark.rehearsal
def test_nothing_is_planned_on_a_pool_that_is_suspended(host: Rehearsal) -> None:
    host.describe(with_pool("datasets: { late: { snapshots: none } }"))
    for disk in ("disk-1", "disk-2", "disk-3"):
        host.console(PULL.format(disk))
    host.console("(dd if=/dev/zero of=/srv/work/x bs=1M count=64 </dev/null >/dev/null 2>&1 &)")
    end = time.monotonic() + 300
    while not (pool := host.seen().pool("tank")) or not standstill(pool):
        assert time.monotonic() < end, pool
        time.sleep(5)

    said = planned(host, PENDING)

    host.lab.power_cut()
    assert "apply would refuse: pool-" in said
    assert "safe: create dataset" not in said
