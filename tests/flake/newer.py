"""The option data of a newer NixOS, cut down to what a host sets, for an older one to declare."""

from collections.abc import Iterator
from typing import Any

from tests.nixos import checker
from tests.nixos.options import Node, unwrap

Tree = dict[str, Any]


def declarations(modules: dict[str, Any]) -> Tree:
    """The options that the modules set, as nested data."""
    names = {name for module in modules.values() for name in _set(checker().root, module)}
    tree: Tree = _tree(checker().root, names)["children"]
    return tree


def _set(node: Node, value: Any) -> Iterator[str]:
    """Every option that is given a value, outer ones before those of their submodules."""
    for plain in unwrap(value):
        if isinstance(plain, list):
            for item in plain:
                yield from _set(node.find("*")[1] or Node(), item)
        for key, inner in plain.items() if isinstance(plain, dict) else ():
            child = node.find(key)[1] or Node()
            if child.name:
                yield child.name
            yield from _set(child, inner)


def _tree(node: Node, names: set[str]) -> Tree:
    below = {key: _tree(child, names) for key, child in node.children.items()}
    kept = {key: tree for key, tree in below.items() if "kind" in tree or tree["children"]}
    own = _declared(checker().options[node.name]) if node.name and node.name in names else {}
    return {"children": kept} | own


def _declared(option: dict[str, Any]) -> Tree:
    has_default = option["default"] is not None or "nullOr" in option["kind"]
    return {"kind": option["kind"]} | ({"default": option["default"]} if has_default else {})
