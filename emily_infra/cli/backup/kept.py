"""How what is kept of snapshots, what goes, and what stands in the way is told."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from emily_infra.backup.faults import BUSY, DONE, FAILED, INCOMPLETE
from emily_infra.cli.output import complain

if TYPE_CHECKING:
    from emily_infra.backup.expire import Expiry
    from emily_infra.backup.upkeep import Run

_WORST = (FAILED, BUSY, INCOMPLETE)


def ended(runs: "Iterable[Run]") -> int:
    """Tell what went wrong in any pool; the exit code of it all."""
    troubles = [trouble for run in runs for trouble in run.trouble]
    for trouble in troubles:
        complain(f"{trouble.code}: {trouble}", trouble.hint)
    codes = {getattr(trouble, "exit_code", FAILED) for trouble in troubles}
    return next((code for code in _WORST if code in codes), FAILED if codes else DONE)


def run_data(run: "Run") -> dict[str, object]:
    """A pool for a program."""
    return {
        "pool": run.pool,
        "taken": [each.full for each in run.taken],
        "datasets": [_expiry_data(done) for done in run.expired],
        "errors": [{"code": e.code, "message": str(e), "hint": e.hint} for e in run.trouble],
    }


def _expiry_data(done: "Expiry") -> dict[str, object]:
    plan, keeps = done.plan, done.plan.verdict.kept
    stop = plan.verdict.stop
    return {
        "dataset": plan.dataset,
        "kept": [
            {
                "snapshot": each.name,
                "created": each.creation.isoformat(),
                "reasons": list(keeps[str(each.guid)]),
            }
            for each in plan.ours
            if str(each.guid) in keeps
        ],
        "expired": [each.name for each in plan.expired if each.full not in done.spared],
        "destroyed": [each.name for each in done.destroyed],
        "spared": {name.partition("@")[2]: why for name, why in sorted(done.spared.items())},
        "not_ours": plan.foreign,
        "stopped": stop and {
            "reason": str(stop.reason), "message": stop.message, "hint": stop.hint,
        },
    }  # fmt: skip
