"""What status says is wrong, and what it does not."""

import json
from pathlib import Path

from emily_infra.disks.places import Members
from emily_infra.observe import Observation
from emily_infra.observe.trouble import Weight, troubles
from tests.hosts import pebble
from tests.observe import made
from tests.observe.made import links, seen
from tests.observe.pebble import (
    BY_ID,
    KSTAT,
    LINKS,
    LOADER,
    OLD,
    SECTIONS,
    on_a_bad_day,
    record,
    systems,
)

TEXTS = Path(__file__).parent / "zpool"


def wrong(found: Observation) -> list[str]:
    return [each.message for each in troubles(found) if each.weight is Weight.WRONG]


def test_a_good_day_has_none() -> None:
    assert troubles(seen(SECTIONS)) == ()


def test_a_degraded_pool_and_its_disks() -> None:
    text = (TEXTS / "degraded-2.1.txt").read_text()

    told = wrong(on_a_bad_day(pool_status=text))

    assert told == [
        "pool tank is DEGRADED",
        "ata-WDC_WD40EFRX_1-part1 in pool tank has had errors: 0 read, 0 write, 3 checksum",
        "ata-WDC_WD40EFRX_2-part1 in pool tank is UNAVAIL",
    ]


def test_a_pool_that_calls_itself_online_and_writes_nothing_is_stuck() -> None:
    late = KSTAT | {"/proc/spl/kstat/zfs/fm": "9 1 0x01 5 1360 94078108981 1040193006000000"}

    assert wrong(on_a_bad_day(kernel_on_pools=made.texts(late))) == [
        "pool tank has written nothing for 199 s: it is stuck"
    ]


def test_a_disk_that_was_pulled_is_told_though_zfs_calls_it_online() -> None:
    left = [entry for entry in BY_ID if "_2" not in entry[0]]

    assert wrong(on_a_bad_day(links=links(*LINKS, *left))) == [
        "ata-WDC_WD40EFRX_2-part1 in pool tank is gone from the machine, though ZFS still calls it "
        "ONLINE"
    ]


def test_a_member_is_called_as_who_asks_knows_it() -> None:
    members = Members(pebble("storage: { disks: { ata-WDC_WD40EFRX_2: { bay: 2 } } }").spec.storage,
                      Observation("pebble"))  # fmt: skip
    found = on_a_bad_day(pool_status=(TEXTS / "degraded-2.1.txt").read_text())

    told = [each.message for each in troubles(found, members.called)]

    assert "ata-WDC_WD40EFRX_2 (bay 2) in pool tank is UNAVAIL" in told


def test_a_failed_unit_is_wrong() -> None:
    units = json.dumps([{"unit": "smbd.service", "active": "failed"}])

    assert wrong(on_a_bad_day(units=units)) == ["smbd.service has failed"]


def test_a_pending_reboot_is_no_fault() -> None:
    found = on_a_bad_day(systems=systems(old_kernel="/nix/store/x-linux-6.12.1/bzImage"))

    assert [(each.weight, each.message) for each in troubles(found)] == [
        (Weight.NOTE, "a reboot is pending: kernel, initrd or modules are newer")
    ]
    assert troubles(found)[0].look == ("emily-infra", "apply", "pebble", "--reboot")


def test_what_runs_and_what_would_boot_must_agree() -> None:
    assert wrong(on_a_bad_day(systems=systems(current=OLD))) == [
        "what runs is not the profile's generation"
    ]
    loader = LOADER | {"/boot/loader/loader.conf": "default nixos-generation-41.conf"}
    assert wrong(on_a_bad_day(boot_loader=made.texts(loader))) == [
        "a reboot would start another generation than the one that runs"
    ]


def test_while_a_deploy_is_at_work_they_may_differ() -> None:
    at_work = json.dumps([{"unit": "emily-deploy.service", "active": "active"}])

    found = on_a_bad_day(systems=systems(current=OLD), units=at_work)

    assert wrong(found) == []


def test_a_deploy_without_a_verdict_is_wrong_and_a_rolled_back_one_is_told() -> None:
    files = record("activating")
    assert wrong(on_a_bad_day(state=made.texts(files))) == [
        "the last deploy ended without a verdict"
    ]
    rolled_back = made.texts(record("rolled-back", why="no answer on port 22"))
    found = on_a_bad_day(state=rolled_back)
    assert [each.message for each in troubles(found)] == [
        "the last deploy was rolled back: no answer on port 22"
    ]


def test_what_hung_is_wrong() -> None:
    assert wrong(seen(SECTIONS, units="hung")) == ["no answer in time: units"]


def test_a_full_disk_is_told_once_however_many_paths_are_on_it() -> None:
    space = made.rows(
        ("/", "4096", "1000", "10", "0", "0"), ("/nix", "4096", "1000", "10", "0", "0")
    )

    assert wrong(on_a_bad_day(space=space)) == ["/ is 99 % full, 41.0 KB left"]
