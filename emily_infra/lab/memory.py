"""What a lab has to know when the command that started it is long gone."""

import json
import os
import secrets
import socket
from dataclasses import asdict, dataclass, field, replace

from emily_infra.lab.faults import Forgotten
from emily_infra.lab.keys import Pair, tunnel_pair
from emily_infra.lab.network import World
from emily_infra.lab.places import Files
from emily_infra.lab.qemu import Ports

LOOPBACK = "127.0.0.1"
_LISTS = ("arguments", "exercised", "left_out")


@dataclass(frozen=True)
class Memory:
    """Chosen once for each lab, and how its machine was last started."""

    image: str
    operator_port: int
    console_port: int
    machine_id: str
    user: str = "root"
    secrets: dict[str, str] = field(default_factory=dict)
    """Private keys of tunnels' ends, by `wg0`, `wg0/peer` and `wg0/peer/shared`."""
    endpoints: dict[str, str] = field(default_factory=dict)
    """Where the host finds the other end of a tunnel, by `wg0/peer`."""
    arguments: tuple[str, ...] = ()
    accelerator: str = ""
    patience: float = 1.0
    boot_seconds: float = 0.0
    installed: bool = False
    """Whether the factory generation is on it."""
    prepared: bool = False
    """Whether partitions and pools are as the last `up` wanted them."""
    exercised: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def ports(self) -> Ports:
        """The two ways in."""
        return Ports(self.operator_port, self.console_port)

    @property
    def keys(self) -> dict[str, Pair]:
        """The key pairs of tunnels."""
        return {name: tunnel_pair(private) for name, private in self.secrets.items()}

    def with_tunnels(self, world: World) -> "Memory":
        """The same, with keys for tunnels that have none yet."""
        names = {
            name
            for far in world.tunnels
            for name in (far.tunnel, f"{far.tunnel}/{far.peer}", f"{far.tunnel}/{far.peer}/shared")
        }
        new = {name: tunnel_pair().private for name in sorted(names - self.secrets.keys())}
        endpoints = {f"{far.tunnel}/{far.peer}": far.endpoint for far in world.tunnels}
        return replace(self, secrets={**self.secrets, **new}, endpoints=endpoints)

    def at_free_ports(self) -> "Memory":
        """The same, or at other ports where another program listens by now."""
        if all(_is_free(port) for port in (self.operator_port, self.console_port)):
            return self
        operator, console = _free_ports()
        return replace(self, operator_port=operator, console_port=console)


def fresh(image: str) -> Memory:
    """A lab that never ran."""
    return Memory(image, *_free_ports(), secrets.token_hex(16))


def recall(files: Files) -> Memory | None:
    """What a lab knew at last, or nothing where there is none."""
    try:
        known = json.loads(files.memory.read_text())
        lists = {name: tuple(known.get(name, ())) for name in _LISTS}
        return Memory(**{**known, **lists})
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, AttributeError) as error:
        raise Forgotten(
            f"what a lab wrote down of itself cannot be read: {files.memory}: {error}",
            hint=f"begin anew: emily-infra lab reset {files.folder.name}",
        ) from error


def keep(files: Files, memory: Memory) -> None:
    """Write it down, whole or not at all."""
    new = files.memory.with_suffix(".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(memory), file, indent=1)
    new.replace(files.memory)


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as QEMU will
        try:
            one.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as two:
        for each in (one, two):
            each.bind((LOOPBACK, 0))
        return one.getsockname()[1], two.getsockname()[1]
