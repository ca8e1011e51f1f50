"""A live machine against its host.yaml. Pure: spec, rendered files and an observation come in."""

from collections.abc import Mapping

from emily_infra.observe.drift import network, people, shares, storage, systems, units
from emily_infra.observe.drift.difference import Difference
from emily_infra.observe.observation import Observation
from emily_infra.spec.host import Host

__all__ = ["Difference", "drift"]


def drift(host: Host, files: Mapping[str, str], seen: Observation) -> tuple[Difference, ...]:
    """Every difference; `files` are those of hosts/NAME as it would be rendered now.

    A part that the machine could not tell of has no differences: it stands in `seen.gaps`.
    """
    return (
        *systems.differences(host, files, seen),
        *units.differences(seen),
        *storage.differences(host, seen),
        *network.differences(host, seen),
        *shares.differences(host, seen),
        *people.differences(host, seen),
    )
