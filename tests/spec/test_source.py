"""host.yaml as text: what a scalar means, and where everything stands."""

import pytest

from emily_infra.findings import Finding, Location, Path
from emily_infra.spec.source import MAX_BYTES, Data, Source, read

DEEPEST = 32


def data(text: str) -> Data:
    source, findings = read("host.yaml", text.encode())
    assert findings == []
    return source.data


def faults(text: str | bytes) -> list[Finding]:
    return read("host.yaml", text.encode() if isinstance(text, str) else text)[1]


def spot(location: Location) -> str:
    """What a location marks in its own line."""
    return location.text[location.column - 1 :][: location.width]


def source(text: str) -> Source:
    found, findings = read("host.yaml", text.encode())
    assert findings == []
    return found


WORDS = (
    "on", "off", "yes", "no", "y", "n", "On", "NO", "02:00", "23:59:59", "8425e349", "1e3", "1e999",
    ".inf", ".nan", "007", "00", "0o17", "0x1F", "0b1", "1_000", "2026-11-21", "26.05.1", "+", "--",
    "12TB", "=", "1.2.3", "10.0.0.0/8", "1" + "0" * 18, "TrUe", "nULL", ".5", "a0:36:9f:00:00:01",
    "~x",
)  # fmt: skip


@pytest.mark.parametrize("word", WORDS)
def test_what_is_no_plain_number_or_boolean_stays_text(word: str) -> None:
    assert data(f"key: {word.removesuffix(':')}") == {"key": word.removesuffix(":")}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True), ("True", True), ("FALSE", False), ("null", None), ("~", None), ("", None),
        ("0", 0), ("-5", -5), ("+5", 5), ("999999999999999999", 999999999999999999),
        ("26.05", 26.05), ("-0.5", -0.5), ("1.", 1.0),
    ],
)  # fmt: skip
def test_numbers_booleans_and_nothing_are_those_of_yaml_1_2(text: str, value: Data) -> None:
    assert data(f"key: {text}") == {"key": value}
    assert type(data(f"- {text}")[0]) is type(value)  # type: ignore[index]


@pytest.mark.parametrize("text", ["'5'", '"true"', '"null"', '""', "|-\n  5", ">-\n  5"])
def test_a_quoted_value_is_always_text(text: str) -> None:
    assert isinstance(data(f"key: {text}")["key"], str)  # type: ignore[index,call-overload]


@pytest.mark.parametrize("key", ["1", "on", "null", "~", "true", "26.05", "007"])
def test_a_key_is_always_text(key: str) -> None:
    assert data(f"{key}: x") == {key: "x"}


def test_lists_and_mappings_nest_in_both_styles() -> None:
    block = "a:\n  - b: 1\n    c: [x, {y: z}]\n  - []\nd: {}\n"

    assert data(block) == {"a": ({"b": 1, "c": ("x", {"y": "z"})}, ()), "d": {}}


def test_an_alias_is_the_value_of_its_anchor() -> None:
    assert data("a: &a {b: 1}\nc: *a\nd: &d x\ne: [*d]\n*d : 2") == {
        "a": {"b": 1}, "c": {"b": 1}, "d": "x", "e": ("x",), "x": 2,
    }  # fmt: skip


NESTED = """\
storage:
  disks:
    ata-1: { size: 12TB, bay: 1 }
  pools: {a: {data: [{mirror: [x, y]}], log: []}}
  list:
    - one
    - two: 2
      three: "3"
한국: { 지현: 값, ascii: yes, 🧪: [é, 끝] }
block: |
  text
  more
flow: [a,
  b,
  {c: d}]
anchored: &here { deep: { er: 1 } }
alias: *here
empty:
tabbed: [	x,	y]
"""


