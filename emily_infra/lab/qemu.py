"""The command line of QEMU for a lab."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from emily_infra.lab.disks import Disk
from emily_infra.lab.image import Image
from emily_infra.lab.network import World
from emily_infra.lab.outside import CONSOLE_PORT
from emily_infra.lab.places import Files

PROGRAM = "qemu-system-x86_64"
_FUNCTIONS = 8
_FIRST_SLOT = 8
_QUIET = "console=ttyS0 quiet loglevel=2 panic=10 TERM=dumb"
"""A serial line is slow, and systemd waits for a terminal that can answer."""
_EMULATED = "mitigations=off nowatchdog random.trust_cpu=on"


@dataclass(frozen=True)
class Accelerator:
    """How the machine's processor comes about."""

    name: str
    cpu: str

    @property
    def processors(self) -> int:
        """One under TCG: with two, QEMU 7.2 runs stale code now and then, and the kernel dies."""
        return 2 if self.name == "kvm" else 1

    @property
    def options(self) -> tuple[str, ...]:
        """What QEMU is told."""
        words = "kvm" if self.name == "kvm" else "tcg,thread=multi,tb-size=512"
        return ("-accel", words, "-cpu", self.cpu, "-smp", str(self.processors))

    @property
    def patience(self) -> float:
        """By how much longer everything may take than on a processor."""
        return 1.0 if self.name == "kvm" else 6.0


# Without cmpxchg16b, which loses the flags under TCG of QEMU 7.2 when an interrupt follows it.
TCG = Accelerator("tcg", "qemu64,-cx16")


@dataclass(frozen=True)
class Ports:
    """Of the loopback interface of this machine."""

    operator: int
    console: int


@dataclass(frozen=True)
class Hardware:
    """What the machine is built from."""

    memory: int
    disks: tuple[Disk, ...]
    cards: dict[str, str]
    """The host's own cards: uplink and burnt-in address."""


def arguments(
    files: Files, image: Image, accelerator: Accelerator, hardware: Hardware, around: Iterator[str]
) -> tuple[str, ...]:
    """QEMU's whole command line; it goes to the background once the machine runs."""
    return (
        PROGRAM,
        *accelerator.options,
        *machine(image, _EMULATED if accelerator.name == "tcg" else ""),
        *("-m", str(hardware.memory)),
        *("-serial", f"file:{files.serial}"),
        *("-daemonize", "-pidfile", str(files.pid)),
        *_drive("lab-root", files.root, "qcow2"),
        *_drive("lab-config", files.config, "raw", "readonly=on"),
        *_drive("lab-boot", files.boot, "raw"),
        *_disks(files, hardware.disks),
        *around,
    )


def machine(image: Image, words: str) -> tuple[str, ...]:
    """The bare machine with its kernel: nothing that the lab does not use, because each part of it
    costs time at the start.
    """
    return (
        *("-machine", "q35,sata=off,smbus=off,usb=off,vmport=off,hpet=off"),
        *("-nodefaults", "-no-user-config", "-display", "none"),
        *("-kernel", str(image.kernel), "-initrd", str(image.initrd)),
        *("-append", f"{_QUIET} {words}".strip()),
    )


def wires(world: World, ports: Ports, cards: dict[str, str]) -> Iterator[str]:
    """The way to the operator, and a hub for each uplink with the host's card and its other end."""
    forward = "".join(
        f",hostfwd=tcp:127.0.0.1:{here}-{world.here}:{there}"
        for here, there in ((ports.operator, 22), (ports.console, CONSOLE_PORT))
    )
    yield from ("-netdev", f"user,id=world,net={world.wire},ipv6=off,restrict=on{forward}")
    yield from _card("world", world.mac)
    for hub, (name, mac) in enumerate(sorted(cards.items())):
        for end, address in (("host", mac), ("peer", world.cards[name])):
            yield from ("-netdev", f"hubport,id={end}{hub},hubid={hub}")
            yield from _card(f"{end}{hub}", address)


def _card(net: str, mac: str) -> tuple[str, str]:
    return ("-device", f"virtio-net-pci,netdev={net},mac={mac},romfile=")


def _drive(serial: str, path: Path, kind: str, more: str = "") -> tuple[str, ...]:
    options = ",".join(filter(None, (f"if=none,id={serial},format={kind}", more)))
    return (
        *("-drive", f"{options},file={_escaped(path)}"),
        *("-device", f"virtio-blk-pci,drive={serial},serial={serial}"),
    )


def _disks(files: Files, disks: tuple[Disk, ...]) -> Iterator[str]:
    """Eight to a slot: a bus has 32, and a host may have more disks."""
    for number, disk in enumerate(disks):
        slot, function = divmod(number, _FUNCTIONS)
        path = _escaped(files.disks / f"{disk.name}.qcow2")
        yield "-drive"
        yield f"if=none,id=disk{number},format=qcow2,discard=unmap,file={path}"
        yield "-device"
        yield (
            f"virtio-blk-pci,drive=disk{number},serial={disk.serial}"
            f",addr={_FIRST_SLOT + slot:#x}.{function:#x}"
            f"{',multifunction=on' if function == 0 else ''}"
        )


def _escaped(path: Path) -> str:
    """A comma ends a value for QEMU, but for two of them."""
    return str(path).replace(",", ",,")
