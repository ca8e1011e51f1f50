"""Spec against observation: what would change, why, and what may go wrong. Pure."""

from emily_infra.plan.model import (
    Access,
    Activation,
    Built,
    Danger,
    Hazard,
    Need,
    Plan,
    Step,
    Taking,
    Touch,
    Weight,
)
from emily_infra.plan.options import by_nix
from emily_infra.plan.planning import Means, plan
from emily_infra.plan.saved import digest, from_json, meant_for, stale, to_json

__all__ = [
    "Access", "Activation", "Built", "Danger", "Hazard", "Means", "Need", "Plan", "Step", "Taking",
    "Touch",
    "Weight", "by_nix", "digest", "from_json", "meant_for", "plan", "stale",
    "to_json",
]  # fmt: skip
