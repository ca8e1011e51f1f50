"""The words of health.sh, run by real shells against programs that say what real ones say."""

import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

WORDS = Path(__file__).parents[2] / "emily_infra/apply/health.sh"
STATUS = """\
  pool: tank
 state: {state}
  scan: none requested
config:

\tNAME                        STATE     READ WRITE CKSUM
\ttank                        {state}     0     0     0
\t  mirror-0                  {state}     0     0     0
\t    {folder}/sda1  ONLINE       0     0     0
\t    {folder}/sdb1  {disk}       0     0     0
\tspares
\t  {folder}/sdc1    AVAIL

errors: No known data errors
"""
RAN = 30
"""Seconds since what a clock is compared with."""


@pytest.fixture(params=["dash", "bash"])
def shell(request: pytest.FixtureRequest) -> str:
    """Debian's sh and that of NixOS."""
    return str(request.param)


def made(folder: Path, program: str, lines: str) -> None:
    """Make a program of lines of sh."""
    (folder / program).write_text(f"#!/bin/sh\n{lines}\n")
    (folder / program).chmod(0o755)


def say(folder: Path, program: str, text: str) -> None:
    """Make a program that prints a text."""
    (folder / f"{program}.txt").write_text(text)
    made(folder, program, f'cat "{folder}/{program}.txt"')


