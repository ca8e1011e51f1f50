"""What goes into a Nix literal comes out of the real Nix interpreter unchanged."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from emily_infra.render.nix import Expression, Lines, NotNix, nix_literal
from emily_infra.render.templates import Templates

PIECES = (
    "${", "$${", "$$${", "''", "'''", "''''", "''$", "''${", "''\\", "''\\n", "'", "'$", "'${",
    "$", "{", "}", '"', '\\"', "\\", "\\${", "\\n", "\n", "\n\n", "\r", "\r\n", "\t", "  ", " ",
    "    x", "# x", "/*", "*/", "é", "e\u0301", "한", "𝛌", "\U0001f9ea", "\u2028", "\u202e", "\x07",
    "\x7f", "\x85", "\ufeff", "~", "a", "''}", "''; }", "${builtins.abort \"x\"}", "--", "<x>",
)  # fmt: skip
HOSTILE = st.lists(
    st.sampled_from(PIECES)
    | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=4),
    max_size=12,
).map("".join)
TEXTS = st.lists(HOSTILE, min_size=1, max_size=80)
INTEGERS = st.integers(-(2**63), 2**63 - 1)
VALUES = st.recursive(
    st.none() | st.booleans() | INTEGERS | HOSTILE | HOSTILE.map(Lines),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(HOSTILE, inner, max_size=4),
    max_leaves=30,
)
thoroughly = settings(deadline=None, max_examples=10)  # of some thousand strings, in one Nix each


def nix(source: str) -> Any:
    """The value of Nix source that is too long for an argument."""
    command = ("nix-instantiate", "--eval", "--strict", "--json", "-")
    done = subprocess.run(
        command, input=source.encode(), capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0, (source, done.stderr.decode())
    return json.loads(done.stdout)


@given(TEXTS)
@thoroughly
def test_text_comes_out_as_it_went_in(texts: list[str]) -> None:
    assert nix(nix_literal(texts)) == texts


@given(TEXTS)
@thoroughly
def test_lines_come_out_as_they_went_in(texts: list[str]) -> None:
    lines = [Lines(f"{text}\n") for text in texts] + [Lines(text) for text in texts]

    assert nix(nix_literal(lines)) == lines


@given(TEXTS)
@thoroughly
def test_an_attributes_name_comes_out_as_it_went_in(names: list[str]) -> None:
    names += ["if", "or", "a'b", "a-b", "1a", "-a", "a.b", "true", "__curPos"]
    table = {name: {name: index} for index, name in enumerate(names)}

    assert nix(nix_literal(table)) == table


@given(st.lists(VALUES, max_size=8))
@thoroughly
def test_nested_values_come_out_as_they_went_in(values: list[object]) -> None:
    assert nix(nix_literal(values)) == values


@given(st.lists(INTEGERS))
@example([-(2**63), 2**63 - 1, -1, 0])
@thoroughly
def test_an_integer_of_64_bits_is_exact(numbers: list[int]) -> None:
    assert nix(nix_literal(numbers)) == numbers


@pytest.mark.parametrize(
    "value",
    [
        2**63,
        -(2**63) - 1,
        0.5,
        "\0",
        Lines("a\0b\n"),
        "\ud800",
        b"",
        {1: 2},
        {None: 1},
        {1, 2},
        pytest.param(object(), id="object"),
    ],
    ids=repr,
)
def test_what_nix_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(NotNix):
        nix_literal(value)


@pytest.mark.parametrize("inside", [lambda value: [value], lambda value: {"a": {"b": value}}])
def test_what_nix_cannot_hold_is_refused_at_any_depth(inside: Any) -> None:
    with pytest.raises(NotNix):
        nix_literal(inside(float("nan")))


def test_lines_that_a_person_can_read_stand_as_lines() -> None:
    script = Lines("if true; then\n  echo ${x} ''\n\nfi\n")

    assert nix_literal(script) == "''\n  if true; then\n    echo ''${x} '''\n\n  fi\n''"
    assert nix(nix_literal(script)) == script


def test_a_list_of_one_short_item_stays_on_its_line() -> None:
    assert nix_literal([80]) == "[ 80 ]"
    assert nix_literal([-80, Expression("a b")]) == "[\n  (-80)\n  (a b)\n]"
    assert nix_literal({}) == "{ }"


TEMPLATE = """\
# {{ source }}
{
{% for name, value in values.items() %}
  {{ name }} = {
    inner = [
      {{ value }}
      {
        {{ name }} = {{ value }};
      }
    ];
  };
{% endfor %}
}
"""


def rendered(tmp_path: Path, values: object) -> str:
    (tmp_path / "nested.nix.j2").write_text(TEMPLATE)
    return Templates(folder=tmp_path).render("nested", "hosts/x/host.yaml", {"values": values})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("modules")


@given(values=st.dictionaries(HOSTILE, VALUES, max_size=6))
@thoroughly
def test_a_template_changes_no_value_however_deep_it_stands(
    folder: Path, values: dict[str, object]
) -> None:
    module = rendered(folder, values)

    assert nix(module) == {
        name: {"inner": [value, {name: value}]} for name, value in values.items()
    }


@given(source=HOSTILE)
@thoroughly
def test_the_header_comment_stays_one_line(folder: Path, source: str) -> None:
    (folder / "nested.nix.j2").write_text(TEMPLATE)

    module = Templates(folder=folder).render("nested", source, {"values": {}})

    assert module.count("\n") == 3
    assert nix(module) == {}


def test_lines_are_indented_with_the_block_they_stand_in(tmp_path: Path) -> None:
    module = rendered(tmp_path, {"a": Lines("x\n\n  y\n")})

    assert "        \"a\" = ''\n          x\n\n            y\n        '';\n" in module


def test_a_template_that_names_what_the_lowering_lacks_fails(tmp_path: Path) -> None:
    (tmp_path / "lacking.nix.j2").write_text("{ a = {{ nothing }}; }")

    with pytest.raises(NotNix, match="Undefined"):
        Templates(folder=tmp_path).render("lacking", "x", {})
