"""Whether a machine has said all that it takes to decide about its disks and pools."""

from emily_infra.disks.faults import Unknown
from emily_infra.observe import Observation


def known_pools(name: str, seen: Observation) -> None:
    """Unknown, where the machine could not say which pools it has, or what devices."""
    for section in ("pool", "kernel_on_pools", "block_devices", "links"):
        if not seen.knows(section):
            gaps = "; ".join(f"{gap.section}: {gap.why}" for gap in seen.gaps)
            raise Unknown(
                f"{name} could not say all that it takes to decide: {gaps}",
                hint=f"look at it: emily-infra status {name}",
            )
