"""Units that somebody has edited, masked or added on the machine."""

from collections.abc import Iterator

from emily_infra.observe.drift.difference import Command, Difference
from emily_infra.observe.observation import Observation
from emily_infra.observe.units import Override

AREA = "units"


def differences(seen: Observation) -> Iterator[Difference]:
    """Every file and link that lies over the generated units."""
    for each in seen.units.overrides:
        yield Difference(AREA, each.unit, "as generated", _found(each), _command(each))


def _found(override: Override) -> str:
    if override.masks:
        return f"masked by {override.path}"
    return f"{override.path}{f' -> {override.target}' if override.target else ''}"


def _command(override: Override) -> Command:
    runtime = ("--runtime",) if override.path.startswith("/run/") else ()
    if override.masks:
        return ("systemctl", "unmask", *runtime, override.unit)
    return ("systemctl", "revert", override.unit)
