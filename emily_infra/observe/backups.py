"""What a machine wrote down of its backups, for its exporter."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_LINE = re.compile(
    r'^emily_(backup_last_success_timestamp_seconds|restore_test_last_success_timestamp_seconds'
    r'|restore_test_success|snapshot_newest_timestamp_seconds)'
    r'\{[^}]*(?:repository|dataset)="([^"]+)"[^}]*\} ([0-9.e+]+)$',
    re.MULTILINE,
)  # fmt: skip


@dataclass(frozen=True)
class Backups:
    """By repository or dataset, seconds since 1970."""

    copied: Mapping[str, int] = field(default_factory=dict)
    drilled: Mapping[str, int] = field(default_factory=dict)
    """The newest drill that found everything as it was."""
    failed: frozenset[str] = frozenset()
    """Whose newest drill did not."""
    snapshots: Mapping[str, int] = field(default_factory=dict)


def backups(files: Mapping[str, str]) -> Backups:
    """What stands in the files of the metrics folder."""
    found: dict[str, dict[str, int]] = {}
    for text in files.values():
        for series, name, value in _LINE.findall(text):
            try:
                of_series = found.setdefault(series, {})
                of_series[name] = max(of_series.get(name, 0), int(float(value)))
            except (ValueError, OverflowError):
                continue
    passed = found.get("restore_test_success", {})
    return Backups(
        copied=found.get("backup_last_success_timestamp_seconds", {}),
        drilled=found.get("restore_test_last_success_timestamp_seconds", {}),
        failed=frozenset(name for name, value in passed.items() if not value),
        snapshots=found.get("snapshot_newest_timestamp_seconds", {}),
    )
