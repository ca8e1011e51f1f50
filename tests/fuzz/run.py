"""Load, check and render one case, and hold the answer and its cost against what is promised."""

import gc
import random
import re
import signal
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from emily_infra.check import check
from emily_infra.check.rule import RULES, Standing
from emily_infra.findings import Finding, Severity
from emily_infra.render import render
from emily_infra.render.templates import Templates
from emily_infra.spec.host import Host
from emily_infra.spec.load import parse
from tests.fuzz.mutate import reordered
from tests.hosts import TODAY, shipped

SECONDS = 6.0  # of one processor, however slow it is; what blows up takes minutes
MEBIBYTES = 250
SAID_OF_NOTHING = 200_000
_OBEYED = re.compile("[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_TEMPLATES = Templates()


class TooSlow(Exception):
    """The case has used up its time; the traceback shows on what."""


@dataclass
class Outcome:
    """How far a case came, what that cost, and what was wrong with it."""

    stage: str = "refused"
    seconds: float = 0.0
    mebibytes: int = 0
    findings: list[Finding] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def run(raw: bytes, name: str = "mutant") -> Outcome:
    """Everything that the command line does with a file, less printing."""
    outcome = Outcome()
    held = _tidied()
    host = _timed(outcome, lambda: _alone(raw, name, outcome))
    outcome.mebibytes = _memory("VmHWM") - held
    if outcome.mebibytes > MEBIBYTES:
        outcome.faults.append(f"{outcome.mebibytes} MiB of memory")
    if isinstance(host, Host):
        _timed(outcome, lambda: _among_others(host, outcome))
        outcome.faults += _depends_on_order(host, outcome)
    outcome.faults += _faults(outcome.findings, raw)
    return outcome


def _timed(outcome: Outcome, work: Callable[[], Host | None]) -> Host | None:
    before = time.process_time()
    try:
        with _within(SECONDS):
            return work()
    except Exception:
        outcome.faults.append(traceback.format_exc(limit=-4))
        return None
    finally:
        outcome.seconds = max(outcome.seconds, time.process_time() - before)


def _alone(raw: bytes, name: str, outcome: Outcome) -> Host | None:
    host, outcome.findings = parse(name, f"hosts/{name}/host.yaml", raw)
    if host is None:
        if not outcome.findings:
            outcome.faults.append("neither a host nor a finding")
        return None
    outcome.stage = "checked"
    outcome.findings = check({name: host}, TODAY)
    if not any(_contradicts(finding) for finding in outcome.findings):
        outcome.files = render(host, _TEMPLATES).files
        outcome.stage = "rendered"
    return host


def _among_others(host: Host, outcome: Outcome) -> None:
    fleet = {name: shipped(name) for name in ("ember", "pebble")} | {host.name: host}
    outcome.findings += check(fleet, TODAY)


def _depends_on_order(host: Host, outcome: Outcome) -> Iterator[str]:
    """What changes when the keys of every mapping are written in another order."""
    raw = reordered(host.source.data, random.Random(host.source.file))
    same, refused = parse(host.name, host.source.file, raw)
    if same is None:
        yield f"refused in another order: {[finding.message for finding in refused]}"
        return
    one, other = said(check({host.name: host}, TODAY)), said(check({same.name: same}, TODAY))
    for lost in (one - other) | (other - one):
        yield f"another order, another finding: {lost}"
    if outcome.files and render(same, _TEMPLATES).files != outcome.files:
        yield "another order, another module"


def said(findings: list[Finding]) -> Counter[tuple[object, ...]]:
    """Everything in findings but where they stand in the file."""
    return Counter(
        (f.code, f.severity, f.message, f.hint, f.place, f.host, f.acknowledged) for f in findings
    )


def _tidied() -> int:
    """Begin with a peak of what is held now, in MiB; whoever runs these tests may hold a lot."""
    if _memory("VmRSS") > MEBIBYTES // 2:
        gc.collect()
    with suppress(OSError):  # proc(5): 5 resets the peak; elsewhere it only grows
        Path("/proc/self/clear_refs").write_text("5")
    return _memory("VmRSS")


def _memory(which: str) -> int:
    text = Path("/proc/self/status").read_text()
    found = re.search(rf"^{which}:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) // 1024 if found else 0


def _contradicts(finding: Finding) -> bool:
    """Whether no acknowledgement could let this host be rendered."""
    rule = RULES.get(finding.code)
    if finding.severity is not Severity.ERROR:
        return False
    return rule is None or rule.standing is Standing.CONTRADICTION


def _faults(findings: list[Finding], raw: bytes) -> Iterator[str]:
    lines = 2 + sum(map(raw.count, (b"\n", b"\r", b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9")))
    for found in findings:
        what = f"{found.code} {found.message!r} {found.hint!r}"
        if not found.message or not found.hint:
            yield f"nothing to say: {what}"
        if _OBEYED.search(found.message + found.hint):
            yield f"a control character: {what}"
        if len(found.message) > 1_000 or len(found.hint) > 2_000:
            yield f"too long: {what[:3_000]}"
        if found.host in ("", "mutant") and found.location.line > lines:
            yield f"no such line: {found.location}"
    size = sum(len(found.message) + len(found.hint) for found in findings)
    if size > 60 * len(raw) + SAID_OF_NOTHING:
        yield f"{len(findings)} findings of {size} characters"


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    def out_of_time(_signal: int, _frame: FrameType | None) -> None:
        raise TooSlow

    signal.signal(signal.SIGVTALRM, out_of_time)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    gc.disable()  # as the command line does
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
