"""The monitoring module."""

from collections.abc import Mapping

from emily_infra.spec.host import Host


def lower(host: Host) -> Mapping[str, object] | None:
    """What modules/monitoring.nix.j2 prints, or nothing where the host has no such part."""
    return None
