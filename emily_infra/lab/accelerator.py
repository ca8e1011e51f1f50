"""Whether this machine's KVM really runs a guest: tried, not assumed, once each time it starts."""

import json
from pathlib import Path

from emily_infra.lab.image import Image, Tell
from emily_infra.lab.places import locked
from emily_infra.lab.qemu import PROGRAM, TCG, Accelerator, machine
from emily_infra.machine import CommandFailed, Expired, Local

_KVM = tuple(Accelerator("kvm", cpu) for cpu in ("host", "host,-arch-capabilities", "qemu64"))
_PASSED = "lab-probe-passed"
_DEADLINE = 8.0
_DEVICE = Path("/dev/kvm")
_BOOT = Path("/proc/sys/kernel/random/boot_id")


def accelerator(cache: Path, image: Image, tell: Tell) -> Accelerator:
    """The quickest way to run a guest that works here."""
    verdict = cache / "accelerator.json"
    with locked(cache / ".accelerator.lock"):
        known = _read(verdict)
        if known is None:
            known = _probe(image, tell)
            content = {"boot": _boot(), "name": known.name, "cpu": known.cpu}
            verdict.write_text(json.dumps(content))
    return known


def _probe(image: Image, tell: Tell) -> Accelerator:
    if _DEVICE.exists():
        tell("trying whether KVM runs a guest here")
    for candidate in _KVM if _DEVICE.exists() else ():
        if _boots(candidate, image):
            return candidate
    tell("KVM does not run a guest here: the processor is emulated")
    return TCG


def _boots(candidate: Accelerator, image: Image) -> bool:
    """Whether the lab's kernel gets as far as its first program, which switches off again."""
    words = (*candidate.options, *machine(image, "lab.probe"), "-m", "512", "-no-reboot")
    try:
        said = Local().run(PROGRAM, *words, "-serial", "stdio", deadline=_DEADLINE)
    except (CommandFailed, Expired):
        return False
    return _PASSED in said


def _read(verdict: Path) -> Accelerator | None:
    try:
        content = json.loads(verdict.read_text())
        return Accelerator(content["name"], content["cpu"]) if content["boot"] == _boot() else None
    except (OSError, ValueError, KeyError):
        return None


def _boot() -> str:
    return _BOOT.read_text().strip()
