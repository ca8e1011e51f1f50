"""Pebble on a good day, and single things that go wrong."""

import json
from pathlib import Path

import pytest

from emily_infra.observe.pools import Property
from tests.observe import made
from tests.observe.made import seen
from tests.observe.pebble import (
    DEPLOY,
    KERNEL,
    KSTAT,
    LINKS,
    LOADER,
    NEW,
    NOW,
    OLD,
    RECORD,
    SECTIONS,
    basics,
    on_a_bad_day,
    record,
    systems,
)

GOOD = seen(SECTIONS)
TEXTS = Path(__file__).parent / "zpool"


def test_nothing_of_a_good_day_is_missing() -> None:
    assert GOOD.gaps == ()
    assert GOOD.identity.os_release == "NixOS 26.05 (Yarara)"
    assert (GOOD.identity.now, GOOD.identity.uptime) == (NOW, 1_040_000)
    assert GOOD.identity.memory == 16_303_280 * 1024


def test_the_systems_and_their_generations() -> None:
    has = GOOD.generation

    assert (has.number, has.profile, has.current, has.booted) == (42, NEW, NEW, OLD)
    assert has.boot_default == NEW  # its entry counts boots in its name
    assert [(g.number, g.version, g.kernel) for g in has.generations] == [
        (41, "26.05.1", KERNEL), (42, "26.05.2", KERNEL),
    ]  # fmt: skip
    assert has.inhibitors == {"dbus": "broker"}
    assert not has.reboot_pending


def test_a_path_where_nothing_is_is_no_system() -> None:
    found = on_a_bad_day(systems=systems(current="/run/current-system"))

    assert found.generation.current == ""


def test_a_kernel_that_a_system_lacks_is_none() -> None:
    found = on_a_bad_day(systems=systems(old_kernel=f"{OLD}/kernel"))

    assert found.generation.booted_system.kernels == ("", "", "")


def test_a_variable_of_the_firmware_goes_before_loader_conf() -> None:
    name = "LoaderEntryDefault-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
    text = "\7\0\0\0" + "".join(f"{letter}\0" for letter in "nixos-generation-41.conf\0")

    files = LOADER | {f"/sys/firmware/efi/efivars/{name}": text}
    has = on_a_bad_day(boot_loader=made.texts(files)).generation

    assert (has.boot_default, has.boot_override) == (OLD, True)


def test_where_boots_are_counted_the_preferred_entry_is_the_one_that_boots() -> None:
    menu = "preferred nixos-generation-41.conf\ndefault nixos-*\n"

    files = LOADER | {"/boot/loader/loader.conf": menu}
    has = on_a_bad_day(boot_loader=made.texts(files)).generation

    assert (has.boot_default, has.boot_override) == (OLD, False)


def test_of_many_entries_the_newest_by_number_boots() -> None:
    files = {
        "/boot/loader/loader.conf": "default nixos-*\n",
        "/boot/loader/entries/nixos-generation-9.conf": f"title 9\noptions init={OLD}/init\n",
        "/boot/loader/entries/nixos-generation-10.conf": f"title 10\noptions init={NEW}/init\n",
    }

    has = on_a_bad_day(boot_loader=made.texts(files)).generation

    assert has.boot_default == NEW


def test_a_mountpoint_may_hold_what_unicode_calls_a_line_break() -> None:
    listed = str(SECTIONS["pool.1.datasets"])

    (pool,) = on_a_bad_day(pool__1__datasets=listed.replace("legacy", "/ho\x85me")).pools

    assert pool.datasets[1].values["mountpoint"] == "/ho\x85me"


def test_a_pool_with_its_tree_sizes_and_datasets() -> None:
    (pool,) = GOOD.pools

    assert (pool.name, pool.guid, pool.health, pool.told) == ("tank", "5501", "ONLINE", True)
    assert pool.features == {"block_cloning": "active"}
    assert pool.properties["ashift"] == Property("12", "local")
    mirror = pool.vdevs[0]
    assert (mirror.guid, mirror.size, mirror.allocated) == ("101", 3985729650688, 1594291860275)
    assert [leaf.guid for leaf in pool.leaves] == ["102", "103"]
    assert pool.committed_age == 5.994
    home = pool.datasets[1]
    assert home.newest_snapshot == 1_795_259_300
    assert home.values["recordsize"] == "131072"
    assert home.properties == {
        "mountpoint": Property("legacy", "local"), "recordsize": Property("131072", "local"),
    }  # fmt: skip


def test_the_sizes_of_2_4_are_those_of_its_vdevs() -> None:
    tree, guids, sizes = (
        (TEXTS / f"spared-2.4{name}.txt").read_text() for name in ("", "-guids", "-sizes")
    )

    seen_there = on_a_bad_day(pool_status=tree, pool_guids=guids, pool_sizes=sizes)

    pool = seen_there.pool("ember")
    assert pool
    found = {vdev.name: (vdev.role, vdev.size, vdev.allocated) for vdev in pool.vdevs}
    assert found["raidz2-0"] == ("data", 20937965568, 813957120)
    assert found["mirror-1"] == ("special", 2013265920, 3354624)


def test_the_worst_word_on_a_pools_health_counts() -> None:
    told = KSTAT | {"/proc/spl/kstat/zfs/tank/state": "SUSPENDED"}

    (pool,) = on_a_bad_day(kernel_on_pools=made.texts(told)).pools

    assert pool.health == "SUSPENDED"


