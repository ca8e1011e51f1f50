"""Pebble as it runs against pebble as it is written."""

import ast
from pathlib import Path

import pytest

import emily_infra
from emily_infra.cli.drift import files
from emily_infra.observe import Observation
from emily_infra.observe.drift import drift
from emily_infra.observe.question import Question, script
from tests.hosts import ROOT, pebble, shipped
from tests.observe import made
from tests.observe.made import seen
from tests.observe.pebble import (
    BY_ID,
    DEPLOY,
    LINKS,
    OLD,
    SECTIONS,
    TEXTS,
    basics,
    interfaces,
    on_a_bad_day,
    source,
    systems,
)  # fmt: skip

PEBBLE = shipped("pebble")
FILES = files(ROOT, PEBBLE)


def told(found: Observation) -> list[tuple[str, str, str]]:
    return [(each.where, each.expected, each.found) for each in drift(PEBBLE, FILES, found)]


def commands(found: Observation) -> list[str]:
    return [" ".join(each.command) for each in drift(PEBBLE, FILES, found)]


def test_a_good_day_has_no_drift() -> None:
    assert told(seen(SECTIONS)) == []


def test_what_runs_is_held_against_the_profile() -> None:
    found = on_a_bad_day(systems=systems(current=OLD))

    assert told(found) == [("running", "generation 42, the profile's", "generation 41")]
    assert commands(found) == ["emily-infra apply pebble"]


def test_a_text_that_was_edited_since_the_deploy_is_told() -> None:
    files_ = source()
    text = files_["host.yaml"]
    assert isinstance(text, bytes)
    files_["host.yaml"] = text.replace(b"4TB", b"6TB")

    found = on_a_bad_day(source=made.archive(files_))

    assert told(found) == [
        ("hosts/pebble/host.yaml", "as it stands here", "made from an earlier text, 4 lines apart")
    ]


def test_a_generation_that_no_deploy_made_is_told() -> None:
    stranger = ("/nix/var/nix/profiles/system-43-link", "/nix/store/9-stranger")

    found = on_a_bad_day(links=made.links(*LINKS, *BY_ID, stranger))

    assert told(found) == [("generation 43", "made by apply", "made by somebody else")]


def test_what_people_laid_over_units_is_told_with_the_way_back() -> None:
    laid = (
        ("/etc/systemd/system.control/smbd.service.d/50-Memory.conf", ""),
        ("/run/systemd/system/sshd.service", "/dev/null"),
    )

    assert commands(on_a_bad_day(links=made.links(*LINKS, *BY_ID, *laid))) == [
        "systemctl revert smbd.service",
        "systemctl unmask --runtime sshd.service",
    ]


def test_a_property_set_by_hand_is_told_in_units_of_people() -> None:
    rows = SECTIONS["pool.1.datasets"]
    assert isinstance(rows, str)
    found = on_a_bad_day(
        pool__1__datasets=rows.replace("local\t131072", "local\t16384").replace("zstd", "lz4")
    )

    assert told(found) == [
        ("compression of tank/home", "zstd", "lz4"),
        ("recordsize of tank/home", "128KiB", "16KiB"),
    ]
    assert commands(found)[1] == "zfs set recordsize=131072 tank/home"


def test_a_quota_that_nobody_wrote_down_is_told() -> None:
    rows = SECTIONS["pool.1.datasets"]
    assert isinstance(rows, str)
    found = on_a_bad_day(pool__1__datasets=f"tank/home\tquota\tlocal\t1073741824\n{rows}")

    assert told(found) == [("quota of tank/home", "none", "1GiB")]


def test_a_pool_that_is_not_imported_is_told() -> None:
    of_zfs = ("pool", "kernel_on_pools")
    sections = {name: body for name, body in SECTIONS.items() if not name.startswith(of_zfs)}

    (found,) = drift(PEBBLE, FILES, seen(sections))

    assert (found.where, found.found) == ("pool tank", "not imported")
    assert found.command == ("zpool", "import", "-d", "/dev/disk/by-id", "tank")


def test_a_pool_that_did_not_answer_is_not_called_missing() -> None:
    sections = {name: body for name, body in SECTIONS.items() if not name.startswith("pool.")}

    found = drift(PEBBLE, FILES, seen(sections, pools="hung", pool_status="hung"))

    assert list(found) == []


@pytest.mark.parametrize("section", ["basics", "host_id", "links", "state", "block_devices"])
def test_what_did_not_answer_is_not_held_against_the_host(section: str) -> None:
    sections = {name: "" if name == section else body for name, body in SECTIONS.items()}

    found = drift(PEBBLE, FILES, seen(sections, **{section: "hung"}))

    assert list(found) == []


