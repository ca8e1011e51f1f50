"""host.yaml with another disk in it: what is meant changes, and not a byte more."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emily_infra.disks.edit import Edited, Renaming, edited
from emily_infra.disks.faults import NotEdited
from emily_infra.spec.load import parse
from emily_infra.spec.source import read
from tests.hosts import ROOT

FILE = "hosts/ember/host.yaml"
EMBER = (ROOT / FILE).read_bytes()
PEBBLE = (ROOT / "hosts/pebble/host.yaml").read_bytes()


def rename(raw: bytes, old: str, new: str, size: str | None = None) -> Edited:
    return edited(FILE, raw, Renaming(old, new, size))


def changed_lines(raw: bytes, after: bytes) -> list[tuple[str, str]]:
    pairs = zip(raw.decode().split("\n"), after.decode().split("\n"), strict=True)
    return [(one, other) for one, other in pairs if one != other]


def test_a_disk_is_renamed_where_it_is_described_and_where_it_is_used() -> None:
    done = rename(EMBER, "ata-HDD_3", "ata-HDD_99")

    assert changed_lines(EMBER, done.text) == [
        ("    ata-HDD_3: { size: 12TB, bay: 3 }", "    ata-HDD_99: { size: 12TB, bay: 3 }"),
        (
            "        - raidz2: [ata-HDD_1, ata-HDD_2, ata-HDD_3, ata-HDD_4, ata-HDD_5, ata-HDD_6, "
            "ata-HDD_7]",
            "        - raidz2: [ata-HDD_1, ata-HDD_2, ata-HDD_99, ata-HDD_4, ata-HDD_5, ata-HDD_6, "
            "ata-HDD_7]",
        ),
    ]
    assert done.places == ("storage.disks.ata-HDD_3", "storage.pools.ember.data[0].raidz2[2]")


def test_partitions_follow_their_disk() -> None:
    done = rename(EMBER, "nvme-A", "nvme-C")

    assert len(changed_lines(EMBER, done.text)) == 3
    assert b"nvme-C: &nvme\n" in done.text
    assert b"mirror: [nvme-C-part5, nvme-B-part5]" in done.text


def test_a_name_that_only_begins_alike_stays() -> None:
    done = rename(EMBER, "ata-HDD_1", "ata-HDD_77")

    assert b"ata-HDD_14" in done.text
    assert b"ata-HDD_774" not in done.text


def test_a_comment_stays_and_is_told_of() -> None:
    raw = EMBER.replace(b"  disks:\n", b"  disks:   # ata-HDD_2 is loud\n", 1)

    done = rename(raw, "ata-HDD_2", "ata-HDD_99")

    (line,) = done.mentions
    assert raw.decode().split("\n")[line - 1].endswith("# ata-HDD_2 is loud")


@pytest.mark.parametrize("quote", ["'", '"'])
def test_quotes_stay(quote: str) -> None:
    raw = EMBER.replace(b"ata-HDD_3", f"{quote}ata-HDD_3{quote}".encode())

    done = rename(raw, "ata-HDD_3", "ata-HDD_99")

    assert done.text == raw.replace(b"ata-HDD_3", b"ata-HDD_99")


def test_a_name_that_would_be_a_number_gets_quotes() -> None:
    done = rename(EMBER, "ata-HDD_3", "35000")

    assert b'ata-HDD_2, "35000", ata-HDD_4' in done.text
    host, _ = parse("ember", FILE, done.text)
    assert host
    assert "35000" in host.spec.storage.disks


def test_an_anchor_and_its_aliases_stay() -> None:
    raw = EMBER.replace(b"[nvme-A-part3, nvme-B-part3]", b"[&first nvme-A-part3, nvme-B-part3]")

    done = rename(raw, "nvme-A", "nvme-C")

    assert b"[&first nvme-C-part3, nvme-B-part3]" in done.text


def test_line_ends_of_another_system_and_a_byte_order_mark_stay() -> None:
    raw = b"\xef\xbb\xbf" + EMBER.replace(b"\n", b"\r\n")

    done = rename(raw, "ata-HDD_3", "ata-HDD_99")

    assert done.text == raw.replace(b"ata-HDD_3", b"ata-HDD_99")


def test_an_acknowledgement_about_the_disk_follows() -> None:
    note = b"  - code: STO099\n    at: storage.disks.ata-HDD_3.size\n    reason: measured twice\n"

    done = rename(EMBER + note, "ata-HDD_3", "ata-HDD_99")

    assert b"at: storage.disks.ata-HDD_99.size\n" in done.text


def test_another_size_is_written_where_no_other_disk_shares_it() -> None:
    done = rename(EMBER, "ata-HDD_3", "ata-HDD_99", "14TB")

    assert b"ata-HDD_99: { size: 14TB, bay: 3 }" in done.text


def test_a_size_that_is_shared_by_an_alias_is_left_to_a_person() -> None:
    with pytest.raises(NotEdited, match="alias"):
        rename(EMBER, "nvme-A", "nvme-C", "1920GB")


@pytest.mark.parametrize(
    ("raw", "old", "new"),
    [(EMBER, "ata-HDD_3", "ata-HDD_4"), (EMBER, "ata-none", "ata-HDD_99"),
     (EMBER, "ata-HDD_3", "sda"), (b"a: [", "a", "b"),
     (EMBER.replace(b"ata-HDD_3", b'"ata-HDD\\x5f3"'), "ata-HDD_3", "ata-HDD_99")],
    ids=["name-is-taken", "no-such-disk", "kernel-name", "no-yaml", "escapes"],
)  # fmt: skip
def test_what_cannot_be_done_safely_is_not_done(raw: bytes, old: str, new: str) -> None:
    with pytest.raises(NotEdited):
        rename(raw, old, new)


LETTERS = string.ascii_letters + string.digits + "_.:+-"
DISKS = st.builds(
    "{}{}".format, st.sampled_from(string.ascii_letters), st.text(LETTERS, min_size=3, max_size=60)
)
ALL = [f"ata-HDD_{number}" for number in range(1, 15)] + ["nvme-A", "nvme-B"]


@settings(max_examples=40, deadline=None)
@given(old=st.sampled_from(ALL), new=DISKS)
def test_whatever_the_name_only_the_meant_values_change(old: str, new: str) -> None:
    try:
        done = rename(EMBER, old, new)
    except NotEdited:
        host, _ = parse("ember", FILE, EMBER.replace(b"ata-HDD_3", new.encode()))
        assert host is None or new in ALL
        return

    back = rename(done.text, new, old)

    assert back.text.replace(b'"', b"") == EMBER.replace(b'"', b"")
    source, findings = read(FILE, done.text)
    assert not findings
    assert source.find(("storage", "disks", new)) is not None
    assert source.find(("storage", "disks", old)) is None


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_comments_and_blanks_anywhere_stay(data: st.DataObject) -> None:
    lines = EMBER.split(b"\n")
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines)))
        lines.insert(at, data.draw(st.sampled_from([b"", b"   ", "# 디스크 é 💾".encode()])))
    raw = b"\n".join(lines)

    done = rename(raw, "ata-HDD_5", "ata-HDD_99")

    assert done.text == raw.replace(b"ata-HDD_5", b"ata-HDD_99")
