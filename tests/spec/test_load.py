"""From a file to a host, or to everything that is wrong with it, at once and at its place."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from emily_infra.findings import Finding
from emily_infra.spec.load import MAX_FINDINGS, NoSuchHost, find_root, load, load_host, parse
from emily_infra.spec.source import MAX_BYTES
from tests.hosts import ROOT, shipped

PEBBLE = (ROOT / "hosts" / "pebble" / "host.yaml").read_text()
ADMIN = "colter: { password: secret:smb-colter }"
VDEV = "- mirror: [ata-WDC_WD40EFRX_1, ata-WDC_WD40EFRX_2]"


def faults(*changes: tuple[str, str]) -> list[Finding]:
    """What is wrong with pebble after these replacements of its text."""
    text = PEBBLE
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    host, findings = parse("pebble", "hosts/pebble/host.yaml", text.encode())
    assert (host is None) == bool(findings)
    return findings


def fault(old: str, new: str) -> Finding:
    [finding] = faults((old, new))
    return finding


def marked(finding: Finding) -> str:
    place = finding.location
    return place.text[place.column - 1 :][: place.width]


def everything(findings: list[Finding]) -> str:
    """All that a person or a program could see of findings."""
    return json.dumps([repr(finding) for finding in findings], ensure_ascii=False)


def test_the_shipped_hosts_are_well_formed() -> None:
    loaded = load(ROOT, [])

    assert loaded.findings == []
    assert {"ember", "pebble"} <= loaded.fleet.keys()


@pytest.mark.parametrize(
    ("old", "new", "code", "message", "hint"),
    [
        ("snapshots: daily }", "snapshot: daily }", "SPC001", "snapshot is not a key of home",
         "did you mean snapshots?"),
        ("snapshots: daily }", "snapshots: daily, encryption: true }", "SPC001",
         "encryption is not a key of home", "ZFS encrypts a dataset only when it makes it"),
        ("snapshots: daily }", "Snapshots: daily }", "SPC001", "Snapshots is not a key of home",
         "did you mean snapshots?"),
        ("emily: 1", "emily: 1\nzzz: 5", "SPC001", "zzz is not a key of the file",
         "known here: emily, system, "),
        (VDEV, "- mirror: [a-a-a, b-b-b]\n          raidz: x", "SPC001",
        "raidz is not a key of data[0]",
         "did you mean raidz"),
        ("  host_id: 5eb1e000\n", "", "SPC002", "system lacks host_id", "add host_id: ... (Unique"),
        ("memory: { total: 16GiB, arc: 6GiB }", "memory: { total: 16GiB }", "SPC002",
        "memory lacks arc",
         "add arc: ... (Ceiling"),
        ("emily: 1\n", "", "SPC002", "the file lacks emily", "add emily: 1 ("),
        ("size: 4TB, bay: 1", "size:4TB, bay: 1", "SPC001", "size:4TB is not a key of",
         "write a space behind the colon of size:"),
        ("size: 4TB", "size: 4T", "SPC004", "'4T' is not a size", "did you mean 4TB or 4TiB?"),
        ("operators: [192.168.1.0/24]", "operators: []", "SPC004",
         "operators has 0 of at least 1 entries", "add one to operators: Where people"),
        ("dataset: tank/home", "read_only: yes, dataset: tank/home", "SPC003",
         "read_only wants true or false, not 'yes'", "write true"),
        ("bay: 1", "bay: '1'", "SPC003", "bay wants a whole number, not '1'",
         "write 1 without quotes"),
        ("dns: [192.168.1.1]", "dns: 192.168.1.1", "SPC003", "dns wants a list, not '192.168.1.1'",
         "write dns: [192.168.1.1]"),
        (VDEV, "mirror: [a-a-a, b-b-b]", "SPC003", "data wants a list, not a mapping",
        "begin each entry below data: with a dash"),
        ("      data:\n        " + VDEV, "      data: 7", "SPC003", "data wants a list, not 7",
        "write data: [7]"),
        ("restic: {}", "restic: {}\n  - a: 1", "YML003", "did not find expected key", "look at"),
        ("{ size: 4TB, bay: 1 }", "[4TB]", "SPC003",
         "ata-WDC_WD40EFRX_1 wants a mapping, not a list", ""),
        ("bay: 1", "bay: one", "SPC003", "bay wants a whole number, not 'one'",
        "write digits only, such as 7"),
        ("bay: 1", "bay: 1.0", "SPC003", "bay wants a whole number, not 1.0", ""),
        ("bay: 1", "bay: yes", "SPC003", "bay wants a whole number, not 'yes'", ""),
        ("bay: 1", "bay: -1", "SPC004", "bay is -1; it must be at least 0", "Where"),
        ("emily: 1", "emily: 2", "SPC003", "emily wants another word, not 2", "write 1"),
        ("drill: weekly", "drill:\n    - weekly", "SPC004", "a list is not a time of day or week",
        "write"),
        ("size: 4TB", "size: 4", "SPC004", "4 is not a size",
         "write a number with a unit, such as 12TB"),
        ("daily: 30", "daily: true", "SPC003", "daily wants a whole number, not true",
         "write digits only, such as 7"),
        ("daily: 30", "daily: null", "SPC003", "daily wants a whole number, not nothing",
         "fill it in; if there is nothing to say, delete daily"),
        ("daily: 30", "daily: 10001", "SPC004", "daily is 10001; it must be at most 10000",
        "Days."),
        ("snapshots: daily }", "snapshots: daily, small_blocks_on_special: 32MiB }", "SPC004",
         "small_blocks_on_special is '32MiB'; it must be at most 16MiB", "Blocks up to"),
        (VDEV, "- mirror: [ata-WDC_WD40EFRX_1]", "SPC004", "mirror has 1 of at least 2 entries",
        "Copies"),
        ("{ dataset: tank/home, users: [colter], zones: [home] }",
         "{ dataset: tank/home, users: [colter], zones: [] }", "SPC004",
         "zones has 0 of at least 1 entries", ""),
        ("from: home", "source: home", "SPC001", "source is not a key of allow[0]", ""),
        ("address: 192.168.1.10\n", "address: 192.168.1.10/24\n", "SPC004",
         "'192.168.1.10/24' is not an IP address", "such as"),
    ],
)  # fmt: skip
def test_a_fault_says_what_is_wrong_and_what_to_write(
    old: str, new: str, code: str, message: str, hint: str
) -> None:
    found = faults((old, new))

    [finding] = [each for each in found if each.code == code][:1]
    assert finding.message.startswith(message)
    assert hint in finding.hint
    assert finding.hint
    assert finding.blocks


@pytest.mark.parametrize(
    ("old", "new", "mark"),
    [
        ("bay: 1", "bay: one", "one"),
        ("snapshots: daily }", "snapshot: daily }", "snapshot"),
        ("ata-WDC_WD40EFRX_1: {", "sda: {", "sda"),
        ("dns: [192.168.1.1]", "dns: [1.1.1.1, 9.9.9]", "9.9.9"),
        ("  host_id: 5eb1e000\n", "", "system"),
        ("from: home", "from: Home", "Home"),
        ('mac: "52:54:00:00:00:10"', 'mac: "5254"', '"5254"'),
        ("    tank:\n", "    mirror:\n", "mirror"),
        ("home: { on: lan,", "home: { wireguard: wg0, on: lan,", "{ wireguard"),
    ],
)
def test_a_fault_points_at_what_is_wrong(old: str, new: str, mark: str) -> None:
    assert marked(faults((old, new))[0]).startswith(mark)


def test_faults_of_yaml_and_of_the_spec_are_reported_in_one_run_by_line() -> None:
    found = faults(
        ("emily: 1", "emily: 3"),
        ("  host_id: 5eb1e000", "  host_id: 5eb1e000\n  host_id: 5eb1e001"),
        ("size: 4TB", "size: 4"),
        ("drill: weekly", "drill: weekly\n  dril: daily"),
        ("  restic: {}", "  restic: {}\n  restic: {}"),
    )

    assert [(f.location.line, f.code) for f in found] == [
        (2, "SPC003"), (9, "YML010"), (15, "SPC004"), (45, "SPC001"), (48, "YML010"),
    ]  # fmt: skip


def test_wrong_items_do_not_make_a_list_too_short_as_well() -> None:
    found = faults((VDEV, "- mirror: [sda, sdb]"))

    assert [finding.message for finding in found] == [
        "'sda' is not a stable disk id", "'sdb' is not a stable disk id",
    ]  # fmt: skip


def test_more_than_any_host_has_is_refused_with_the_count() -> None:
    many = "".join(f"        d{number}: {{}}\n" for number in range(2_000))

    finding = fault("      datasets:\n", f"      datasets:\n{many}")

    assert finding.message == "datasets has 2001 of at most 2000 entries"
    assert finding.hint.startswith("describe less under datasets")


def test_a_union_is_no_reason_for_two_complaints() -> None:
    finding = fault("address: 192.168.1.10/24, gateway", "address: 192.168.1.10, gateway")

    assert finding.place == ("network", "zones", "home", "address")
    assert finding.message == "'192.168.1.10' is not an address with its prefix"


def test_a_place_is_what_an_acknowledgement_would_name() -> None:
    assert fault("bay: 1", "bay: one").place == ("storage", "disks", "ata-WDC_WD40EFRX_1", "bay")
    assert fault("from: home", "from: Home").place == ("network", "allow", 0, "from")


def test_a_thousand_faults_are_cut_to_what_a_person_reads() -> None:
    found = faults(("emily: 1", "emily: 1\n" + "".join(f"k{n}: 1\n" for n in range(1_000))))

    assert len(found) == MAX_FINDINGS + 1
    assert found[-1].message == "there are more faults than the 100 above"


LEAKS = (
    (ADMIN, "colter: { password: hunter2 }"),
    (ADMIN, "colter: { password: 'hunter2 # x' }"),
    (ADMIN, "colter: hunter2"),
    (ADMIN, "colter: { pass: hunter2 }"),
    (ADMIN, "colter: { value: hunter2 }"),
    (ADMIN, "colter: { password: hunter2, bogus: 1 }"),
    (ADMIN, "colter: { bogus: 1, password: hunter2 }"),
    (ADMIN, "colter: { password: [hunter2] }"),
    (ADMIN, "colter: { password: { a: hunter2 } }"),
    (ADMIN, "colter:\n      password: hunter2\n"),
    (ADMIN, 'colter:\n      password: "hunter2\n        more"'),
    (ADMIN, "colter:\n      password: |\n        hunter2\n"),
    (ADMIN, "colter: { password: hunter2, password: hunter2 }"),
    (ADMIN, "colter: { password: !x hunter2 }"),
    (ADMIN, "colter: { password: *hunter2 }"),
    (ADMIN, "colter: { password: @hunter2 }"),
    (ADMIN, "colter:\n      password: hunter2: x"),
    (ADMIN, "colter: { password: 'hunter2 }"),
    ("  restic: {}", "  restic: hunter2"),
    ("  restic: {}", "  restic: [hunter2]"),
    ("  restic: {}", "  restic: { value: hunter2 }"),
    ("  restic: {}", "  restic: { password: hunter2, file: 5 }"),
    ("  restic: {}", "  restic:\n    value: hunter2"),
    ("password: secret:restic", "password: Secret:hunter2"),
    ("secrets:", "runtime: { token: hunter2 }\nsecrets:"),
    ("secrets:", "runtime: { token: secret:restic, providers: hunter2 }\nsecrets:"),
    ("secrets:", "runtime: { token: secret:restic, providers: { openai: hunter2 } }\nsecrets:"),
    ("secrets:", "monitoring: { zone: home, grafana: hunter2 }\nsecrets:"),
    ("secrets:", "monitoring: { zone: home, grafana: { admin_password: hunter2 } }\nsecrets:"),
    ("rest:https://backup.example.org/pebble/", "rest:https://colter:hunter2@backup.example.org/"),
)


@pytest.mark.parametrize("change", LEAKS, ids=lambda change: change[1][:40])
def test_a_secret_in_the_wrong_place_is_never_printed(change: tuple[str, str]) -> None:
    found = faults(change)

    assert found
    assert "hunter2" not in everything(found)


def test_the_column_of_a_fault_behind_a_secret_stays_right() -> None:
    found = faults((ADMIN, "colter: { password: hunter2, bogus: 1 }"))

    [unknown] = [finding for finding in found if finding.code == "SPC001"]
    assert marked(unknown) == "bogus"
    assert "*******" in unknown.location.text


@pytest.mark.parametrize("text", ["", "# nothing\n", "~", "---\n"])
def test_an_empty_file_says_how_to_begin(text: str) -> None:
    _, [finding] = parse("a", "hosts/a/host.yaml", text.encode())

    assert finding.message == "the file is empty"
    assert str(finding.location) == "hosts/a/host.yaml:1:1"
    assert "emily-infra init" in finding.hint


@pytest.mark.parametrize("text", ["5", "- a", "text", "true"])
def test_a_file_that_is_no_mapping_says_so(text: str) -> None:
    _, [finding] = parse("a", "hosts/a/host.yaml", text.encode())

    assert finding.message == "the file is not a mapping"


@pytest.mark.parametrize("name", ["Ember", "a_b", "a b", "-a", "x" * 64, "ember\n", "한국", "a.b"])
def test_a_folder_whose_name_no_host_can_have_is_refused(name: str) -> None:
    host, findings = parse(name, "hosts/x/host.yaml", PEBBLE.encode())

    assert host is None
    assert [f.hint[:17] for f in findings] == ["rename the folder"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "hosts" / "odd").mkdir(parents=True)
    return tmp_path / "hosts" / "odd" / "host.yaml"


def unreadable(file: Path) -> str:
    host, [finding] = load_host(file, "hosts/odd/host.yaml")
    assert host is None
    assert (finding.code, str(finding.location)) == ("YML001", "hosts/odd/host.yaml:1:1")
    assert finding.hint
    return finding.message


def test_a_folder_in_place_of_the_file_is_refused(file: Path) -> None:
    file.mkdir()

    assert unreadable(file) == "the file cannot be read: it is not a plain file"


def test_a_pipe_in_place_of_the_file_does_not_hang(file: Path) -> None:
    os.mkfifo(file)

    assert unreadable(file) == "the file cannot be read: it is not a plain file"


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/tty"])
def test_a_link_to_a_device_is_refused(file: Path, device: str) -> None:
    file.symlink_to(device)

    assert unreadable(file) == "the file cannot be read: it is not a plain file"


def test_a_link_to_nothing_and_a_link_to_itself_are_refused(file: Path) -> None:
    file.symlink_to("nowhere")
    assert unreadable(file) == "the file cannot be read: No such file or directory"

    file.unlink()
    file.symlink_to(file)
    assert unreadable(file) == "the file cannot be read: Too many levels of symbolic links"


def test_a_file_that_vanished_is_a_finding(file: Path) -> None:
    assert unreadable(file) == "the file cannot be read: No such file or directory"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_file_that_we_may_not_read_is_a_finding(file: Path) -> None:
    file.write_text(PEBBLE)
    file.chmod(0)
    child = os.fork()
    if child == 0:
        os.seteuid(65534)
        try:
            refused = unreadable(file) == "the file cannot be read: Permission denied"
            os._exit(0 if refused else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0


def test_a_link_to_a_plain_file_is_followed(file: Path) -> None:
    file.symlink_to(ROOT / "hosts" / "pebble" / "host.yaml")

    host, findings = load_host(file, "hosts/odd/host.yaml")

    assert host is not None
    assert (host.name, findings) == ("odd", [])


def test_a_file_just_under_the_limit_is_read_and_a_byte_more_is_not(file: Path) -> None:
    text = PEBBLE.encode()
    file.write_bytes(text + b"#" * (MAX_BYTES - len(text)))
    assert load_host(file, "hosts/odd/host.yaml")[1] == []

    file.write_bytes(text + b"#" * (MAX_BYTES - len(text) + 1))
    assert "larger than 1048576 bytes" in unreadable(file)


def test_a_sparse_terabyte_is_refused_at_once(file: Path) -> None:
    with file.open("wb") as stream:
        stream.truncate(1 << 40)

    assert "larger than 1048576 bytes" in unreadable(file)


def test_a_broken_host_does_not_hide_the_others(tmp_path: Path) -> None:
    for name, text in {"good": PEBBLE, "bad": "emily: [", "worse": ""}.items():
        (tmp_path / "hosts" / name).mkdir(parents=True)
        (tmp_path / "hosts" / name / "host.yaml").write_text(text)
    (tmp_path / "hosts" / "empty").mkdir()

    loaded = load(tmp_path, [])

    assert list(loaded.fleet) == ["good"]
    assert [(f.host, f.code) for f in loaded.findings] == [("bad", "YML003"), ("worse", "SPC003")]


def test_a_host_named_twice_is_loaded_once(tmp_path: Path) -> None:
    (tmp_path / "hosts" / "bad").mkdir(parents=True)
    (tmp_path / "hosts" / "bad" / "host.yaml").write_text("")

    assert len(load(tmp_path, ["bad", "bad"]).findings) == 1


@pytest.mark.parametrize("name", ["embr", "../ember", "ember/", "", "/etc", ".", "ember\0"])
def test_a_host_that_does_not_exist_is_an_error_with_the_way_out(name: str) -> None:
    with pytest.raises(NoSuchHost) as refused:
        load(ROOT, [name])

    assert refused.value.hint in ("did you mean ember?", "hosts here: ember, pebble")


def test_the_root_is_found_from_below_and_missed_with_a_hint(tmp_path: Path) -> None:
    assert find_root(ROOT / "hosts" / "ember") == ROOT

    with pytest.raises(NoSuchHost, match="no folder hosts/"):
        find_root(tmp_path)


def test_a_host_is_the_same_whoever_loads_it() -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: load(ROOT, ["ember"]).fleet["ember"], range(8)))

    assert all(host.spec == shipped("ember").spec for host in found)
