"""The lab: a machine under QEMU that stands in for a host, with the host's disks and networks."""

from emily_infra.lab.making import Plan
from emily_infra.lab.vm import Lab, Status

__all__ = ["Lab", "Plan", "Status"]
