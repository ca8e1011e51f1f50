"""A lab's files, made or brought up to date before its machine starts."""

import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from emily_infra.lab import config
from emily_infra.lab.disks import disks, preparation, serial
from emily_infra.lab.faults import NoRoom
from emily_infra.lab.image import Image, Tell
from emily_infra.lab.keys import public, ssh_pair
from emily_infra.lab.memory import LOOPBACK, Memory
from emily_infra.lab.network import World, world
from emily_infra.lab.places import Files
from emily_infra.lab.qemu import Accelerator, Hardware, arguments, wires
from emily_infra.lab.system import Overrides, PeerOverride, answers, factory
from emily_infra.machine import Local
from emily_infra.spec.host import Host
from emily_infra.spec.units import Duration
from emily_infra.spec.wireguard import WireGuard

_HERE = Path(__file__).parent
_DISK = 3 << 30
_SPARE_MEMORY = 256
HASTE = 2.0
"""How much sooner a deploy gives up than `up` does, which only waits."""


@dataclass(frozen=True)
class Plan:
    """What `up` was asked for."""

    host: Host
    root: Path
    memory: int = 2048


def make(files: Files, memory: Memory, image: Image, plan: Plan, tell: Tell) -> Memory:
    """Everything on disk that the machine needs."""
    _check_room(files, plan)
    around = world(plan.host.spec)
    memory = replace(memory.with_tunnels(around), user=plan.host.spec.deploy.user)
    _keys(files, memory)
    _disks(files, image, plan)
    content = given(files, memory, plan, around)
    if not memory.installed:
        tell("building the generation that the lab begins with")
        content |= _factory(files, memory, plan)
    write_config(files, content)
    options = answers(plan.host)
    unknown = sorted({(each.option, each.reason) for each in options.left_out})
    left_out = (*_left_out(plan, around), *(f"{option}: {why}" for option, why in unknown))
    return replace(memory, exercised=options.exercised, left_out=left_out)


def write_config(files: Files, content: dict[str, bytes]) -> None:
    """The archive that the machine unpacks, readable by its owner alone."""
    descriptor = os.open(files.config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(config.archive(content))


def given(files: Files, memory: Memory, plan: Plan, around: World) -> dict[str, bytes]:
    """What the machine is told at every start."""
    texts = config.files(plan.host.spec, around, memory.keys)
    texts |= {
        "machine-id": f"{memory.machine_id}\n",
        "authorized_keys": f"{public(files.key)}\n",
        "boot": (_HERE / "system" / "guest" / "boot.py").read_text(),
        "world": (_HERE / "guest" / "world").read_text(),
        "ssh_host_ed25519_key": files.host_key.read_text(),
        "ssh_host_ed25519_key.pub": f"{public(files.host_key)}\n",
    }
    return {name: text.encode() for name, text in texts.items()}


def overrides(files: Files, memory: Memory) -> Overrides:
    """In what a lab's generations differ from those of the host."""
    keys = memory.keys
    peers = {
        name: PeerOverride(keys[name].public, endpoint)
        for name, endpoint in memory.endpoints.items()
    }
    return Overrides(
        authorized_keys=(public(files.key),), peers=peers, patience=round(memory.patience)
    )


def played(host: Host, memory: Memory) -> Host:
    """The host whose description its lab fulfils: with its keys, and at its pace."""
    spec, factor = host.spec, max(1, round(memory.patience / HASTE))
    deploy = spec.deploy.model_copy(update={
        name: Duration(getattr(spec.deploy, name) * factor)
        for name in ("activate_within", "confirm_within")
    })  # fmt: skip
    tunnels = {name: _tunnel(name, body, memory) for name, body in spec.wireguard.items()}
    return replace(host, spec=spec.model_copy(update={"deploy": deploy, "wireguard": tunnels}))


def _tunnel(name: str, tunnel: WireGuard, memory: Memory) -> WireGuard:
    keys = memory.keys
    peers = {
        peer: body.model_copy(update={"public_key": keys[f"{name}/{peer}"].public})
        for peer, body in tunnel.peers.items()
        if f"{name}/{peer}" in keys
    }
    return tunnel.model_copy(update={"peers": {**tunnel.peers, **peers}})


def command(
    files: Files, memory: Memory, image: Image, accelerator: Accelerator, plan: Plan
) -> tuple[str, ...]:
    """The command line that starts the machine."""
    spec = plan.host.spec
    cards = {name: uplink.mac for name, uplink in spec.network.uplinks.items()}
    hardware = Hardware(plan.memory, disks(spec), cards)
    around = wires(world(spec), memory.ports, cards)
    return arguments(files, image, accelerator, hardware, around)


def storage(plan: Plan) -> str:
    """The program that makes partitions and pools."""
    return preparation(plan.host.spec)


def _check_room(files: Files, plan: Plan) -> None:
    free = shutil.disk_usage(files.folder).free
    if free < _DISK:
        message = f"a lab needs 3 GiB below {files.folder}; {free >> 20} MiB are free"
        raise NoRoom(message, hint="make room, or point XDG_CACHE_HOME at another disk")
    lines = Path("/proc/meminfo").read_text().splitlines()
    available = next(int(line.split()[1]) >> 10 for line in lines if "MemAvailable" in line)
    if available < plan.memory + _SPARE_MEMORY:
        message = f"the lab's machine takes {plan.memory} MiB of memory; {available} are available"
        raise NoRoom(message, hint="end other programs or labs, or give it less: --memory 1024")


def _keys(files: Files, memory: Memory) -> None:
    ssh_pair(files.key, "lab-operator")
    ssh_pair(files.host_key, "lab")
    kind, text = public(files.host_key).split()[:2]
    ports = (memory.operator_port, memory.console_port)
    files.known_hosts.write_text("".join(f"[{LOOPBACK}]:{port} {kind} {text}\n" for port in ports))


def _disks(files: Files, image: Image, plan: Plan) -> None:
    """What is there already stays as it is."""
    if not files.root.exists():
        shutil.copy(image.boot, files.boot)
        backing = ("-b", str(image.root), "-F", "raw")
        Local().run("qemu-img", "create", "-q", "-f", "qcow2", *backing, str(files.root))
    files.disks.mkdir(exist_ok=True)
    for disk in disks(plan.host.spec):
        path = files.disks / f"{disk.name}.qcow2"
        if not path.exists():
            Local().run("qemu-img", "create", "-q", "-f", "qcow2", str(path), str(disk.size))


def _factory(files: Files, memory: Memory, plan: Plan) -> dict[str, bytes]:
    toplevel = factory(plan.host, plan.root, overrides(files, memory))
    closure = files.folder / "factory.closure"
    export = 'nix-store --export $(nix-store --query --requisites "$1") >"$2"'
    Local().run("sh", "-c", export, "sh", toplevel, str(closure), deadline=300)
    content = {"factory": f"{toplevel}\n".encode(), "factory.closure": closure.read_bytes()}
    closure.unlink()
    return content


def _left_out(plan: Plan, around: World) -> tuple[str, ...]:
    spec = plan.host.spec
    long = (disk for disk in sorted(spec.storage.disks) if serial(disk) != disk)
    names = (f"storage.disks.{name}: no serial here; it has {serial(name)}" for name in long)
    return (*around.left_out, *names)
