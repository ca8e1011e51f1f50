import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from emily_infra.machine import Machine, connect
from tests.machine.sshd import Server, make_key, serving


@pytest.fixture(autouse=True)
def _no_agent_of_the_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("sshd")
    make_key(folder / "host_rsa", "rsa")
    with serving(folder, f"HostKey {folder}/host_rsa") as started:
        yield started


@pytest.fixture(scope="session")
def jump(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("jump")) as started:
        yield started


@pytest.fixture
def machine(server: Server) -> Iterator[Machine]:
    machine = connect(server.target())
    yield machine
    machine.close()


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A running ssh-agent that holds nothing yet."""
    address = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(address)], stdout=subprocess.DEVNULL)
    while not address.exists():
        os.sched_yield()
    monkeypatch.setenv("SSH_AUTH_SOCK", str(address))
    yield address
    process.terminate()
    process.wait()
