"""What datasets hold and reserve: a reservation counts as used, but only for those above it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from emily_infra.observe.pools import Dataset


@dataclass(frozen=True)
class Room:
    """The datasets of a pool, and what host.yaml settles of them."""

    found: Mapping[str, Dataset]
    wished: Mapping[str, Mapping[str, str]]
    _known: dict[str, int] = field(default_factory=dict)

    def used(self, path: str) -> int:
        """What ZFS will say that it uses, once all reservations are as host.yaml has them."""
        if path not in self._known:
            below = self._children.get(path, [])
            own = 0
            if path in self.found:
                own = self.found[path].used - sum(self._counted(each) for each in below)
            held = sum(max(self.used(each), self._value(each, "reservation")) for each in below)
            self._known[path] = max(0, own) + held
        return self._known[path]

    def too_small(self, path: str) -> tuple[str, int, int] | None:
        """The dataset above PATH, or the pool, that has no room for what host.yaml reserves."""
        while path := path.rpartition("/")[0]:
            limit, used = self._limit(path), self.used(path)
            if limit and used > limit:
                return path, used, limit
        return None

    def _limit(self, path: str) -> int:
        """The quota; of a pool all that there is, where that is known."""
        if "/" not in path:
            root = self.found.get(path)
            return root.used + root.available if root else 0
        return self._value(path, "quota")

    def _counted(self, path: str) -> int:
        """What those above it count for it now."""
        dataset = self.found.get(path)
        return max(dataset.used, _bytes(dataset.values.get("reservation"))) if dataset else 0

    def _value(self, path: str, name: str) -> int:
        if path in self.wished:
            return _bytes(self.wished[path].get(name))
        return _bytes(self.found[path].values.get(name)) if path in self.found else 0

    @cached_property
    def _children(self) -> dict[str, list[str]]:
        below: dict[str, list[str]] = {}
        for name in self.found.keys() | self.wished.keys():
            below.setdefault(name.rpartition("/")[0], []).append(name)
        return below


def _bytes(value: str | None) -> int:
    return int(value) if value and value.isdigit() else 0