def ask(shell: str, folder: Path, *words: str) -> tuple[int, str]:
    """Exit code and reason of a check in which a folder's programs come first."""
    script = f'. {WORDS}; PATH="{folder}:$PATH"; "$@"'
    done = subprocess.run(
        [shell, "-c", script, shell, *words],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout.strip()


def pool(folder: Path, state: str = "ONLINE", disk: str = "ONLINE") -> None:
    """A pool of two disks and a spare, on kernel names."""
    folder.mkdir(exist_ok=True)
    say(folder, "zpool.status", STATUS.format(state=state, disk=disk, folder="/dev"))
    made(
        folder, "zpool",
        f"case $1 in list) echo {state} ;; *) cat '{folder}/zpool.status.txt' ;; esac",
    )  # fmt: skip
    links = {"ata-A": "sda", "ata-B": "sdb", "ata-C": "sdc", "ata-D": "sdd"}
    table = "".join(f"*/{name}) echo /dev/{real} ;; " for name, real in links.items())
    made(folder, "readlink", f'case $2 in {table}*) echo "$2" ;; esac')


def test_a_pool_is_well_with_all_its_disks_under_any_name(shell: str, tmp_path: Path) -> None:
    pool(tmp_path)

    assert ask(shell, tmp_path, "pool", "tank", "ata-A", "ata-B", "ata-C") == (0, "")


def test_a_degraded_pool_names_the_disk(shell: str, tmp_path: Path) -> None:
    pool(tmp_path, "DEGRADED", "FAULTED")

    code, said = ask(shell, tmp_path, "pool", "tank", "ata-A", "ata-B")

    assert code == 1
    assert said == "pool tank is DEGRADED, mirror-0 is DEGRADED, /dev/sdb1 is FAULTED"


def test_a_disk_that_is_not_in_its_pool_is_named(shell: str, tmp_path: Path) -> None:
    pool(tmp_path)

    code, said = ask(shell, tmp_path, "pool", "tank", "ata-A", "ata-D")

    assert (code, said) == (1, "pool tank is ONLINE, ata-D is not one of its disks")


def test_a_pool_that_nobody_was_told_to_import_says_so(shell: str, tmp_path: Path) -> None:
    made(tmp_path, "zpool", "exit 1")

    assert ask(shell, tmp_path, "pool", "tank") == (
        1, "pool tank is not imported, and systemd was not told to"
    )  # fmt: skip


def heard_of(folder: Path, moment: str) -> None:
    """A tunnel whose peer KEYA= has its last handshake at an expression of the shell."""
    made(folder, "wg", f'printf "KEYX=\\t0\\nKEYA=\\t%s\\n" {moment}')


def set_since(folder: Path, since: str, moment: str) -> None:
    """A systemd for which it was that time of day when something happened RAN seconds ago."""
    made(
        folder, "systemctl",
        f"read -r up _ </proc/uptime\ncase $* in *{since}*) printf 'Timestamp=@%s\\n' {moment}\n"
        f"  printf 'TimestampMonotonic=%s000000\\n' $((${{up%.*}} - {RAN})) ;; esac",
    )  # fmt: skip


@pytest.mark.parametrize(("age", "code"), [(100, 0), (204, 0), (300, 1)])
def test_a_handshake_may_be_as_old_as_a_session_lives(
    shell: str, tmp_path: Path, age: int, code: int
) -> None:
    heard_of(tmp_path, f"$(($(date +%s) - {age}))")

    found, said = ask(shell, tmp_path, "handshake", "lo", "KEYA=", "minnesota", "205")

    assert found == code
    assert said == ("no handshake with minnesota on lo in the last 205 s" if code else "")


@pytest.mark.parametrize(("age", "code"), [(86400 + 100, 0), (86400 - 60, 1), (2 * 86400, 1)])
@pytest.mark.parametrize("since", ["emily-dead-man.timer", "UserspaceTimestamp,"])
def test_a_handshake_is_no_older_because_the_clock_was_set(
    shell: str, tmp_path: Path, age: int, code: int, since: str
) -> None:
    heard_of(tmp_path, f"$(($(date +%s) - {age}))")
    set_since(tmp_path, since, f"$(($(date +%s) - 86400 - {RAN}))")

    found, _ = ask(shell, tmp_path, "handshake", "lo", "KEYA=", "minnesota", "205")

    assert found == code


def test_a_peer_that_never_called_is_not_heard_of_by_a_clock_that_began_in_1970(
    shell: str, tmp_path: Path
) -> None:
    heard_of(tmp_path, "0")
    set_since(tmp_path, "UserspaceTimestamp,", "100")

    found, _ = ask(shell, tmp_path, "handshake", "lo", "KEYA=", "minnesota", "205")

    assert found == 1


def test_a_peer_that_never_called_is_told_as_one_that_no_longer_does(
    shell: str, tmp_path: Path
) -> None:
    say(tmp_path, "wg", "KEYA=\t0\n")

    _, said = ask(shell, tmp_path, "handshake", "lo", "KEYA=", "minnesota", "205")

    assert said == "no handshake with minnesota on lo in the last 205 s"


def test_an_address_is_looked_for_whole(shell: str, tmp_path: Path) -> None:
    say(tmp_path, "ip", "1: lo    inet 10.20.0.21/24 scope global lo\\ valid_lft forever\n")

    assert ask(shell, tmp_path, "address", "lo", "10.20.0.21/24")[0] == 0
    assert ask(shell, tmp_path, "address", "lo", "10.20.0.2/24") == (
        1, "lo does not have 10.20.0.2/24, and networkd was not told of it"
    )  # fmt: skip
    assert ask(shell, tmp_path, "address", "wg7", "10.20.0.2/24")[1].startswith(
        "there is no interface wg7"
    )


def test_an_address_that_another_machine_has_too_does_not_count(shell: str, tmp_path: Path) -> None:
    lines = "1: lo    inet6 fd00::2/64 scope global dadfailed tentative \\ x\n"
    say(tmp_path, "ip", lines + "1: lo    inet6 fd00::3/64 scope global \\ x\n")

    assert ask(shell, tmp_path, "address", "lo", "fd00::3/64")[0] == 0
    assert ask(shell, tmp_path, "address", "lo", "fd00::2/64") == (
        1, "another machine on lo has fd00::2/64 as well"
    )  # fmt: skip


def test_a_share_is_looked_for_in_what_samba_itself_understands(shell: str, tmp_path: Path) -> None:
    say(tmp_path, "testparm", "[global]\n\n[Workspace]\n\tpath = /srv/code\n")

    assert ask(shell, tmp_path, "share", "workspace", "/")[0] == 0
    assert ask(shell, tmp_path, "share", "media", "/") == (1, "Samba has no share media")
    assert ask(shell, tmp_path, "share", "workspace", "/nowhere")[0] == 1


def test_a_dataset_counts_where_it_is_mounted(shell: str, tmp_path: Path) -> None:
    say(tmp_path, "zfs", "tank/home\n")
    source, target = Path("/proc/self/mounts").read_text().split()[:2]

    assert ask(shell, tmp_path, "mounted", source, target)[0] == 0
    assert ask(shell, tmp_path, "mounted", "tank/home", "/srv/home") == (
        1, "tank/home is not mounted at /srv/home"
    )  # fmt: skip


@pytest.fixture
def server() -> Iterator[list[bytes]]:
    """A server on loopback: its port, and what it is to answer."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        answers = [str(listening.getsockname()[1]).encode()]

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    asked = b""
                    while not asked.endswith(b"\r\n\r\n") and (more := connection.recv(4096)):
                        asked += more
                    if asked:
                        connection.sendall(answers[-1])

        threading.Thread(target=serve, daemon=True).start()
        yield answers
        listening.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nbody", 0, ""),
        (b"HTTP/1.0 200 OK\r\n\r\n", 0, ""),
        (b"HTTP/1.1 503 starting\r\n\r\n", 1, "answers /ready with: HTTP/1.1 503 starting"),
        (b"SSH-2.0-x\r\n", 1, "answers /ready with: SSH-2.0-x"),
    ],
)
def test_only_200_is_an_answer(
    shell: str, tmp_path: Path, server: list[bytes], answer: bytes, code: int, said: str
) -> None:
    port = server[0].decode()
    server.append(answer)

    found = ask(shell, tmp_path, "http", "127.0.0.1", port, "/ready")

    assert found == (code, f"127.0.0.1 port {port} {said}" if said else "")


def test_a_port_without_a_program_takes_no_connection(shell: str, tmp_path: Path) -> None:
    assert ask(shell, tmp_path, "tcp", "127.0.0.1", "1") == (
        1, "nothing takes a connection at 127.0.0.1 port 1"
    )  # fmt: skip
