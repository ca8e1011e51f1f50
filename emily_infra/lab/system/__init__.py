"""The lab's "system": a host's generation for a Debian machine, switched to as on NixOS.

The rendered modules are evaluated by the real Nix, merged, and lowered to native files: units,
networkd, nftables, smb.conf, Prometheus, accounts. What NixOS does in addition, the modules under
`nixos/` do; what runs inside the machine stands in `guest/`. options.py lists every option there is
an answer to.
"""

from emily_infra.lab.system.building import answers, build, factory
from emily_infra.lab.system.overrides import Overrides, PeerOverride

__all__ = ["Overrides", "PeerOverride", "answers", "build", "factory"]
