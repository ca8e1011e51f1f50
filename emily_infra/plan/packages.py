"""The difference of two closures, as packages and their versions."""

import re
from collections.abc import Iterable, Mapping, Set

from emily_infra.plan.model import PackageChange, Packages, Sign

_PATH = re.compile(r"/nix/store/[0-9a-z]{32}-([^/]+)")
_VERSIONED = re.compile(r"(?P<name>.+?)-(?P<version>\d[^-]*(?:-(?![a-z])[^-]+)*)(?:-(?P<rest>.*))?")
_OUTPUTS = frozenset({"bin", "data", "dev", "doc", "info", "lib", "libs", "man", "out", "static"})
_FILES = re.compile(r".*\.(?:conf|service|socket|timer|target|mount|slice|json|toml|nix|sh|rules)")


def named(path: str) -> tuple[str, str] | None:
    """Name and version of a store path; nothing for what is only part of a configuration."""
    found = _PATH.match(path)
    if not found or _FILES.fullmatch(found[1]) or found[1].endswith(".drv"):
        return None
    split = _VERSIONED.fullmatch(found[1])
    if not split or split["name"].startswith("nixos-system-"):
        return None
    if split["rest"] and split["rest"] not in _OUTPUTS:
        return None
    return split["name"], split["version"]


def difference(old: Iterable[str], new: Mapping[str, int]) -> Packages:
    """What goes, what comes and what must be copied; all of it where the old is unknown."""
    here = set(old)
    before, after = _versions(here), _versions(new)
    changes = [
        _change(name, before.get(name, {}).keys(), after.get(name, {}).keys())
        for name in sorted(before.keys() | after.keys())
        if before.get(name, {}).keys() != after.get(name, {}).keys()
    ]
    rebuilt = [
        f"{name} {version}"
        for name in sorted(before.keys() & after.keys())
        for version in sorted(before[name].keys() & after[name].keys())
        if before[name][version] != after[name][version]
    ]
    copied = sum(size for path, size in new.items() if path not in here)
    return Packages(tuple(changes), tuple(rebuilt), copied)


def _change(name: str, old: Set[str], new: Set[str]) -> PackageChange:
    sign = Sign.CHANGED if old and new else Sign.ADDED if new else Sign.REMOVED
    return PackageChange(name, sign, tuple(sorted(old - new)), tuple(sorted(new - old)))


def _versions(paths: Iterable[str]) -> dict[str, dict[str, frozenset[str]]]:
    """The store paths by name and version."""
    found: dict[str, dict[str, frozenset[str]]] = {}
    for path in paths:
        if name := named(path):
            versions = found.setdefault(name[0], {})
            versions[name[1]] = versions.get(name[1], frozenset()) | {path}
    return found
