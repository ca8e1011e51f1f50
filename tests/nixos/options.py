#!/usr/bin/env python3
"""Holds an evaluated NixOS module against the option data in options.json.

Input: the output of `nix-instantiate --eval --strict --json`, in which mkIf, mkForce and mkMerge
may still stand. Assertions and conditions between options are not checked.
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass, field
from typing import Any

Problem = tuple[str, str, str]  # path, code (unknown, removed, readonly or type), text
Kind = Any  # "bool", {"listOf": "str"}, {"submodule": {"freeform": None}} ... see README.md
SEGMENT = re.compile(r'"((?:[^"\\]|\\.)*)"|([^."]+)')
NOT_CONFIG = {"imports", "options", "_file", "key", "disabledModules", "meta"}


@dataclass
class Node:
    """One segment of the option tree; `name` is set where an option is declared."""

    children: dict[str, Node] = field(default_factory=dict)
    name: str | None = None

    def find(self, key: str) -> tuple[str, Node | None]:
        """The child for a key, or the one that stands for any name, with its segment."""
        if key in self.children:
            return key, self.children[key]
        return next(
            ((k, c) for k, c in self.children.items() if k == "*" or k[:1] == "<"), (key, None)
        )


def join(segments: list[str]) -> str:
    plain = re.compile(r"<.*>|\*|\d+|[A-Za-z_][\w'-]*")
    return ".".join(
        s if plain.fullmatch(s) else json.dumps(s, ensure_ascii=False) for s in segments
    )


def unwrap(value: Any) -> list[Any]:
    """The plain values behind mkIf, mkForce, mkOrder and mkMerge."""
    if isinstance(value, dict) and value.get("_type") == "merge":
        return [v for part in value["contents"] for v in unwrap(part)]
    return (
        unwrap(value["content"])
        if isinstance(value, dict) and {"_type", "content"} <= value.keys()
        else [value]
    )


def inner(kind: Kind) -> Kind:
    """The kind that `kind` gives to any attribute below it; None where it allows none."""
    if not isinstance(kind, dict):
        return kind if kind == "anything" else None
    ((tag, arg),) = kind.items()
    if tag == "either":
        kinds = [k for k in map(inner, arg) if k is not None]
        return {"either": kinds} if kinds else None
    return {"attrsOf": arg, "freeform": kind}.get(tag) or (inner(arg) if tag == "nullOr" else None)


def fits(tag: str, arg: Any, value: Any) -> bool:
    """Whether a value fits a kind that has no kinds below it."""
    whole, text, need = (
        isinstance(value, int) and not isinstance(value, bool),
        isinstance(value, str),
        arg or {},
    )
    if tag in ("int", "port"):
        limits = {"min": 0, "max": 65535} if tag == "port" else need
        return whole and limits.get("min", value) <= value <= limits.get("max", value)
    if tag in ("str", "lines"):
        return text and bool(
            re.fullmatch(
                need.get("pattern", r"[\s\S]+" if "nonEmpty" in need else r"[\s\S]*"), value
            )
        )
    if tag == "enum":
        return any(value == e and type(value) is type(e) for e in arg)
    simple = {
        "bool": isinstance(value, bool),
        "path": text and value[:1] == "/",
        "float": isinstance(value, float),
        "number": whole or isinstance(value, float),
        "freeform": arg != "toml" or value is not None,
    }
    return tag in ("anything", "function") or simple.get("path" if tag == "package" else tag, False)


class Checker:
    def __init__(self, data: dict[str, Any]) -> None:
        self.options: dict[str, Any] = data["options"]
        self.removed: dict[str, str] = data["removed"]
        self.root = Node()
        for name in [*self.options, *self.removed]:
            node = self.root
            for quoted, plain in SEGMENT.findall(name):
                node = node.children.setdefault(plain or quoted, Node())
            node.name = name if name in self.options else node.name

    def check(self, module: dict[str, Any]) -> list[Problem]:
        bodies = [
            {k: v for k, v in b.items() if k not in NOT_CONFIG}
            for b in unwrap(module.get("config", module))
        ]
        return list(
            dict.fromkeys(p for body in bodies for p in self.attrs(self.root, body, [], [], None))
        )

    def count(self, module: dict[str, Any]) -> int:
        """How many options a module sets."""
        return sum(self._reached(self.root, body) for body in unwrap(module.get("config", module)))

    def _reached(self, node: Node, value: Any) -> int:
        if not isinstance(value, dict):
            return 0
        found = [(node.find(key)[1], item) for key, item in value.items()]
        return sum(
            1 if child.name else self._reached(child, item) for child, item in found if child
        )

    def attrs(
        self, node: Node, value: dict[str, Any], path: list[str], gen: list[str], free: Kind
    ) -> list[Problem]:
        """`path` has the names as written, `gen` the same with `<name>` and `*` for free ones."""
        found: list[Problem] = []
        for key, val in value.items():
            (seg, child), here, below = node.find(key), [*path, key], inner(free)
            option = self.options[child.name] if child and child.name else None
            if (label := join([*gen, seg])) in self.removed:
                found.append((join(here), "removed", self.removed[label]))
            elif child is None and below is None:
                found.append((join(here), "unknown", "no such option" + self.hint(node, key, gen)))
            elif option and option["readOnly"]:
                found.append((join(here), "readonly", "cannot be set"))
            else:
                group = {"submodule": {"freeform": below}} if child and seg == key else below
                found += self.walk(
                    option["kind"] if option else group, child or Node(), val, here, [*gen, seg]
                )
        return found

    def walk(
        self, kind: Kind, node: Node, value: Any, path: list[str], gen: list[str]
    ) -> list[Problem]:
        tag: str = next(iter(kind)) if isinstance(kind, dict) else kind
        arg: Any = kind[tag] if isinstance(kind, dict) else None
        misfit = [(join(path), "type", f"{json.dumps(kind)} wanted, got {json.dumps(value)[:60]}")]
        if (plain := unwrap(value)) != [value]:
            return [p for v in plain for p in self.walk(kind, node, v, path, gen)]
        if tag == "nullOr":
            return [] if value is None else self.walk(arg, node, value, path, gen)
        if tag == "either":
            tries = [self.walk(k, node, value, path, gen) for k in arg]
            deeper = [t for t in tries if t and t[0][0] != join(path)]
            return [] if [] in tries else deeper[0] if deeper else misfit
        if tag in ("listOf", "freeform") and isinstance(value, list):
            item, of = node.find("*")[1] or Node(), arg if tag == "listOf" else kind
            return [
                p
                for i, v in enumerate(value)
                for p in self.walk(of, item, v, [*path, str(i)], [*gen, "*"])
            ]
        if tag in ("attrsOf", "submodule", "freeform") and isinstance(value, dict):
            return self.attrs(
                node, value, path, gen, arg["freeform"] if tag == "submodule" else kind
            )
        return [] if fits(tag, arg, value) else misfit

    def hint(self, node: Node, key: str, gen: list[str]) -> str:
        known = [k for k, c in node.children.items() if c.name or c.children]
        near = [join([*gen, k]) for k in difflib.get_close_matches(key, known, 3, 0.6)]
        far = [
            n
            for n in self.options
            if n.endswith("." + key) and n.startswith(join(gen[:2])) and n not in near
        ]
        return f"; near: {', '.join((near + far)[:3])}" if near or far else ""
