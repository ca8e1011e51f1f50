"""Findings that a person accepts: by code, place, reason and until when."""

from collections.abc import Iterator
from datetime import date
from difflib import get_close_matches

from emily_infra.check.rule import RULES, Standing
from emily_infra.findings import Explanation, Finding, Severity, dotted
from emily_infra.spec.host import Acknowledgement, Fleet

EXPLANATIONS = (
    Explanation(
        "ACK001", Severity.WARNING, "An acknowledgement has run out",
        "The finding that it covered counts again. The date was a promise to look once more.",
        "backup: { drill: null }\nacknowledge:\n"
        "  - { code: BAK007, at: backup, reason: a drill is set up, until: 2026-01-31 }\n",
        "backup: { drill: null }\nacknowledge:\n"
        "  - { code: BAK007, at: backup, reason: a drill is set up, until: 2999-01-31 }\n",
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
    entries = _by_code(fleet)
    used: set[tuple[str, int]] = set()
    for finding in found:
        reason = None
        written = dotted(finding.place)
        for index, entry in entries.get((finding.host, finding.code), ()):
            if _covers(entry, written):
                used.add((finding.host, index))
                if reason is None and _accepted(entry, today):
                    reason = entry.reason
        yield finding if reason is None else finding.acknowledge(reason)
    for host in fleet.values():
        for index, entry in enumerate(host.spec.acknowledge):
            problem = _problem(entry, today, occurs=(host.name, index) in used)
            if problem:
                code, severity, message, hint = problem
                at = ("acknowledge", index)
                place = host.source.locate(at)
                yield Finding(code, severity, place, message, hint, at, host.name)


def _by_code(fleet: Fleet) -> dict[tuple[str, str], list[tuple[int, Acknowledgement]]]:
    entries: dict[tuple[str, str], list[tuple[int, Acknowledgement]]] = {}
    for host in fleet.values():
        for index, entry in enumerate(host.spec.acknowledge):
            entries.setdefault((host.name, entry.code), []).append((index, entry))
    return entries


def _covers(entry: Acknowledgement, place: str) -> bool:
    return place == entry.at or place.startswith((f"{entry.at}.", f"{entry.at}["))


def _accepted(entry: Acknowledgement, today: date) -> bool:
    return not _is_over(entry, today) and RULES[entry.code].standing is Standing.RISK


def _is_over(entry: Acknowledgement, today: date) -> bool:
    return entry.until is not None and today > entry.until


def _problem(
    entry: Acknowledgement, today: date, *, occurs: bool
) -> tuple[str, Severity, str, str] | None:
    what = f"{entry.code} at {entry.at}"
    rule = RULES.get(entry.code)
    if rule is None:
        near = get_close_matches(entry.code, RULES, 1, 0.5)
        hint = f"did you mean {near[0]}? " if near else ""
        hint += "All codes: emily-infra explain"
        return "ACK002", Severity.WARNING, f"no rule has the code {entry.code}", hint
    if rule.standing is Standing.CONTRADICTION:
        message = f"{what} cannot be acknowledged: {rule.title}"
        hint = f"mend it and delete this entry; see emily-infra explain {entry.code}"
        return "ACK003", Severity.ERROR, message, hint
    if not occurs:
        hint = "delete the entry, or copy the place that check prints"
        return "ACK002", Severity.WARNING, f"{what} is acknowledged but does not occur", hint
    if _is_over(entry, today):
        hint = "mend the cause, or look again and move the date"
        return "ACK001", Severity.WARNING, f"{what} was accepted until {entry.until}", hint
    return None
