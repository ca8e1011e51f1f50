"""Modules become one configuration by the rules of NixOS."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emily_infra.lab.system.merge import Conflict, merge


def _merged(*modules: object, lines: bool = False) -> dict[str, object]:
    return merge(((f"{i}.nix", one) for i, one in enumerate(modules)), lambda _: lines)


def _mark(priority: int, content: object) -> dict[str, object]:
    return {"_type": "override", "priority": priority, "content": content}


def _order(order: int, content: object) -> dict[str, object]:
    return {"_type": "order", "priority": order, "content": content}


def test_sets_of_two_modules_are_joined() -> None:
    merged = _merged({"boot": {"a": 1}}, {"boot": {"b": 2}, "time": "UTC"})

    assert merged == {"boot": {"a": 1, "b": 2}, "time": "UTC"}


def test_lists_are_joined_in_the_order_of_the_modules() -> None:
    assert _merged({"after": ["a"]}, {"after": ["b"]}) == {"after": ["a", "b"]}


def test_one_text_beside_a_list_is_an_item_of_it() -> None:
    assert _merged({"mounts": "/a"}, {"mounts": ["/b"]}) == {"mounts": ["/a", "/b"]}


def test_lists_obey_before_and_after() -> None:
    merged = _merged({"l": ["b"]}, {"l": _order(1500, ["c"])}, {"l": _order(500, ["a"])})

    assert merged == {"l": ["a", "b", "c"]}


def test_a_default_gives_way_to_a_plain_value() -> None:
    assert _merged({"limit": _mark(1000, 10)}, {"limit": 8}) == {"limit": 8}


def test_force_wins_over_everything() -> None:
    merged = _merged({"l": ["a"]}, {"l": _mark(50, ["b"])}, {"l": _mark(1000, ["c"])})

    assert merged == {"l": ["b"]}


def test_a_default_over_a_whole_set_gives_way_key_by_key() -> None:
    merged = _merged({"s": _mark(1000, {"a": 1, "b": 2})}, {"s": {"a": 3}})

    assert merged == {"s": {"a": 3, "b": 2}}


def test_what_a_false_condition_holds_is_not_there() -> None:
    assert _merged({"a": {"_type": "nothing"}, "b": 1}) == {"b": 1}


def test_the_parts_of_a_merge_count_like_modules() -> None:
    merged = _merged({"s": {"_type": "merge", "contents": [{"a": 1}, {"b": 2}]}})

    assert merged == {"s": {"a": 1, "b": 2}}


def test_equal_values_are_no_conflict() -> None:
    assert _merged({"a": "x"}, {"a": "x"}) == {"a": "x"}


def test_two_different_values_are_a_conflict_that_names_both_files() -> None:
    with pytest.raises(Conflict, match=r"time\.zone.*0\.nix.*1\.nix"):
        _merged({"time": {"zone": "UTC"}}, {"time": {"zone": "Asia/Seoul"}})


def test_lines_are_joined_where_the_option_is_of_that_type() -> None:
    assert _merged({"text": "a"}, {"text": "b"}, lines=True) == {"text": "a\nb"}


_VALUES = st.recursive(
    st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=3),
    lambda below: st.dictionaries(st.sampled_from("abc"), below, max_size=3),
    max_leaves=8,
)
_MODULES = st.dictionaries(st.sampled_from("xyz"), _VALUES, max_size=3)


@given(_MODULES)
def test_a_module_alone_stays_as_it_is(module: dict[str, object]) -> None:
    assert _merged(module) == module


@given(_MODULES, _MODULES)
def test_a_forced_module_wins_wherever_both_speak(
    plain: dict[str, object], forced: dict[str, object]
) -> None:
    merged = _merged(plain, {key: _mark(50, value) for key, value in forced.items()})

    for key, value in forced.items():
        if not isinstance(value, dict):
            assert merged[key] == value
