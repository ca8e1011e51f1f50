"""What the alerts learn of drills."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from emily_infra.backup import metrics, state
from emily_infra.backup.evidence import Finding, Verdict
from emily_infra.backup.examining import examine
from emily_infra.backup.here import Here
from emily_infra.backup.metrics import Sample
from emily_infra.backup.rates import seconds_per_gb


def publish(here: Here, repository: str, found: Sequence[Finding], *, of: int) -> None:
    """Figures of a repository's newest drill, OF so many datasets.

    One that could not run leaves the last verdict as it was: its age is what raises the alarm.
    """
    file = _file(here, repository)
    known = state.read(file) or {}
    verdicts = {each.verdict for each in found}
    if Verdict.DIFFERS in verdicts:
        known["success"] = 0
    elif verdicts == {Verdict.SAME} and len(found) == of:
        known |= {"success": 1, "last": here.now().timestamp()}
    size, seconds = (sum(getattr(each, key) for each in found) for key in ("bytes", "seconds"))
    rate = seconds_per_gb(size, seconds)
    if rate is not None:
        known["rate"] = rate
    state.write(file, known)
    metrics.publish(here, f"drill-{repository}", _samples(repository, known))


def attest(here: Here, keys: Iterable[Path]) -> None:
    """Whether the log of drills is as it was written: nobody else looks before it is needed."""
    valid = not examine(here, keys).faults
    metrics.publish(here, "evidence", [Sample("emily_evidence_valid", valid)])


_SERIES = {
    "success": "emily_restore_test_success",
    "last": "emily_restore_test_last_success_timestamp_seconds",
    "rate": "emily_restore_seconds_per_gigabyte",
}


def _samples(repository: str, known: dict[str, object]) -> list[Sample]:
    return [
        Sample(series, value, {"repository": repository})
        for key, series in _SERIES.items()
        if isinstance(value := known.get(key), int | float)
    ]


def _file(here: Here, repository: str) -> Path:
    return here.settings.paths.state / "drills" / f"{repository}.json"