def test_a_property_with_line_breaks_cannot_pretend_to_be_another() -> None:
    forged = "tank/home\torg:note\tlocal\thi\ntank/home\tmountpoint\tlocal\t/evil\n"

    told = str(SECTIONS["pool.1.datasets"]) + forged

    (pool,) = on_a_bad_day(pool__1__datasets=told).pools

    assert pool.datasets[1].properties["mountpoint"].value == "legacy"


def test_disks_with_their_names_and_parts() -> None:
    first = GOOD.disks[0]

    assert (first.name, first.ids, first.size) == ("sda", ("ata-WDC_WD40EFRX_1",), 4000787030016)
    assert [(part.name, part.content.filesystem) for part in first.parts] == [
        ("sda1", "zfs_member")
    ]


def test_an_examined_disk_tells_what_it_carries() -> None:
    signatures = {
        "signatures": [{"device": "sdc", "offset": "0x438", "type": "ext4", "label": "x"}]
    }
    label = "    version: 5000\n    name: 'old'\n    state: 2\n    pool_guid: 9\n    guid: 8\n"
    told = made.rows(
        ("exit /dev/sdc", "0"),
        ("wipefs /dev/sdc", json.dumps(signatures)),
        ("label /dev/sdc", label),
        ("bytes /dev/sdc", "9"),
    )

    (disk,) = on_a_bad_day(disk__1__name="ata-NEW\n", disk__1__signatures=told).examined

    assert (disk.id, disk.complete, disk.labels_read) == ("ata-NEW", True, True)
    assert disk.devices == disk.written == ("/dev/sdc",)
    assert [(s.kind, s.offset) for s in disk.signatures] == [("ext4", 0x438)]
    assert [(z.pool, z.state, z.pool_guid) for z in disk.labels] == [("old", "destroyed", "9")]


def test_a_disk_that_could_not_be_read_is_not_known_to_be_blank() -> None:
    (disk,) = on_a_bad_day(disk__1__name="ata-NEW\n", disk__1__signatures="").examined

    assert not disk.complete


def test_the_way_in_knows_its_interface() -> None:
    way = GOOD.network.ssh_connection

    assert way
    assert (way.server, way.interface) == ("192.168.1.10", "lan")


def test_overrides_leave_out_what_packages_and_nix_made() -> None:
    laid = made.links(
        ("/etc/systemd/system/dbus-org.bluez.service", "/lib/systemd/system/b.service"),
        ("/etc/systemd/system/sshd.service", "/nix/store/x/sshd.service"),
        ("/run/systemd/system/cron.service", "/dev/null"),
        ("/run/systemd/system/sshd.service.d/a.conf", ""),
    )

    units = on_a_bad_day(links=laid).units

    assert [(each.unit, each.masks) for each in units.overrides] == [
        ("cron.service", True), ("sshd.service", False),
    ]  # fmt: skip


def test_a_deploy_with_its_verdict_and_its_time() -> None:
    last = GOOD.deploys.last

    assert last
    assert (last.id, last.who, last.verdict, last.seconds) == (DEPLOY, "colter", "committed", 44)
    assert last.started == 1_795_248_000
    assert not GOOD.deploys.interrupted(last)


def test_a_record_that_a_power_cut_has_torn_is_read_as_far_as_it_goes() -> None:
    files = record()
    events = files[f"{RECORD}/events"]
    files[f"{RECORD}/events"] = events[: events.rindex("committed") + 3]
    files[f"{RECORD}/settings"] = "ID='x'\nWHO='col"

    last = on_a_bad_day(state=made.texts(files)).deploys.last

    assert last
    assert (last.verdict, [event.word for event in last.events]) == ("", ["leased", "activated"])
    assert last.who == "col"


def test_who_is_at_work_is_known_by_the_deploy_that_its_unit_runs() -> None:
    unit = f"[Service]\nExecStart=/bin/sh {RECORD}/host.sh"
    at_work = json.dumps([{"unit": "emily-deploy.service", "active": "active"}])

    lock = on_a_bad_day(basics=basics(emily_deploy_service=unit), units=at_work).deploys.lock

    assert lock
    assert (lock.deploy, lock.who, lock.since) == (DEPLOY, "colter", 1_795_248_000)


@pytest.mark.parametrize("guard", ["emily-boot-guard.service", "emily-dead-man.service"])
def test_a_deploy_that_the_host_settles_by_itself_is_at_work(guard: str) -> None:
    pending = made.links(*LINKS, ("/var/lib/emily/deploys/pending", RECORD))
    at_work = json.dumps([{"unit": guard, "active": "activating"}])
    over = json.dumps([{"unit": guard, "active": "inactive"}])

    lock = on_a_bad_day(links=pending, units=at_work).deploys.lock

    assert lock
    assert (lock.deploy, lock.who) == (DEPLOY, "colter")
    assert not on_a_bad_day(links=pending, units=over).deploys.lock


def test_a_switch_that_is_not_ours_is_seen_by_its_lock() -> None:
    locks = "1: FLOCK  ADVISORY  WRITE 4 00:19:77 0 EOF"

    assert on_a_bad_day(basics=basics(locks=locks)).deploys.switching
    assert not GOOD.deploys.switching


def test_times_of_other_zones_are_the_same_moment() -> None:
    files = record()
    files[f"{RECORD}/events"] = '{"at": "2026-11-21T17:00:00+09:00", "event": "leased"}\n'

    last = on_a_bad_day(state=made.texts(files)).deploys.last

    assert last
    assert last.events[0].at == 1_795_248_000
