"""Where the service listens: what systemd hands over, or what it opens itself."""

import os
import socket
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from emily_runtime.config.config import authority
from emily_runtime.messages import Refused

FIRST = 3
"""The first file descriptor that systemd hands over, by sd_listen_fds(3)."""
CONTROL = "control"


class Given(NamedTuple):
    """Listening sockets from systemd."""

    shared: tuple[socket.socket, ...]
    control: tuple[socket.socket, ...]


def given(environment: Mapping[str, str]) -> Given:
    """Those meant for this process; the one named control is the control socket."""
    if environment.get("LISTEN_PID") != str(os.getpid()):
        return Given((), ())
    count = environment.get("LISTEN_FDS", "0")
    names = environment.get("LISTEN_FDNAMES", "").split(":")
    found: dict[bool, list[socket.socket]] = {True: [], False: []}
    for number in range(int(count) if count.isdecimal() else 0):
        name = names[number] if number < len(names) else "unknown"
        found[name == CONTROL].append(_listening(FIRST + number, name))
    return Given(tuple(found[False]), tuple(found[True]))


def _listening(descriptor: int, name: str) -> socket.socket:
    try:
        is_socket = stat.S_ISSOCK(os.fstat(descriptor).st_mode)
        door = socket.socket(fileno=descriptor) if is_socket else None
        listens = door and door.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise Refused("EMY-1008", name=name, reason=error.strerror) from None
    if not door or not listens or door.type != socket.SOCK_STREAM:
        raise Refused("EMY-1008", name=name, reason="it is not a listening stream socket")
    door.setblocking(False)  # noqa: FBT003 - the socket's own signature
    door.set_inheritable(False)
    return door


def opened(host: str, port: int, backlog: int) -> socket.socket:
    """A socket that listens on an address; Refused where somebody has it already."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    door = socket.socket(family, socket.SOCK_STREAM)
    door.setblocking(False)  # noqa: FBT003
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((host, port))
        door.listen(backlog)
    except OSError as error:
        door.close()
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise Refused("EMY-1006", address=authority(host, port), reason=reason) from None
    return door


def control(path: Path, backlog: int) -> socket.socket:
    """The instance's own socket, which only its user and root may open."""
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    door.setblocking(False)  # noqa: FBT003
    try:
        if _is_answered(path):
            raise OSError(0, "another instance answers there")
        path.unlink(missing_ok=True)
        # Through the descriptor and before anybody can connect: a chmod would come too late.
        os.fchmod(door.fileno(), 0o600)
        door.bind(str(path))
        door.listen(backlog)
    except OSError as error:
        door.close()
        raise Refused("EMY-1006", address=path, reason=error.strerror or str(error)) from None
    return door


def _is_answered(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller, suppress(OSError):
        caller.settimeout(1)
        caller.connect(str(path))
        return True
    return False
