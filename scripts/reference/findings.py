"""docs/reference/findings.md: every finding with its story."""

from collections.abc import Iterator
from itertools import groupby
from textwrap import dedent

from emily_infra.check.catalogue import catalogue
from emily_infra.check.rule import Rule, Standing
from emily_infra.findings import Explanation
from scripts.reference.markdown import prose, row, table

CONCERNS = {
    "ACK": "Acknowledgements", "BAK": "Backup", "DEP": "Deploy", "MEM": "Memory",
    "MON": "Monitoring", "NET": "Network", "RUN": "Runtime", "SEC": "Secrets", "SMB": "Samba",
    "SPC": "Shape of host.yaml", "STO": "Storage", "SYS": "System", "WG": "WireGuard",
    "YML": "YAML",
}  # fmt: skip


def page() -> Iterator[str]:
    """The page, line by line."""
    entries = list(catalogue().values())
    yield "# Findings\n"
    yield (
        f"The {len(entries)} findings of `emily-infra check`. `emily-infra explain CODE` tells the "
        "same in a terminal. An error stops a render; a warning is likely a mistake; a note "
        "states a fact. A finding that may be acknowledged takes a line under "
        "[`acknowledge`](spec.md#acknowledge) and is then listed with your reason, never hidden.\n"
    )
    yield (
        "The examples of rules are parts of a host.yaml, laid over the small host `pebble`; they "
        "run as tests.\n"
    )
    for prefix, group in groupby(entries, key=lambda entry: entry.code.rstrip("0123456789")):
        members = list(group)
        yield f"## {CONCERNS.get(prefix, prefix)} ({prefix})\n"
        rows = [row(_link(e), e.severity.value, prose(e.title)) for e in members]
        yield table("code | severity | title", rows)
        for entry in members:
            yield from _finding(entry)


def _link(entry: Explanation) -> str:
    return f"[{entry.code}](#{entry.code.lower()})"


def _finding(entry: Explanation) -> Iterator[str]:
    standing = entry.standing if isinstance(entry, Rule) else Standing.CONTRADICTION
    yield f"### {entry.code}\n"
    yield f"**{prose(entry.title)}** ({entry.severity.value}, {standing.value})\n"
    yield f"{prose(entry.story)}\n"
    for label, text in (("Wrong", entry.wrong), ("Right", entry.right)):
        yield f"{label}:\n\n```yaml\n{_printable(dedent(text)).strip()}\n```\n"


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() or c in "\n\t" else f"\\x{ord(c):02x}" for c in text)
