"""What `zpool status` prints, of several versions and on bad days."""

from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from emily_infra.observe.vdevs import Scan, Vdev, status, statuses, with_guids

TEXTS = Path(__file__).parent / "zpool"
BY_ID = "/dev/disk/by-id/"


def of(name: str) -> tuple[Vdev, ...]:
    return status((TEXTS / f"{name}.txt").read_text()).vdevs


def moment(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp())  # type: ignore[arg-type,misc]


def test_a_disk_that_is_gone_keeps_the_path_it_had() -> None:
    (mirror,) = of("degraded-2.1")

    kept, gone = mirror.children
    assert (mirror.kind, mirror.state) == ("mirror", "DEGRADED")
    assert (kept.path, kept.checksum) == (f"{BY_ID}ata-WDC_WD40EFRX_1-part1", 3)
    assert (gone.state, gone.path) == ("UNAVAIL", f"{BY_ID}ata-WDC_WD40EFRX_2-part1")


def test_what_is_wrong_is_told_in_one_line() -> None:
    told = status((TEXTS / "degraded-2.1.txt").read_text())

    assert told.state == "DEGRADED"
    assert told.status.startswith("One or more devices could not be used because the label is")
    assert told.status.endswith("in a degraded state.")
    assert told.scans == (Scan("scrub", "finished", moment(2026, 11, 1, 0, 24, 2)),)


def test_classes_spares_and_groups_in_groups_are_a_tree() -> None:
    vdevs = of("resilver-2.1")

    assert [(vdev.role, vdev.kind) for vdev in vdevs] == [
        ("data", "raidz2"), ("special", "mirror"), ("log", "disk"), ("cache", "disk"),
        ("spare", "disk"), ("spare", "disk"),
    ]  # fmt: skip
    raidz = vdevs[0]
    assert [child.kind for child in raidz.children] == ["disk", "replacing", "spare", "disk"]
    assert raidz.children[2].children[0].write == 112
    assert [leaf.state for leaf in raidz.leaves] == [
        "ONLINE", "OFFLINE", "ONLINE", "FAULTED", "ONLINE", "REMOVED",
    ]  # fmt: skip


def test_a_resilver_says_how_far_it_is() -> None:
    told = status((TEXTS / "resilver-2.1.txt").read_text())

    assert told.scans == (Scan("resilver", "running", moment(2026, 11, 21, 9, 0, 0), 0, 8.69),)
    assert told.errors == "3 data errors, use '-v' for a list"


def test_a_vdev_that_is_being_removed_is_told() -> None:
    text = (TEXTS / "degraded-2.1.txt").read_text()
    running = "remove: Evacuation of mirror-1 in progress since Sat Nov 21 10:00:00 2026\n\t1G"
    over = "remove: Removal of vdev 1 copied 1G in 0h1m, completed on Sat Nov 21 10:01:00 2026\n"

    told = [status(text.replace("config:", f"{line}\nconfig:")) for line in (running, over)]

    assert [each.leaving for each in told] == ["mirror-1", ""]
    assert all(each.vdevs for each in told)


def test_a_replacement_on_2_4_counts_both_disks() -> None:
    raidz = of("replacing-2.4")[0]

    replacing = raidz.children[1]
    assert [(leaf.state, leaf.note) for leaf in replacing.leaves] == [
        ("OFFLINE", ""), ("ONLINE", "(resilvering)"),
    ]  # fmt: skip
    (scan,) = status((TEXTS / "replacing-2.4.txt").read_text()).scans
    assert (scan.kind, scan.state, scan.percent) == ("resilver", "running", 54.93)


def test_a_disk_pulled_on_2_4_is_removed_and_a_spare_takes_its_place() -> None:
    removed, spared = of("removed-2.4")[0], of("spared-2.4")[0]

    assert [leaf.state for leaf in removed.leaves].count("REMOVED") == 1
    assert (spared.children[2].kind, spared.children[2].state) == ("spare", "DEGRADED")
    assert of("spared-2.4")[-1].state == "INUSE"


def test_guids_stand_in_the_same_order_as_names() -> None:
    vdevs = with_guids(of("spared-2.4"), of("spared-2.4-guids"))

    spare = vdevs[0].children[2]
    assert spare.guid == "2440055310530905406"
    assert [leaf.guid for leaf in spare.leaves] == ["11143571141520800553", "9287170127087569115"]
    assert with_guids(of("spared-2.4"), of("degraded-2.1")) == of("spared-2.4")


def test_a_pool_that_lost_too_many_disks_says_why() -> None:
    told = status((TEXTS / "suspended-2.4.txt").read_text())

    assert told.state == "UNAVAIL"
    assert told.vdevs[0].note == "insufficient replicas"
    assert told.errors == "320 data errors, use '-v' for a list"


def test_several_pools_are_told_apart() -> None:
    both = (
        (TEXTS / "suspended-2.4.txt").read_text() + "\n" + (TEXTS / "degraded-2.1.txt").read_text()
    )

    assert {name: told.state for name, told in statuses(both).items()} == {
        "ember": "UNAVAIL", "tank": "DEGRADED",
    }  # fmt: skip


def test_scans_of_every_kind() -> None:
    def scans(line: str) -> list[tuple[str, str]]:
        return [(s.kind, s.state) for s in status(f"  pool: x\n  scan: {line}\nconfig:\n").scans]

    day = "Sun Nov  1 00:24:02 2026"
    assert scans("none requested") == []
    assert scans(f"scrub paused since {day}\n\tscrub started on {day}") == [("scrub", "paused")]
    assert scans(f"scrub canceled on {day}") == [("scrub", "cancelled")]
    assert scans(f"resilvered 1.2G in 00:00:03 with 0 errors on {day}") == [
        ("resilver", "finished")
    ]
    assert scans(f"resilvered (mirror-0) 1.2G in 00:00:03 with 0 errors on {day}") == [
        ("resilver", "finished")
    ]
    assert scans(f"resilver (draid2:4d:9c:1s-0) in progress since {day}") == [
        ("resilver", "running")
    ]


@given(st.text(alphabet="\t \nabcpoolconfig:ONLINE0123456789-/()", max_size=400))
def test_garbage_is_no_tree_and_no_exception(text: str) -> None:
    assert status(text).state is not None


def test_a_very_deep_tree_ends_somewhere() -> None:
    rows = "\n".join(f"\t{'  ' * depth}mirror-{depth} ONLINE 0 0 0" for depth in range(3000))

    assert len(status(f"config:\n\n{rows}\n").vdevs) == 1
