"""How long things live: snapshots by policy, copies by what `restic forget` leaves."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from emily_infra.spec.base import Strict, wrong

Count = Annotated[int, Field(ge=0, le=10_000)]


class SnapshotPolicy(Strict):
    """How many snapshots of each period are kept; a period is kept by its newest snapshot."""

    frequent: Annotated[Count, Field(description="Quarter hours.")] = 0
    hourly: Annotated[Count, Field(description="Hours.")] = 0
    daily: Annotated[Count, Field(description="Days.")] = 0
    weekly: Annotated[Count, Field(description="ISO weeks.")] = 0
    monthly: Annotated[Count, Field(description="Months.")] = 0
    yearly: Annotated[Count, Field(description="Years.")] = 0

    @model_validator(mode="after")
    def _keeps_something(self) -> Self:
        if not any(count for _, count in self):
            raise wrong("the policy keeps nothing", "such as { hourly: 48, daily: 14 }")
        return self


class Keep(Strict):
    """What `restic forget` leaves."""

    daily: Annotated[Count, Field(description="Days.")] = 7
    weekly: Annotated[Count, Field(description="Weeks.")] = 4
    monthly: Annotated[Count, Field(description="Months.")] = 12
    yearly: Annotated[Count, Field(description="Years.")] = 3
