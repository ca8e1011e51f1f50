"""docs/reference/ports.md: the registry of ports."""

from collections.abc import Iterator

from emily_infra.spec.services import REGISTRY
from scripts.reference.markdown import row, table


def page() -> Iterator[str]:
    """The page, line by line."""
    yield "# Ports\n"
    yield (
        "The names that `network.allow` may use. Every port has one owner, so that no two programs "
        "meet on it. `network.services` of a host adds names or moves one; `system.ssh.port`, "
        "`runtime.port` and `wireguard.NAME.port` move theirs. `emily-infra show HOST` prints what "
        "a host really listens on.\n"
    )
    rows = [
        row(f"`{name}`", *(", ".join(map(str, ports)) for ports in (service.tcp, service.udp)))
        for name, service in sorted(REGISTRY.items())
    ]
    yield table("service | TCP | UDP", rows)