@pytest.mark.parametrize(
    ("path", "line", "column", "marked"),
    [
        (("storage", "disks", "ata-1", "bay"), 3, 31, "1"),
        (("storage", "disks", "ata-1"), 3, 12, "{ size: 12TB, bay: 1 }"),
        (("storage", "disks"), 2, 3, "disks"),
        (("storage",), 1, 1, "storage"),
        (("storage", "pools", "a", "data", 0, "mirror", 1), 4, 35, "y"),
        (("storage", "list", 0), 6, 7, "one"),
        (("storage", "list", 1), 7, 7, "two: 2"),
        (("storage", "list", 1, "three"), 8, 14, '"3"'),
        (("한국", "지현"), 9, 11, "값"),
        (("한국", "ascii"), 9, 21, "yes"),
        (("한국", "🧪", 1), 9, 33, "끝"),
        (("block",), 10, 1, "block"),
        (("flow",), 13, 1, "flow"),
        (("flow", 1), 14, 3, "b"),
        (("flow", 2, "c"), 15, 7, "d"),
        (("alias",), 17, 8, "*here"),
        (("alias", "deep", "er"), 16, 31, "1"),
        (("tabbed", 1), 19, 14, "y"),
        (("storage", "nothing", "here"), 1, 1, "storage"),
        (("storage", "list", 9), 5, 3, "list"),
        (("flow", "no-index"), 13, 1, "flow"),
    ],
)
def test_a_location_marks_just_the_value(path: Path, line: int, column: int, marked: str) -> None:
    place = source(NESTED).locate(path)

    assert (place.line, place.column, spot(place)) == (line, column, marked)


def test_an_empty_value_is_marked_behind_its_colon() -> None:
    place = source(NESTED).locate(("empty",))

    assert (str(place), place.width) == ("host.yaml:18:7", 1)


@pytest.mark.parametrize("path", [(), ("nothing",), (0,)])
def test_a_place_that_does_not_exist_is_the_file(path: Path) -> None:
    assert str(source(NESTED).locate(path)) == "host.yaml:1:1"


@pytest.mark.parametrize(
    ("path", "marked"),
    [
        (("storage", "disks", "ata-1", "size"), "size"),
        (("한국", "🧪"), "🧪"),
        (("storage", "list", 1, "three"), "three"),
        (("alias", "deep"), "deep"),
        (("storage", "disks", "gone"), "disks"),
    ],
)
def test_a_key_can_be_marked_itself(path: Path, marked: str) -> None:
    assert spot(source(NESTED).locate_key(path)) == marked


@pytest.mark.parametrize("newline", ["\r\n", "\r", "\x85", "\u2028", "\u2029"])
def test_every_line_end_of_yaml_counts(newline: str) -> None:
    place = source(f"a: 1{newline}b: 2{newline}c: 3").locate(("c",))

    assert (place.line, place.column, place.text) == (3, 4, "c: 3")


def test_a_byte_order_mark_moves_nothing() -> None:
    found, findings = read("host.yaml", b"\xef\xbb\xbfa: 1\n")

    assert findings == []
    assert str(found.locate(("a",))) == "host.yaml:1:4"


def test_all_doubled_keys_are_reported_at_once_and_the_first_counts() -> None:
    found, findings = read("host.yaml", b"a: 1\nb: {c: 1, c: 2}\na: 3\n")

    assert [(str(f.location), f.message) for f in findings] == [
        ("host.yaml:2:11", "c stands twice in one mapping; the first is on line 2"),
        ("host.yaml:3:1", "a stands twice in one mapping; the first is on line 1"),
    ]
    assert found.data == {"a": 1, "b": {"c": 1}}


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("a: [1, 2", "YML003", "1:4"),
        ("a: 'x\n", "YML003", "1:4"),
        ("a: b: c", "YML003", "1:5"),
        ("a:\n\tb: 1", "YML003", "2:1"),
        ("a: 1\n b: 2", "YML003", "2:3"),
        ("a: @x", "YML003", "1:4"),
        ("a: 1\n---\nb: 2", "YML004", "2:1"),
        ("a: *b", "YML007", "1:4"),
        ("a: &a [*a]", "YML007", "1:8"),
        ("a: !!python/object/apply:os.system [id]", "YML008", "1:4"),
        ("a: !x 1", "YML008", "1:4"),
        ("? [a, b]\n: 1", "YML009", "1:3"),
        ("? {a: b}\n: 1", "YML009", "1:3"),
        ("a: 1\n<<: {b: 2}", "YML009", "2:1"),
        ("a: \x07", "YML002", "1:4"),
        ("a: 1\nb: x\x00y", "YML002", "2:5"),
        ('a: "\\e[31m"', "YML002", "1:4"),
        ('a: "\\0"', "YML002", "1:4"),
        ('a: "\\u202e"', "YML002", "1:4"),
        ('"\\x9b": 1', "YML002", "1:1"),
    ],
)
def test_what_is_not_for_a_host_is_refused_at_its_place(text: str, code: str, place: str) -> None:
    [finding] = faults(text)

    assert (finding.code, str(finding.location)) == (code, f"host.yaml:{place}")
    assert finding.blocks
    assert finding.hint


