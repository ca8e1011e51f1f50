"""The deploy module: what a host needs to put itself back, and where it remembers its deploys."""

from collections.abc import Mapping

from emily_infra.render.host_json import METRICS, STATE
from emily_infra.spec.host import Host

DEPLOYS = f"{STATE}/deploys"
PENDING = f"{DEPLOYS}/pending"
"""A link to the folder of the deploy that has no verdict yet."""
GUARD = "emily-boot-guard"
"""The unit that settles at boot what was left open."""
_SINCE_BOOT = "$$(cat /proc/sys/kernel/random/boot_id)"
"""systemd reads $$ as a plain $, and leaves the rest to the shell."""


def lower(_: Host) -> Mapping[str, object]:
    """What modules/deploy.nix.j2 prints; the same on every host."""
    return {
        "guard": GUARD,
        "state": STATE,
        "deploys": DEPLOYS,
        "metrics": METRICS,
        "pending": PENDING,
        "condition": f"/bin/sh -c '! grep -qF \"{_SINCE_BOOT}\" {PENDING}/settings'",
        "command": f"/bin/sh {PENDING}/host.sh guard",
    }
