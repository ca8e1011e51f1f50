"""Findings that a person accepts: by code, place, reason and until when."""

from collections.abc import Iterator
from datetime import date

from emily_infra.check.rule import RULES, Standing
from emily_infra.findings import Explanation, Finding, Severity, dotted
from emily_infra.spec.host import Acknowledgement, Fleet, Host

EXPLANATIONS = (
    Explanation(
        "ACK001", Severity.WARNING, "An acknowledgement has run out",
        "The finding that it covered counts again. The date was a promise to look once more.",
        "acknowledge:\n"
        "  - { code: BAK007, at: backup, reason: the first drill is being set up, until: 2026-01-31 }\n",
        "acknowledge:\n"
        "  - { code: BAK007, at: backup, reason: the first drill is being set up, until: 2999-01-31 }\n",
    ),
    Explanation(
        "ACK002", Severity.WARNING, "An acknowledgement matches nothing",
        "Its finding is gone or its place is written differently. A stale line would hide the same "
        "fault when it comes back.",
        "acknowledge:\n"
        "  - { code: STO004, at: storage.pools.nowhere, reason: there were only two slots }\n",
        "acknowledge: []\n",
    ),
    Explanation(
        "ACK003", Severity.ERROR, "This finding cannot be acknowledged",
        "It is a contradiction and not a risk: what would be rendered makes no sense.",
        "samba:\n  shares:\n    work: { dataset: tank/nowhere, users: [colter], zones: [home] }\n"
        "acknowledge:\n"
        "  - { code: SMB001, at: samba.shares.work, reason: the dataset comes next week }\n",
        "acknowledge: []\n",
    ),
)  # fmt: skip


def weigh(fleet: Fleet, found: list[Finding], today: date) -> Iterator[Finding]:
    """The findings, marked where acknowledged, and what is wrong with the acknowledgements."""
    used: set[tuple[str, int]] = set()
    for finding in found:
        valid = finding
        for index, entry in enumerate(fleet[finding.host].spec.acknowledge):
            if _covers(entry, finding):
                used.add((finding.host, index))
                if _accepted(entry, today):
                    valid = finding.acknowledge(entry.reason)
        yield valid
    for host in fleet.values():
        for index, entry in enumerate(host.spec.acknowledge):
            yield from _own_findings(host, index, today, matched=(host.name, index) in used)


def _covers(entry: Acknowledgement, finding: Finding) -> bool:
    place = dotted(finding.place)
    below = place.startswith((f"{entry.at}.", f"{entry.at}["))
    return entry.code == finding.code and (place == entry.at or below)


def _accepted(entry: Acknowledgement, today: date) -> bool:
    in_time = entry.until is None or today <= entry.until
    return in_time and RULES[entry.code].standing is Standing.RISK


def _own_findings(host: Host, index: int, today: date, *, matched: bool) -> Iterator[Finding]:
    entry = host.spec.acknowledge[index]
    at = ("acknowledge", index)

    def finding(code: str, severity: Severity, message: str, hint: str) -> Finding:
        return Finding(code, severity, host.source.locate(at), message, hint, at, host.name)

    rule = RULES.get(entry.code)
    if rule and rule.standing is Standing.CONTRADICTION:
        text = f"{entry.code} cannot be acknowledged: {rule.title.lower()}"
        yield finding(
            "ACK003", Severity.ERROR, text, f"mend it; see emily-infra explain {entry.code}"
        )
    elif entry.until and today > entry.until:
        text = f"{entry.code} at {entry.at} was accepted until {entry.until}"
        yield finding(
            "ACK001", Severity.WARNING, text, "mend the cause, or look again and move the date"
        )
    elif not matched:
        text = f"{entry.code} at {entry.at} is acknowledged but does not occur"
        yield finding(
            "ACK002", Severity.WARNING, text, "delete the line, or copy the place check prints"
        )
