"""Files that are made to hurt: each is tried once in every run."""

from collections.abc import Callable

from tests.hosts import ROOT

EMBER = (ROOT / "hosts" / "ember" / "host.yaml").read_bytes()
MIB = 1 << 20


def _laughs(levels: int, width: int, begin: str, end: str) -> bytes:
    """Aliases of aliases: width ** levels values from a few hundred bytes."""
    lines = [f"l0: &l0 {begin}x: x{end}" if begin == "{" else f"l0: &l0 {begin}x{end}"]
    for level in range(1, levels):
        items = (f"k{n}: *l{level - 1}" if begin == "{" else f"*l{level - 1}" for n in range(width))
        lines.append(f"l{level}: &l{level} {begin}{', '.join(items)}{end}")
    return "\n".join(lines).encode()


def _many(line: str, count: int) -> bytes:
    return "".join(line.replace("@", str(n)) + "\n" for n in range(count)).encode()


def _in_ember(old: str, new: str) -> bytes:
    assert old.encode() in EMBER, old
    return EMBER.replace(old.encode(), new.encode(), 1)


def _more(anchor: str, line: str, count: int, before: str = "") -> bytes:
    """ember with many lines more before a line that it has."""
    return _in_ember(anchor, before + _many(line, count).decode() + anchor)


_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIF2ARAOSrrf5NSIbTSM5/TfAy3hPkoEhjrT0w+Lbph1P"
_PEER = "iO+eTz3fOYI5oy3cRUX/iP5fIHvmuXv0YvIwz6amu+4="
_HUGE_TEXT = "x" * 900_000
_DIGITS = "1" + "0" * 5_000

