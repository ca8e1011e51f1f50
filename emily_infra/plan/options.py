"""The options that rendered modules set: the Nix program that asks, and what its answer differs by.

Every text of every variant is evaluated by one process, because starting Nix costs more than all of
them together.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from importlib.resources import files
from typing import TYPE_CHECKING

from emily_infra.errors import EmilyError
from emily_infra.plan.model import OptionChange, Sign
from emily_infra.render.nix import attribute_name, nix_literal
from emily_infra.spec.credentials import blotted

if TYPE_CHECKING:
    from emily_infra.machine import Machine

Options = Mapping[str, object]
"""Values by the path of their option, such as `services.openssh.ports`."""

_PACKAGE = re.compile(r"""\bpkgs((?:\.(?:[A-Za-z_][\w'-]*|"[\w+.-]+"))+)""", re.ASCII)
_ALIGNED = 200_000
"""Old lines times new ones, up to which they are put side by side: it takes that long at least."""
_ALWAYS = ("postgresql", "systemd", "zfs")
_OF_A_PACKAGE = ("name", "outPath", "type")


@dataclass(frozen=True)
class Evaluated:
    """The options of each module text, or why there are none."""

    options: Mapping[str, Options] | None
    why: str = ""


Evaluate = Callable[[Sequence[str]], Evaluated]


def not_evaluated(_: Sequence[str]) -> Evaluated:
    """For whoever has no Nix: a plan then shows lines of files."""
    return Evaluated(None, "Nix was not asked")


def by_nix(machine: "Machine") -> Evaluate:
    """Through the Nix of a machine, which is the operator's own."""

    def evaluate(texts: Sequence[str]) -> Evaluated:
        argv = ("nix-instantiate", "--eval", "--strict", "--json", "-")
        try:
            answer = json.loads(machine.run(*argv, stdin=expression(texts)))
        except EmilyError as error:
            return Evaluated(None, str(error).splitlines()[-1])
        except ValueError:
            return Evaluated(None, "nix-instantiate does not speak JSON")
        return Evaluated(dict(zip(texts, map(flat, answer), strict=True)))

    return evaluate


def expression(texts: Sequence[str]) -> str:
    """One Nix expression for the options of all texts, in their order."""
    function = files("emily_infra.plan").joinpath("evaluate.nix").read_text(encoding="utf-8")
    modules = "\n".join(f"(\n{text}\n)" for text in texts)
    return f"({function}) {{ pkgs = {nix_literal(_packages(texts))}; modules = [\n{modules}\n]; }}"


def _packages(texts: Iterable[str]) -> dict[str, object]:
    """A stand-in for every package that the texts name."""
    found: dict[str, object] = {}
    names = {tuple(_words(match)) for text in texts for match in _PACKAGE.findall(text)}
    for name in sorted(names | {(each,) for each in _ALWAYS}):
        level = found
        for word in name:
            level = level.setdefault(word, {})  # type: ignore[assignment]
        level |= {"type": "derivation", "name": name[-1], "outPath": f"pkgs.{'.'.join(name)}"}
    return found


def _words(path: str) -> Iterator[str]:
    for word in re.findall(r'"[^"]*"|[^."]+', path):
        if word in _OF_A_PACKAGE:
            return
        yield word.strip('"')


def flat(value: object) -> dict[str, object]:
    """The leaves of a tree of options, by their path."""
    return dict(_leaves(value, ""))


def _leaves(value: object, path: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict) and value:
        for name, item in sorted(value.items()):
            yield from _leaves(item, f"{path}.{attribute_name(name)}" if path else name)
    else:
        yield path, value


def changed(old: Options, new: Options) -> list[OptionChange]:
    """The options that differ, by path."""
    return [
        _change(path, old.get(path), new.get(path), path in old, path in new)
        for path in sorted(old.keys() | new.keys())
        if path not in old or path not in new or old[path] != new[path]
    ]


def _change(path: str, old: object, new: object, was: object, stays: object) -> OptionChange:
    sign = Sign.CHANGED if was and stays else Sign.ADDED if stays else Sign.REMOVED
    before, after = (_items(old) if was else []), (_items(new) if stays else [])
    gone, come = lines(before, after)
    return OptionChange(path, sign, tuple(map(blotted, gone)), tuple(map(blotted, come)))


def _items(value: object) -> list[str]:
    """What a value is compared by: lines of text, items of a list, else itself."""
    items = value if isinstance(value, list) and value else [value]
    return [line for item in items for line in _told(item)]


def _told(item: object) -> list[str]:
    if isinstance(item, str) and "\n" in item:
        return item.rstrip("\n").split("\n")
    return [" ".join(nix_literal(item).split())]


def lines(old: Sequence[str], new: Sequence[str]) -> tuple[list[str], list[str]]:
    """The lines that go, and those that come."""
    same = min(len(old), len(new))
    head = next((at for at in range(same) if old[at] != new[at]), same)
    rest = same - head
    tail = next((at for at in range(rest) if old[-1 - at] != new[-1 - at]), rest)
    before, after = old[head : len(old) - tail], new[head : len(new) - tail]
    if len(before) * len(after) > _ALIGNED:
        return _surplus(before, after), _surplus(after, before)
    gone: list[str] = []
    come: list[str] = []
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for tag, begin, end, first, last in matcher.get_opcodes():
        if tag != "equal":
            gone += before[begin:end]
            come += after[first:last]
    return gone, come


def _surplus(these: Sequence[str], those: Sequence[str]) -> list[str]:
    """The lines that there are more of here than there, wherever they stand."""
    left = Counter(those)
    found = []
    for line in these:
        left[line] -= 1
        if left[line] < 0:
            found.append(line)
    return found