def test_a_tab_as_indentation_is_named() -> None:
    assert faults("a:\n\tb: 1")[0].hint == "indent with spaces, not with tabs"


@pytest.mark.parametrize(
    "raw",
    [b"a: \xff", "a: \u00e9".encode("latin-1"), "a: 1".encode("utf-16"), b"a: \xed\xa0\x80"],
)
def test_other_encodings_are_named(raw: bytes) -> None:
    [finding] = faults(raw)

    assert finding.code == "YML002"
    assert finding.hint == "save the file as UTF-8"


def test_a_byte_that_is_no_text_is_found_on_its_line() -> None:
    assert faults(b"a: 1\nb: 2\nc: \xff\n")[0].location.line == 3


def test_a_mebibyte_is_read_and_a_byte_more_is_not() -> None:
    comment = b"a: 1\n#"

    assert faults(comment + b"x" * (MAX_BYTES - len(comment))) == []
    assert [f.code for f in faults(comment + b"x" * (MAX_BYTES - len(comment) + 1))] == ["YML001"]


def test_nesting_ends_at_a_depth_that_no_host_needs() -> None:
    assert faults("[" * DEEPEST + "]" * DEEPEST) == []
    assert [f.code for f in faults("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1))] == ["YML005"]
    assert [f.code for f in faults("[" * 100_000)] == ["YML005"]


def test_aliases_that_multiply_are_refused_where_it_becomes_too_much() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]" for a, b in zip("abcdef", "bcdefg", strict=True)
    ]

    [finding] = faults("\n".join(lines))

    assert (finding.code, finding.location.line) == ("YML006", 5)


def test_long_text_that_aliases_repeat_counts_by_its_length() -> None:
    text = "x" * 9_000

    assert [f.code for f in faults(f"a: &a {text}\nb: [{', '.join(['*a'] * 1_000)}]")] == ["YML006"]


def test_a_list_may_be_long_but_not_endless() -> None:
    assert faults("- a\n" * 40_000) == []
    assert [f.code for f in faults("- a\n" * 60_000)] == ["YML006"]


def test_one_text_may_be_long_but_not_endless() -> None:
    assert faults(f"a: {'x' * 10_000}") == []
    assert [f.code for f in faults(f"a: {'x' * 10_001}")] == ["YML006"]


@pytest.mark.parametrize("text", ["", "# a comment\n", "---\n", "~", "\ufeff"])
def test_a_file_without_a_value_is_no_fault_of_yaml(text: str) -> None:
    assert data(text) is None


def test_an_alias_that_may_be_a_password_is_not_repeated() -> None:
    [finding] = faults("password: *hunter2")

    assert "hunter2" not in f"{finding.message} {finding.hint} {finding.location.text}"


@pytest.mark.parametrize("text", ["password: hunter2\npassword: hunter3", "token: hunter2: x"])
def test_the_line_of_a_fault_is_shown_without_the_secret_on_it(text: str) -> None:
    assert all("hunter" not in f"{f.message} {f.hint} {f.location.text}" for f in faults(text))


def test_a_line_too_long_to_read_is_not_quoted() -> None:
    [finding] = faults("{ a: 1, a: 2, b: " + "x" * 2_000 + " }")

    assert (finding.location.column, finding.location.text) == (9, "")
