"""A real sshd on a loopback port, with keys of its own, and a link to it that can break."""

import getpass
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from emily_infra.machine import Target

_CONFIGURATION = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {host_key}
AuthorizedKeysFile {keys}
{more}
PidFile none
StrictModes no
UsePAM no
UseDNS no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 200
# Else bash, seeing sshd before it, reads the .bashrc of whoever runs the tests: pyenv's waits a
# minute for a lock that a killed session has left behind.
SetEnv SHLVL=2
"""


@dataclass(frozen=True)
class Server:
    """Where the sshd listens, and the files that lead into it."""

    folder: Path
    port: int

    @property
    def key(self) -> Path:
        return self.folder / "id_ed25519"

    @property
    def known_as(self) -> str:
        return f"[127.0.0.1]:{self.port}"

    def target(self, **changed: object) -> Target:
        """A target that gets in, whatever ~/.ssh holds."""
        given = Target(
            "ember",
            "127.0.0.1",
            user=getpass.getuser(),
            port=self.port,
            identity=self.key,
            known_hosts=self.folder / "known_hosts",
            configuration=Path("/dev/null"),
        )
        return replace(given, **changed)  # type: ignore[arg-type]

    def host_key(self, kind: str = "ed25519") -> str:
        """The public host key: kind and text."""
        return public(self.folder / f"host_{kind}")

    def knows(self, file: Path, *lines: str) -> Target:
        """A target whose known_hosts FILE holds these lines."""
        file.write_text("".join(f"{line}\n" for line in lines))
        return self.target(known_hosts=file)

    def configured(self, file: Path, *lines: str) -> Target:
        """A target for which ssh's configuration says everything."""
        file.write_text("Host *\n" + "".join(f"  {line}\n" for line in lines))
        return Target("ember", "ember", user=getpass.getuser(), configuration=file)


def public(key: Path) -> str:
    return " ".join(key.with_name(key.name + ".pub").read_text().split()[:2])


def make_key(file: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    bits = ("-b", "2048") if kind == "rsa" else ()
    command = [
        "ssh-keygen",
        "-q",
        "-t",
        kind,
        *bits,
        "-N",
        passphrase,
        "-C",
        file.name,
        "-f",
        str(file),
    ]
    subprocess.run(command, check=True)
    return file


@contextmanager
def serving(folder: Path, more: str = "", before: tuple[str, ...] = ()) -> Iterator[Server]:
    """An sshd for as long as the block lasts; BEFORE is a command that starts it."""
    Path("/run/sshd").mkdir(exist_ok=True)
    server = Server(folder, free_port())
    make_key(folder / "host_ed25519")
    make_key(folder / "id_ed25519")
    shutil.copy(folder / "id_ed25519.pub", folder / "authorized_keys")
    (folder / "known_hosts").write_text(f"{server.known_as} {server.host_key()}\n")
    file = folder / "sshd_config"
    host_key, keys = folder / "host_ed25519", folder / "authorized_keys"
    file.write_text(configuration(server.port, host_key, keys, more))
    program = shutil.which("sshd", path="/usr/sbin:/usr/bin") or "sshd"
    log = folder / "log"
    process = subprocess.Popen([*before, program, "-D", "-f", file, "-E", log])
    try:
        wait_for(server.port)
        yield server
    finally:
        process.terminate()
        process.wait()


def configuration(port: int, host_key: Path, keys: Path, more: str = "") -> str:
    """What every daemon of the tests has in its sshd_config; MORE counts before the rest."""
    return _CONFIGURATION.format(port=port, host_key=host_key, keys=keys, more=more)


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def wait_for(port: int) -> None:
    """Until somebody listens there."""
    end = time.monotonic() + 10
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        assert time.monotonic() < end, "sshd does not answer"
        time.sleep(0.02)


class Wire:
    """A TCP proxy before a server, which loses everything or breaks when it is told to."""

    def __init__(self, port: int) -> None:
        self._behind = port
        self._flowing = threading.Event()
        self._flowing.set()
        self._ends: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def freeze(self) -> None:
        """No byte passes any more, and nobody is told."""
        self._flowing.clear()

    def cut(self) -> None:
        """Both sides see the end of the connection."""
        for end in self._ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._listener.close()
        self._flowing.set()
        self.cut()

    @property
    def connections(self) -> int:
        """How many came so far."""
        return len(self._ends) // 2

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._behind))
                self._ends += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                self._flowing.wait()
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


@contextmanager
def wire(server: Server) -> Iterator[tuple[Wire, Target]]:
    """A breakable way to SERVER, and the target at its end."""
    proxy = Wire(server.port)
    file = server.folder / f"known_hosts_{proxy.port}"
    try:
        yield (
            proxy,
            replace(
                server.knows(file, f"[127.0.0.1]:{proxy.port} {server.host_key()}"), port=proxy.port
            ),
        )
    finally:
        proxy.close()