BOMBS: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "only a comment": lambda: b"# nothing\n",
    "only a marker": lambda: b"---\n",
    "null": lambda: b"~",
    "a byte order mark alone": lambda: b"\xef\xbb\xbf",
    "one NUL": lambda: b"\0",
    "a mebibyte of NUL": lambda: bytes(MIB),
    "a mebibyte and a byte": lambda: b"a" * (MIB + 1),
    "a mebibyte of one word": lambda: b"a" * MIB,
    "a mebibyte of spaces": lambda: b" " * MIB,
    "a mebibyte of line ends": lambda: b"\n" * MIB,
    "a mebibyte of comments": lambda: b"#\n" * (MIB // 2),
    "a mebibyte of tabs": lambda: b"\t" * MIB,
    "a mebibyte of dashes": lambda: b"- " * (MIB // 2),
    "a mebibyte of questions": lambda: b"? " * (MIB // 2),
    "a mebibyte of colons": lambda: b": " * (MIB // 2),
    "a mebibyte of quotes": lambda: b"''" * (MIB // 2),
    "a mebibyte of open quotes": lambda: b'"' + b"a " * (MIB // 2 - 1),
    "a mebibyte of anchors": lambda: b"&a " * (MIB // 3),
    "a mebibyte of stars": lambda: b"*" * MIB,
    "a mebibyte of bangs": lambda: b"!" * MIB,
    "a mebibyte of percent signs": lambda: b"%" * MIB,
    "a mebibyte of items": lambda: b"- a\n" * (MIB // 4),
    "a mebibyte of small lists": lambda: b"[" + b"[]," * (MIB // 3 - 1) + b"]",
    "a mebibyte of empty items": lambda: b"[" + b"a," * (MIB // 2 - 1) + b"]",
    "a mebibyte of documents": lambda: b"---\n" * (MIB // 4),
    "a mebibyte of directives": lambda: b"%YAML 1.2\n" * (MIB // 10),
    "a block of text": lambda: b"a: |\n" + b" x\n" * (MIB // 3 - 3),
    "a folded text": lambda: b"a: >-\n" + b" x\n\n" * (MIB // 4 - 3),
    "100,000 brackets": lambda: b"[" * 100_000,
    "100,000 braces": lambda: b"{" * 100_000,
    "100,000 braces with keys": lambda: b"{a: " * 100_000,
    "100,000 closed brackets": lambda: b"[" * 100_000 + b"]" * 100_000,
    "100,000 dashes": lambda: b"- " * 100_000 + b"x",
    "indented ever deeper": lambda: b"".join(b" " * n + b"a:\n" for n in range(1_000)),
    "a bomb of lists": lambda: _laughs(30, 10, "[", "]"),
    "a bomb of mappings": lambda: _laughs(30, 10, "{", "}"),
    "a bomb under a known key": lambda: _laughs(20, 9, "[", "]").replace(b"l19:", b"storage:"),
    "a bomb of text": lambda: b"a: &a " + b"x" * 9_000 + b"\nstorage: [" + b"*a, " * 40_000 + b"]",
    "a list that holds itself": lambda: b"a: &a [*a, *a]",
    "a mapping that holds itself": lambda: b"storage: &a { pools: *a }",
    "an anchor that is its own key": lambda: b"&a a: *a\n*a : b",
    "an alias to nothing": lambda: b"system: *nothing",
    "a merge": lambda: _in_ember("nvme-B: *nvme", "nvme-B: { <<: *nvme, bay: 3 }"),
    "a merge with itself": lambda: b"a: &a { <<: *a }",
    "30,000 unknown keys": lambda: b"emily: 1\n" + _many("key@: 1", 30_000),
    "11,000 unknown keys": lambda: b"storage:\n disks:\n" + _many("  disk-@: { sice: 1 }", 11_000),
    "10,000 wrong vdevs": lambda: (
        b"storage:\n pools:\n  a:\n   data:\n" + _many("   - mirror: [x]", 10_000)
    ),
    "30,000 doubled keys": lambda: b"emily: 1\n" * 30_000,
    "30,000 doubled keys on one line": lambda: b"{" + b"a: 1, " * 30_000 + b"}",
    "30,000 tags": lambda: b"- !x 1\n" * 30_000,
    "30,000 undefined aliases": lambda: b"- *a\n" * 30_000,
    "30,000 keys that are lists": lambda: b"? [a]\n: 1\n" * 30_000,
    "a huge key": lambda: f"? {_HUGE_TEXT}\n: 1\n".encode(),
    "a huge value": lambda: f"emily: {_HUGE_TEXT}\n".encode(),
    "a huge quoted value": lambda: f'system: {{ host_id: "{_HUGE_TEXT}" }}\n'.encode(),
    "a huge word on one line with a fault": lambda: f"{{ a: 1, a: 2, b: {'x' * 9_000} }}".encode(),
    "an integer of 5,001 digits": lambda: _in_ember("bay: 1 }", f"bay: {_DIGITS} }}"),
    "an integer of 900,000 digits": lambda: _in_ember("bay: 1 }", f"bay: {'9' * 900_000} }}"),
    "a size of 5,001 digits": lambda: _in_ember("12TB", f"{_DIGITS}TB"),
    "the largest size": lambda: _in_ember("12TB", "9223372036854775807B"),
    "a size one too large": lambda: _in_ember("12TB", "9223372036854775808B"),
    "infinity": lambda: _in_ember("bay: 1 }", "bay: .inf }"),
    "no number": lambda: _in_ember("bay: 1 }", "bay: .nan }"),
    "1e999": lambda: _in_ember("bay: 1 }", "bay: 1e999 }"),
    "a fraction of nothing": lambda: _in_ember("12TB", "0.0000000000000000000001TB"),
    "a python object": lambda: b"emily: !!python/object/apply:os.system [id]",
    "a binary": lambda: b"emily: !!binary R0lGODlh",
    "a tag of a mebibyte": lambda: b"emily: !" + b"x" * (MIB - 100) + b" 1",
    "a secret on every line": lambda: b"password: hunter2 token: eyJ-" + b"eyJ-" * 200_000,
    "many URLs": lambda: b"a: ://a:" + b"://a:" * 150_000,
    "comments that look like secrets": lambda: _in_ember("colter@minnesota]", "x" + "".join(
        f", {_KEY} {piece * 3_000}" for piece in ("://", "sk-", "eyJ", "a:b") * 25
    ) + "]"),
    "many sk-": lambda: b"a: " + b"sk-" * 300_000,
    "UTF-16": lambda: EMBER.decode().encode("utf-16"),
    "UTF-16 without a mark": lambda: EMBER.decode().encode("utf-16-le"),
    "UTF-32": lambda: EMBER.decode().encode("utf-32"),
    "Latin-1": lambda: EMBER.replace(b"colter:", "j\xf6rg:".encode("latin-1")),
    "EUC-KR": lambda: EMBER.replace(b"colter:", "지현:".encode("euc-kr")),
    "overlong UTF-8": lambda: EMBER + b"\xc0\xaf",
    "a surrogate in UTF-8": lambda: EMBER + b"\xed\xa0\x80",
    "an escaped surrogate": lambda: _in_ember("America/Denver", '"\\ud800"'),
    "an escaped NUL in a key": lambda: _in_ember("colter@minnesota", "x").replace(
        b"[ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIF2ARAOSrrf5NSIbTSM5/TfAy3hPkoEhjrT0w+Lbph1P x]",
        b'["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIF2ARAOSrrf5NSIbTSM5/TfAy3hPkoEhjrT0w+Lbph1P \\0"]',
    ),
    "a terminal's escape": lambda: _in_ember("America/Denver", '"\\e]0;owned\\a"'),
    "text turned around": lambda: _in_ember("America/Denver", '"\\u202eytluaf"'),
    "with a byte order mark": lambda: b"\xef\xbb\xbf" + EMBER,
    "with two byte order marks": lambda: b"\xef\xbb\xbf" * 2 + EMBER,
    "with DOS line ends": lambda: EMBER.replace(b"\n", b"\r\n"),
    "with Mac line ends": lambda: EMBER.replace(b"\n", b"\r"),
    "with tabs": lambda: EMBER.replace(b"  ", b"\t"),
    "twice": lambda: EMBER + EMBER,
    "two documents": lambda: EMBER + b"---\n" + EMBER,
    "as JSON would have it": lambda: b'{"emily": 1, "system": {"host_id": null}}',
    "a number": lambda: b"1",
    "a list": lambda: b"[]",
    "an empty mapping": lambda: b"{}",
    "cut in the middle": lambda: EMBER[: len(EMBER) // 2],
    "an executable": lambda: b"\x7fELF\x02\x01\x01" + bytes(range(256)) * 64,
    "50,000 exclusions": lambda: _in_ember('"*.tmp"', ", ".join(['"*.tmp"'] * 50_000)),
    "40,000 exclusions": lambda: _in_ember('"*.tmp"', ", ".join(['"*.tmp"'] * 40_000)),
    "3,000 operators": lambda: _in_ember(
        "10.10.0.0/24,", ", ".join(f"10.{n >> 8}.{n & 255}.0/24" for n in range(3_000)) + ","
    ),
    "1,000 datasets": lambda: _in_ember(
        "        code:\n",
        _many("        d@: { mountpoint: /srv/d@ }", 1_000).decode() + "        code:\n",
    ),
    "256 zones": lambda: _in_ember("    minnesota: { wireguard: wg0 }", _many(
        "    z@: { on: lan, vlan: 1@, address: 10.1.@.2/24 }", 256
    ).decode() + "    minnesota: { wireguard: wg0 }"),
    "2,000 vdevs and 1,000 logs": lambda: _in_ember(
        "      special:\n        - mirror: [nvme-A-part5, nvme-B-part5]\n",
        _many("        - mirror: [a-@, b-@]", 2_000).decode()
        + "      special:\n" + _many("        - mirror: [nvme-A-part5, s-@]", 1_000).decode()
        + "      log:\n" + _many("        - mirror: [nvme-A-part5, l-@]", 1_000).decode(),
    ),
    "5,000 disks": lambda: _in_ember(
        "    ata-HDD_1:", _many("    x-@: { size: 1TB }", 5_000).decode() + "    ata-HDD_1:"
    ),
    "3,000 lines of policy": lambda: _in_ember(
        "  tuning:",
        _many("    - { from: ai, to: host, services: [ssh, x@] }", 3_000).decode() + "  tuning:",
    ),
    "1,000 services": lambda: _more(
        "  tuning:", "    s@: { tcp: [1, 2, 3], udp: [4] }", 1_000, before="  services:\n"
    ),
    "250 peers": lambda: _more(
        "      minnesota:\n",
        f"      p@: {{ public_key: {_PEER}, allowed_ips: [10.0.0.@/32] }}", 250
    ),
    "99 tunnels": lambda: _more(
        "  wg0:\n",
        "  w@: { address: 10.0.0.2/24, private_key: secret:wg0, peers: { p: { "
        f"public_key: {_PEER}, allowed_ips: [10.9.@.0/24, 10.9.@.0/25] }} }} }}", 99
    ),
    "100 tunnels": lambda: _more(
        "  wg0:\n", "  w@: { address: 10.0.0.2/24, private_key: secret:wg0, peers: {} }", 100
    ),
    "500 uplinks": lambda: _more(
        "    lan: {", '    u@: { mac: "52:54:00:00:00:10" }', 500
    ),
    "1,000 shares": lambda: _more(
        "    workspace: { dataset",
        "    s@: { dataset: ember/x@, users: [u@], zones: [data] }", 1_000
    ),
    "1,000 policies of snapshots": lambda: _more(
        "    workspace: { hourly", "    p@: { daily: 1 }", 1_000
    ),
    "1,000 repositories": lambda: _more(
        "    s3:\n",
        "    r@: { repository: /mnt/@, password: secret:restic, datasets: [ember/code] }", 1_000
    ),
    "5,000 exemptions": lambda: _more(
        "    rpool/root:", "    ember/x@: nobody will miss it", 5_000
    ),
    "1,990 nested datasets": lambda: _more(
        "        models:\n", "        code/x@: { mountpoint: /srv/code/x@, quota: 1TB }", 1_990
    ),
    "3,000 secrets": lambda: _more("  alert-webhook:", "  s@: {}", 3_000),
    "2,000 admins": lambda: _in_ember(
        "    colter:\n", _many(f"    a@: {{ keys: [{_KEY}] }}", 2_000).decode() + "    colter:\n"
    ),
    "2,000 acknowledgements": lambda: EMBER + _many(
        "  - { code: STO004, at: storage.pools.ember.x@, reason: a stale reason }", 2_000
    ),
}  # fmt: skip
"""The contents of a host.yaml by what is wrong with it."""
