"""How many disks a vdev may lose yet, against what OpenZFS printed."""

from pathlib import Path

import pytest

from emily_infra.disks.redundancy import Redundancy
from emily_infra.observe.pools import Pool
from emily_infra.observe.vdevs import Scan, Vdev, statuses

RECORDED = Path(__file__).parent.parent / "observe/zpool"


def pool(name: str) -> Pool:
    ((pool_name, found),) = statuses((RECORDED / f"{name}.txt").read_text()).items()
    return Pool(pool_name, "1", found.state, 0, 0, 0, None, vdevs=found.vdevs, scans=found.scans,
                committed_age=1.0)  # fmt: skip


def leaf(of: Pool, name: str) -> Vdev:
    return next(each for each in of.leaves if name in each.path)


def everything(_: Vdev) -> bool:
    return True


def lefts(of: Pool) -> dict[str, int]:
    redundancy = Redundancy(of, everything)
    return {top.name: redundancy.left(top) for top in of.vdevs if top.children}


def made(kind: str, *states: str, role: str = "data", scans: tuple[Scan, ...] = ()) -> Pool:
    leaves = tuple(
        Vdev(f"/dev/d{number}", "disk", role, state, path=f"/dev/d{number}")
        for number, state in enumerate(states)
    )
    top = leaves[0] if kind == "disk" else Vdev(f"{kind}-0", kind, role, "ONLINE", children=leaves)
    return Pool("tank", "1", "ONLINE", 0, 0, 0, None, vdevs=(top,), scans=scans, committed_age=1.0)


@pytest.mark.parametrize(
    ("kind", "width", "survives"),
    [("mirror", 2, 1), ("mirror", 3, 2), ("raidz1", 3, 1), ("raidz2", 7, 2), ("raidz3", 9, 3),
     ("draid2", 9, 2), ("disk", 1, 0)],
)  # fmt: skip
def test_a_whole_vdev_may_lose_what_its_kind_says(kind: str, width: int, survives: int) -> None:
    of = made(kind, *["ONLINE"] * width)

    assert Redundancy(of, everything).left(of.vdevs[0]) == survives


@pytest.mark.parametrize("state", ["OFFLINE", "REMOVED", "FAULTED", "UNAVAIL", "DEGRADED"])
def test_a_third_disk_of_raidz2_is_never_let_go(state: str) -> None:
    of = made("raidz2", state, state, "ONLINE", "ONLINE", "ONLINE")

    why = Redundancy(of, everything).why_not_without(of.vdevs[0].children[2])

    assert "is gone, and the pool with it: of 2 disks that it may lose 0 remain" in why


def test_a_second_disk_of_raidz2_may_go() -> None:
    of = made("raidz2", "OFFLINE", "ONLINE", "ONLINE", "ONLINE")

    assert not Redundancy(of, everything).why_not_without(of.vdevs[0].children[1])


def test_a_disk_that_was_pulled_counts_as_lost_before_zfs_has_noticed() -> None:
    of = made("mirror", "ONLINE", "ONLINE")
    redundancy = Redundancy(of, lambda vdev: vdev.name != "/dev/d1")

    assert redundancy.left(of.vdevs[0]) == 0
    assert redundancy.why_not_without(of.vdevs[0].children[0])


def test_a_disk_that_is_being_filled_is_not_whole_yet() -> None:
    of = pool("replacing-2.4")

    assert lefts(of) == {"raidz2-0": 1, "mirror-1": 1}
    assert not Redundancy(of, everything).why_not_without(leaf(of, "HDD_A"))


def test_replacements_spares_and_removed_disks_are_counted_together() -> None:
    of = pool("resilver-2.1")

    assert lefts(of) == {"raidz2-0": 0, "mirror-1": 1}
    assert "a resilver is not over" in Redundancy(of, everything).why_not_without(leaf(of, "ata-A"))
    assert not Redundancy(of, everything).why_not_without(leaf(of, "nvme-A"))


def test_a_resilver_that_does_not_say_for_whom_may_be_for_anyone() -> None:
    of = made("mirror", "ONLINE", "ONLINE", scans=(Scan("resilver", "running", 1),))

    assert "resilver" in Redundancy(of, everything).why_not_without(of.vdevs[0].children[0])


def test_nothing_goes_from_a_pool_that_is_suspended() -> None:
    of = pool("suspended-2.4")

    assert Redundancy(of, everything).why_not_without(of.leaves[0])


def test_nothing_goes_from_a_pool_that_is_called_online_and_writes_nothing() -> None:
    of = made("raidz2", *["ONLINE"] * 5)
    still = Pool("tank", "1", "ONLINE", 0, 0, 0, None, vdevs=of.vdevs, committed_age=300.0)

    assert "300 s" in Redundancy(still, everything).why_not_without(of.vdevs[0].children[0])


def test_the_last_good_copy_is_not_left_to_a_disk_with_errors() -> None:
    of = made("mirror", "ONLINE", "ONLINE")
    first, second = of.vdevs[0].children
    worn = Vdev(second.name, "disk", "data", "ONLINE", checksum=7, path=second.path)
    top = Vdev("mirror-0", "mirror", "data", "ONLINE", children=(first, worn))
    of = Pool("tank", "1", "ONLINE", 0, 0, 0, None, vdevs=(top,), committed_age=1.0)

    assert "which has had errors" in Redundancy(of, everything).why_not_without(first)
    assert not Redundancy(of, everything).why_not_without(worn)


def test_a_log_disk_may_go() -> None:
    of = made("disk", "ONLINE", role="log")

    assert not Redundancy(of, everything).why_not_without(of.vdevs[0])
