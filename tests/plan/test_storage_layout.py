"""How a pool gets from the vdevs that it has to those of host.yaml, and where it cannot."""

from dataclasses import replace
from typing import Any

import pytest

from emily_infra.observe import Observation
from emily_infra.observe.pools import Pool, Property
from emily_infra.observe.vdevs import Scan, Vdev
from emily_infra.plan import Hazard, Step
from emily_infra.plan.storage import steps, to_read
from tests.plan.simulated import world
from tests.plan.tanks import Body, described
from tests.plan.tops import BY_ID, guid

PAIR: Body = {"data": [{"mirror": ["disk-a", "disk-b"]}]}
SPARED: Body = PAIR | {"spares": ["disk-c"]}
RAIDZ: Body = {"data": [{"raidz1": ["disk-a", "disk-b", "disk-c"]}]}


def needed(now: Body, wished: Body, **changes: Any) -> list[Step]:
    """The steps from one to the other, on a machine that is changed a little first."""
    return list(steps(described(wished), changed(now, **changes)))


def changed(
    now: Body, disks: dict[str, str] | None = None, pulled: str = "", **pool: Any
) -> Observation:
    machine = world(described(now).storage)
    machine.disks |= disks or {}
    machine.disks.pop(pulled, "")
    seen = machine.seen()
    return replace(seen, pools=(replace(seen.pools[0], **pool),))


def vdevs(now: Body, old: str, **changes: Any) -> tuple[Vdev, ...]:
    """The vdevs of a pool of one, with a change to one of its disks."""
    (top,) = changed(now).pools[0].vdevs
    leaves = tuple(replace(leaf, **changes) if old in leaf.name else leaf for leaf in top.children)
    return (replace(top, children=leaves),)


def standing_in(**changes: Any) -> tuple[Vdev, ...]:
    """A pair whose second disk is gone, and the spare disk-c in its place."""
    top, listed = changed(SPARED).pools[0].vdevs
    first, second = top.children
    comes = replace(second, name=listed.name, path=listed.path, guid=listed.guid, **changes)
    gone = replace(second, state="REMOVED", guid="31")
    spare = replace(second, name="spare-1", kind="spare", children=(gone, comes))
    return (replace(top, children=(first, spare)),)


# --- whole vdevs


def test_a_data_vdev_is_added_only_on_the_operators_word() -> None:
    both = {"data": [*RAIDZ["data"], {"raidz1": ["disk-d", "disk-e", "disk-f"]}]}

    (step,) = needed(RAIDZ, both)

    assert step.hazard is Hazard.IRREVERSIBLE
    assert step.word == "irreversible:tank"
    assert step.commands == ((
        "zpool", "add", "-o", "ashift=12", "tank", "raidz1",
        f"{BY_ID}disk-d", f"{BY_ID}disk-e", f"{BY_ID}disk-f",
    ),)  # fmt: skip
    assert "never be taken out" in step.why


def test_what_stands_on_a_disk_is_said_and_the_vdev_not_added() -> None:
    log = PAIR | {"log": [{"disk": "disk-c"}]}

    (step,) = needed(PAIR, log, disks={"disk-c": "ext4"})

    assert step.hazard is Hazard.IMPOSSIBLE
    assert "disk-c is not blank: /dev/sdc holds ext4" in step.why
    assert "wipefs --no-act" in step.why
    assert "LAST RESORT" not in step.why


def test_a_disk_that_nobody_has_read_is_not_known_to_be_blank() -> None:
    seen = replace(changed(PAIR), examined=())

    (step,) = steps(described(PAIR | {"spares": ["disk-c"]}), seen)

    assert step.hazard is Hazard.IMPOSSIBLE
    assert "disk-c cannot be read" in step.why


def test_only_disks_that_the_pool_lacks_are_read() -> None:
    assert to_read(described(PAIR), changed(PAIR)) == ()
    assert to_read(described(PAIR | {"spares": ["disk-c"]}), changed(PAIR)) == ("disk-c",)


