"""Every code with its story: of the file, of the rules, of acknowledging."""

from emily_infra import errors
from emily_infra.check import (
    acknowledgement,
    backing_up,
    disks,
    installing,
    recovering,
    replicating,
    restoring,
    runtime_deploys,
    snapshotting,
)
from emily_infra.check.rule import RULES
from emily_infra.findings import Explanation
from emily_infra.spec import codes


def catalogue() -> dict[str, Explanation]:
    """All findings and errors by code, in the order of codes."""
    entries = (
        *errors.EXPLANATIONS,
        *codes.EXPLANATIONS,
        *backing_up.EXPLANATIONS,
        *replicating.EXPLANATIONS,
        *acknowledgement.EXPLANATIONS,
        *disks.EXPLANATIONS,
        *installing.EXPLANATIONS,
        *recovering.EXPLANATIONS,
        *restoring.EXPLANATIONS,
        *runtime_deploys.EXPLANATIONS,
        *snapshotting.EXPLANATIONS,
        *RULES.values(),
    )
    return {entry.code: entry for entry in sorted(entries, key=lambda entry: entry.code)}