def test_every_section_that_is_asked_after_is_one_of_the_probe() -> None:
    probe = script(Question())
    package = Path(emily_infra.__file__).parent
    asked = {
        word.value
        for file in package.rglob("*.py")
        for call in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "knows"
        for word in call.args
        if isinstance(word, ast.Constant) and isinstance(word.value, str)
    }

    assert "links" in asked
    assert {name for name in asked if f"job {name}" not in probe} == set()


def test_a_disk_that_is_not_there_and_one_of_another_size() -> None:
    sizes = SECTIONS["block_devices"]
    assert isinstance(sizes, str)
    found = on_a_bad_day(
        links=made.links(*LINKS, BY_ID[0]),
        block_devices=sizes.replace("4000787030016", "6001175126016"),
    )

    assert told(found) == [
        ("disk ata-WDC_WD40EFRX_1 in bay 1", "4.0 TB", "6.0 TB"),
        ("disk ata-WDC_WD40EFRX_2 in bay 2", "4.0 TB", "no such disk"),
    ]


def test_a_member_that_host_yaml_does_not_name_is_told() -> None:
    tree = SECTIONS["pool_status"]
    assert isinstance(tree, str)
    extra = "\tspares\n\t  /dev/disk/by-id/ata-NEW-part1   AVAIL\n\nerrors"
    found = on_a_bad_day(pool_status=tree.replace("\nerrors", extra, 1))

    assert told(found) == [("pool tank, ata-NEW-part1", "no member", "a member of spare")]


def test_kernel_names_are_traced_to_stable_ones() -> None:
    tree = SECTIONS["pool_status"]
    assert isinstance(tree, str)
    found = on_a_bad_day(
        pool_status=tree.replace("/dev/disk/by-id/ata-WDC_WD40EFRX_1-part1", "/dev/sda1")
    )

    assert told(found) == []


def test_addresses_that_are_missing_or_too_many() -> None:
    found = on_a_bad_day(interfaces=interfaces("192.168.1.11/24"))

    assert told(found) == [
        ("lan", "192.168.1.10/24", "no such address"),
        ("lan", "no such address", "192.168.1.11/24"),
    ]


def test_a_rule_added_by_hand_is_told_with_the_rule() -> None:
    table = SECTIONS["table"]
    assert isinstance(table, str)
    found = on_a_bad_day(table=table.replace("dport 22", "dport { 22, 8080 }"))

    assert told(found) == [("firewall", "tcp dport 22 accept", "tcp dport { 22, 8080 } accept")]
    assert told(on_a_bad_day(table="")) == [("firewall", "table inet emily", "it is not loaded")]


def test_a_share_that_is_open_to_guests_and_one_of_nobodys() -> None:
    text = TEXTS["/etc/samba/smb.conf"]
    more = f"{text}\nguest ok = yes\n[Scratch]\npath = /tmp"

    found = on_a_bad_day(basics=basics(smb_conf=more))

    assert told(found) == [
        ("home, guest ok", "not set", "yes"), ("scratch", "not shared", "shares /tmp"),
    ]  # fmt: skip


def test_an_account_that_host_yaml_does_not_know() -> None:
    passwd = "colter:x:1000:1::/:/bin/sh\nmallory:x:1001:1::/:/bin/sh"

    found = on_a_bad_day(basics=basics(passwd=passwd))

    assert told(found) == [("mallory", "no account", "uid 1001, /bin/sh")]


def test_another_machine_at_this_address_is_told_first() -> None:
    found = on_a_bad_day(basics=basics(hostname="ember"))

    assert told(found)[0] == ("hostname", "pebble", "ember")


def test_vlans_tunnels_and_special_vdevs_of_a_large_host_raise_nothing() -> None:
    ember = shipped("ember")

    found = drift(ember, files(ROOT, ember), seen(SECTIONS, "ember"))

    areas = {each.area for each in found}
    assert {"system", "storage", "network"} <= areas
    assert ("vlan10", "zone management") in {(each.where, each.expected) for each in found}


def test_a_host_without_pools_or_shares_has_none_to_miss() -> None:
    bare = pebble("storage: null\nsamba: null\nbackup: null\nsecrets: null")

    found = drift(bare, {}, seen({**SECTIONS, "source": made.archive({"host.yaml": ""})}))

    assert [each.where for each in found] == ["hosts/pebble/host.yaml"]


def test_deploy_ids_sort_by_time() -> None:
    assert DEPLOY < "20261122T000000Z-000000"