def test_a_disk_of_another_size_is_not_taken() -> None:
    seen = changed(PAIR)
    smaller = tuple(replace(disk, size=disk.size // 2) for disk in seen.disks)

    (step,) = steps(described(PAIR | {"spares": ["disk-c"]}), replace(seen, disks=smaller))

    assert step.hazard is Hazard.IMPOSSIBLE
    assert "smaller than declared" in step.why


def test_two_names_of_one_disk_are_one_disk() -> None:
    seen = changed(PAIR)
    (c,) = (disk for disk in seen.disks if "disk-c" in disk.ids)
    both = replace(c, ids=("disk-c", "disk-d"))
    rest = tuple(disk for disk in seen.disks if not {"disk-c", "disk-d"} & {*disk.ids})

    found = steps(
        described(PAIR | {"log": [{"mirror": ["disk-c", "disk-d"]}]}),
        replace(seen, disks=(*rest, both)),
    )

    assert [step.hazard for step in found] == [Hazard.IMPOSSIBLE]


def test_a_mix_that_host_yaml_does_not_have_is_not_forced() -> None:
    now = {"data": [*PAIR["data"], {"mirror": ["disk-e", "disk-f", "disk-g"]}]}
    wished = {"data": [*PAIR["data"], {"mirror": ["disk-c", "disk-d"]}]}

    titles = {step.title: step.hazard for step in needed(now, wished)}

    assert set(titles.values()) == {Hazard.IMPOSSIBLE}


def test_a_log_can_be_taken_out_again() -> None:
    log = PAIR | {"log": [{"disk": "disk-c"}]}

    (come,), (go,) = needed(PAIR, log), needed(log, PAIR)

    assert (come.hazard, go.hazard) == (Hazard.SAFE, Hazard.SAFE)
    assert go.commands == (("zpool", "remove", "tank", guid("disk-c")),)


def test_a_vdev_that_host_yaml_does_not_know_goes_only_if_somebody_asks_for_it() -> None:
    both = {"data": [*PAIR["data"], {"mirror": ["disk-c", "disk-d"]}]}

    (step,) = needed(both, PAIR)

    assert (step.hazard, step.offered, step.word) == (Hazard.IRREVERSIBLE, True, "remove:tank")
    assert step.commands == (("zpool", "remove", "tank", guid("mirror disk-c")),)


@pytest.mark.parametrize("role", ["data", "special"])
def test_from_a_pool_with_raidz_nothing_that_holds_data_goes(role: str) -> None:
    more = {"mirror": ["disk-d", "disk-e"]}
    now = RAIDZ | ({"data": [*RAIDZ["data"], more]} if role == "data" else {role: [more]})

    (step,) = needed(now, RAIDZ)

    assert step.hazard is Hazard.IMPOSSIBLE
    assert "zfs send -R tank@move" in step.why


@pytest.mark.parametrize(
    ("vdev", "why"),
    [
        ({"raidz2": ["disk-a", "disk-b", "disk-c"]}, "never turns one kind of vdev into another"),
        ({"raidz1": ["disk-a", "disk-b"]}, "never becomes narrower"),
        ({"raidz1": ["disk-a", "disk-b", "disk-c", "disk-d"]},
         f"zpool attach tank raidz1-0 {BY_ID}disk-d"),
    ],
    ids=["level", "narrower", "wider"],
)  # fmt: skip
def test_what_zfs_cannot_do_is_told_with_the_way_round(vdev: Body, why: str) -> None:
    (step,) = needed(RAIDZ, {"data": [vdev]})

    assert step.hazard is Hazard.IMPOSSIBLE
    assert why in step.why


# --- disks that come, go and change


def test_one_disk_becomes_a_mirror() -> None:
    (step,) = needed({"data": [{"disk": "disk-a"}]}, PAIR)

    assert step.hazard is Hazard.SAFE
    assert step.commands == ((
        "zpool", "attach", "-o", "ashift=12", "tank", guid("disk-a"), f"{BY_ID}disk-b",
    ),)  # fmt: skip


def test_a_copy_less_is_told_with_what_may_still_fail() -> None:
    (step,) = needed({"data": [{"mirror": ["disk-a", "disk-b", "disk-c"]}]}, PAIR)

    assert step.hazard is Hazard.DISRUPTIVE
    assert step.commands == (("zpool", "detach", "tank", guid("disk-c")),)
    assert "1 of 2 may still fail" in step.why


def test_the_last_whole_copy_is_not_detached() -> None:
    ill = vdevs(PAIR, "disk-a", state="FAULTED")

    (step,) = needed(PAIR, {"data": [{"disk": "disk-a"}]}, vdevs=ill)

    assert step.hazard is Hazard.IMPOSSIBLE


@pytest.mark.parametrize(
    "ill",
    [{"vdevs": {"note": "(awaiting resilver)"}}, {"vdevs": {"checksum": 3}}, {"pulled": "disk-a"}],
    ids=["not-resilvered", "errors", "pulled"],
)
def test_no_copy_goes_and_none_is_made_from_one_that_is_only_called_online(
    ill: dict[str, Any],
) -> None:
    only_a: Body = {"data": [{"disk": "disk-a"}]}
    three: Body = {"data": [{"mirror": ["disk-a", "disk-b", "disk-c"]}]}
    ill = ill | ({"vdevs": vdevs(PAIR, "disk-a", **ill["vdevs"])} if "vdevs" in ill else {})

    (go,) = needed(PAIR, only_a, **ill)
    (come,) = needed(PAIR, three, **ill)

    assert go.hazard is Hazard.IMPOSSIBLE
    assert come.commands[0][-2:] == (guid("disk-b"), f"{BY_ID}disk-c")


def test_a_copy_less_counts_only_those_that_are_whole() -> None:
    three: Body = {"data": [{"mirror": ["disk-a", "disk-b", "disk-c"]}]}

    (step,) = needed(three, PAIR, vdevs=vdevs(three, "disk-a", state="FAULTED"))

    assert "no disk may fail any more" in step.why


def test_a_disk_takes_the_place_of_the_one_that_stood_there() -> None:
    (step,) = needed(RAIDZ, {"data": [{"raidz1": ["disk-a", "disk-d", "disk-c"]}]})

    assert step.hazard is Hazard.SAFE
    assert step.commands == ((
        "zpool", "replace", "-o", "ashift=12", "tank", guid("disk-b"), f"{BY_ID}disk-d",
    ),)  # fmt: skip
    assert "the old disk stays" in step.why


def test_two_disks_keep_their_places_in_the_order_of_host_yaml() -> None:
    found = needed(RAIDZ, {"data": [{"raidz1": ["disk-e", "disk-b", "disk-d"]}]})

    assert [step.title for step in found] == [
        "replace disk-a by disk-e in tank",
        "replace disk-c by disk-d in tank",
    ]


def test_a_disk_that_is_gone_is_named_by_its_number() -> None:
    gone = vdevs(RAIDZ, "disk-b", state="UNAVAIL", guid="8847")

    (step,) = needed(RAIDZ, {"data": [{"raidz1": ["disk-a", "disk-d", "disk-c"]}]}, vdevs=gone)

    assert step.commands[0][-2:] == ("8847", f"{BY_ID}disk-d")
    assert "the old disk is UNAVAIL" in step.why


def test_no_disk_is_exchanged_while_another_one_resilvers() -> None:
    running = (Scan("resilver", "running", 1, percent=12.3),)

    (step,) = needed(RAIDZ, {"data": [{"raidz1": ["disk-a", "disk-d", "disk-c"]}]}, scans=running)

    assert step.hazard is Hazard.IMPOSSIBLE
    assert "12 % done" in step.why


def test_a_checkpoint_holds_every_disk() -> None:
    held = {"checkpoint": Property("1048576", "-")}

    (step,) = needed({"data": [{"disk": "disk-a"}]}, PAIR, properties=held)

    assert "zpool checkpoint -d tank" in step.why


def test_no_disk_joins_another_while_a_vdev_leaves() -> None:
    (step,) = needed({"data": [{"disk": "disk-a"}]}, PAIR, leaving="mirror-1")

    assert step.hazard is Hazard.IMPOSSIBLE
    assert "mirror-1 is being removed" in step.why


def test_a_spare_that_stands_in_may_keep_its_place() -> None:
    (step,) = needed(SPARED, {"data": [{"mirror": ["disk-a", "disk-c"]}]}, vdevs=standing_in())

    assert step.commands == (("zpool", "detach", "tank", "31"),)


def test_a_spare_keeps_no_place_before_it_holds_everything() -> None:
    (step,) = needed(
        SPARED,
        {"data": [{"mirror": ["disk-a", "disk-c"]}]},
        vdevs=standing_in(note="(awaiting resilver)"),
    )

    assert step.hazard is Hazard.IMPOSSIBLE
    assert "the spare disk-c is not resilvered yet" in step.why


def test_a_spare_at_work_is_not_taken_away() -> None:
    with_spare = PAIR | {"spares": ["disk-c"]}
    seen = changed(with_spare)
    busy = tuple(replace(v, state="INUSE") if v.role == "spare" else v for v in seen.pools[0].vdevs)

    (step,) = needed(with_spare, PAIR, vdevs=busy)

    assert step.hazard is Hazard.IMPOSSIBLE


def test_a_disk_that_changed_everything_at_once_is_not_guessed_at() -> None:
    found = needed(PAIR, {"data": [{"mirror": ["disk-c", "disk-d"]}]})

    assert {step.hazard for step in found} == {Hazard.IMPOSSIBLE}
    assert "change one disk at a time" in found[0].why


# --- the pool as a whole


def test_features_are_offered_and_never_forced_upon_anybody() -> None:
    (step,) = needed(PAIR, PAIR, features={"draid": "disabled", "lz4_compress": "active"})

    assert (step.hazard, step.offered, step.word) == (Hazard.IRREVERSIBLE, True, "upgrade:tank")
    assert step.commands == (("zpool", "upgrade", "tank"),)
    assert "older OpenZFS cannot" in step.why


def test_features_that_a_person_has_ruled_out_are_not_offered() -> None:
    held = {"compatibility": Property("openzfs-2.1-linux", "local")}

    assert needed(PAIR, PAIR, features={"draid": "disabled"}, properties=held) == []


@pytest.mark.parametrize(
    "ill",
    [{"health": "SUSPENDED"}, {"committed_age": 75.0},
     {"properties": {"readonly": Property("on", "-")}}],
    ids=["suspended", "stuck-though-online", "read-only"],
)  # fmt: skip
def test_nothing_is_begun_on_a_pool_that_takes_no_writes(ill: dict[str, Any]) -> None:
    wished = PAIR | {"datasets": {"a": {"snapshots": "none"}}, "spares": ["disk-c"]}

    found = needed(PAIR, wished, **ill)

    assert len(found) == 2
    assert {step.hazard for step in found} == {Hazard.IMPOSSIBLE}
    assert all("zpool status -v" in step.why for step in found)


def test_a_pool_of_which_nothing_was_told_is_left_alone() -> None:
    seen = changed(PAIR)
    silent = Pool("tank", "1", "ONLINE", 0, 0, 0, None, told=False)

    assert list(steps(described(RAIDZ), replace(seen, pools=(silent,)))) == []
