"""Flags as the configuration holds them."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Protocol

from emily_runtime.flags.flag import BUCKETS, Flag
from emily_runtime.messages import Refused


class Table(Protocol):
    """A table [flags.NAME]."""

    @property
    def share(self) -> float:
        """Percent."""

    @property
    def identities(self) -> Collection[str]:
        """On for these."""

    @property
    def killed(self) -> bool:
        """Off for everybody."""

    @property
    def owner(self) -> str:
        """Who answers for it."""

    @property
    def since(self) -> str:
        """A day such as 2026-11-22."""


def from_config(tables: Mapping[str, Table]) -> Iterable[Flag]:
    """The flags of a configuration; Refused where one cannot be what it says."""
    return [
        Flag(
            name,
            _share(name, table.share),
            frozenset(table.identities),
            table.killed,
            table.owner,
            _day(name, table.since),
        )
        for name, table in tables.items()
    ]


def _share(name: str, percent: float) -> int:
    buckets = round(percent * BUCKETS / 100)
    if abs(buckets - percent * BUCKETS / 100) > 1e-6:  # 12.345 % would silently be 12.34 or 12.35
        raise Refused("EMY-6002", name=name, share=percent)
    return buckets


def _day(name: str, text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Refused("EMY-6004", name=name, since=text) from None
