"""How a deploy ended, as an error where it did not end well."""

from emily_infra.errors import EmilyError
from emily_infra.runtime.faults import BothDown, NotDeployed, WentBack
from emily_infra.runtime.record import Record, Verdict


def trouble(host: str, record: Record) -> EmilyError | None:
    """What there is to complain about; nothing where the version that was asked for takes."""
    logs = f"emily-infra runtime logs {host}"
    match record.verdict:
        case Verdict.KEPT | Verdict.UNCHANGED:
            return None
        case Verdict.WENT_BACK:
            return WentBack(
                f"{host}: the new version was worse: {record.why}; {record.old} takes again",
                hint=f"see what it said: {logs}",
            )
        case Verdict.LOST:
            return BothDown(
                f"{host}: neither version answers: {record.why}",
                hint=f"systemd goes on trying; see why: {logs}",
            )
        case _:
            return NotDeployed(
                f"{host}: nobody was moved: {record.why}",
                hint=record.hint or f"see what it said: {logs}",
            )
