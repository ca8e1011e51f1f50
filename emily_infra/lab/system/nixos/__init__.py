"""What NixOS's own modules make of the options that ours set, as far as the lab plays them.

Each `lower` reads a configuration and answers with options again, which are merged in: a service
becomes units and files, and a host may add to those as it does on NixOS. Two rounds, because the
second reads what the first one made.
"""

from collections.abc import Callable

from emily_infra.lab.system.config import Config, Values
from emily_infra.lab.system.nixos import (
    base,
    networkd,
    nftables,
    prometheus,
    samba,
    ssh,
    wireguard,
    zfs,
)

ROUNDS: tuple[tuple[tuple[str, Callable[[Config], Values]], ...], ...] = (
    (
        ("nix", base.early),
        ("nftables", nftables.lower),
        ("openssh", ssh.lower),
        ("prometheus", prometheus.lower),
        ("samba", samba.lower),
        ("wireguard", wireguard.lower),
        ("zfs", zfs.lower),
    ),
    (
        ("base", base.lower),
        ("networkd", networkd.lower),
    ),
)
