"""Which host keys are trusted, and what a person reads about the others."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from emily_infra.machine import HostKeyRefused, Target, UnknownHostKey, WrongHostKey, connect
from tests.machine.sshd import Server, make_key, public


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "known_hosts"


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A key that the server doesn't have."""
    return public(make_key(tmp_path_factory.mktemp("other") / "key"))


def gets_in(target: Target) -> bool:
    machine = connect(target)
    machine.run("true")
    machine.close()
    return True


def fingerprint(server: Server) -> str:
    command = ["ssh-keygen", "-lf", str(server.folder / "host_ed25519.pub")]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[1]


def pasted(hint: str) -> None:
    """Do what the indented lines of a hint say."""
    lines = [line for line in hint.splitlines() if line.startswith("  ")]
    subprocess.run(["sh", "-euc", "\n".join(lines)], check=True, capture_output=True)


def test_an_unknown_key_is_refused_and_shown(server: Server, file: Path) -> None:
    with pytest.raises(UnknownHostKey) as refused:
        connect(server.knows(file))

    assert refused.value.fingerprint == fingerprint(server)
    assert refused.value.fingerprint in str(refused.value)
    assert "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" in refused.value.hint


def test_without_a_file_of_known_hosts_every_key_is_unknown(server: Server, file: Path) -> None:
    with pytest.raises(UnknownHostKey):
        connect(server.target(known_hosts=file))


def test_the_hint_for_an_unknown_key_accepts_it(server: Server, tmp_path: Path) -> None:
    target = server.knows(tmp_path / "known hosts of ann's")
    with pytest.raises(UnknownHostKey) as refused:
        connect(target)

    pasted(refused.value.hint)

    assert gets_in(target)


def test_no_configuration_switches_the_question_off(server: Server, tmp_path: Path) -> None:
    target = server.configured(
        tmp_path / "config",
        "HostName 127.0.0.1",
        f"Port {server.port}",
        f"IdentityFile {server.key}",
        "UserKnownHostsFile /dev/null",
        "StrictHostKeyChecking no",
    )

    with pytest.raises(UnknownHostKey):
        connect(target)


def test_a_changed_key_is_refused_with_both_fingerprints(
    server: Server, file: Path, other: str
) -> None:
    with pytest.raises(WrongHostKey, match="HAS CHANGED") as refused:
        connect(server.knows(file, f"{server.known_as} {other}"))

    assert refused.value.fingerprint == fingerprint(server)
    assert str(refused.value).count("SHA256:") == 2


def test_the_hint_for_a_changed_key_forgets_the_old_and_accepts_the_new(
    server: Server, file: Path, other: str
) -> None:
    target = server.knows(file, f"{server.known_as} {other}")
    with pytest.raises(WrongHostKey) as refused:
        connect(target)

    pasted(refused.value.hint)

    assert gets_in(target)


def test_hashed_names_are_read(server: Server, file: Path) -> None:
    right = server.knows(file, f"{server.known_as} {server.host_key()}")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", file], check=True, capture_output=True)

    assert file.read_text().startswith("|1|")
    assert gets_in(right)


def test_a_hashed_name_with_another_key_is_a_changed_key(
    server: Server, file: Path, other: str
) -> None:
    wrong = server.knows(file, f"{server.known_as} {other}")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", file], check=True, capture_output=True)

    with pytest.raises(WrongHostKey):
        connect(wrong)


@pytest.mark.parametrize("name", ["[127.0.0.*]:*", "[127.0.0.?]:{port}", "x,[127.0.0.1]:{port}"])
def test_patterns_and_lists_of_names_are_read(server: Server, file: Path, name: str) -> None:
    name = name.format(port=server.port)

    assert gets_in(server.knows(file, "# mine", "", f"{name} {server.host_key()} comment"))


def test_a_key_under_another_name_is_no_key_of_the_host(server: Server, file: Path) -> None:
    with pytest.raises(UnknownHostKey):
        connect(server.knows(file, f"[127.0.0.1]:{server.port + 1} {server.host_key()}"))


def test_a_key_that_is_known_without_the_port_is_taken_as_ssh_does(
    server: Server, file: Path
) -> None:
    assert gets_in(server.knows(file, f"127.0.0.1 {server.host_key()}"))


def test_another_key_without_the_port_says_nothing_about_this_port(
    server: Server, file: Path, other: str
) -> None:
    with pytest.raises(UnknownHostKey):
        connect(server.knows(file, f"127.0.0.1 {other}"))


def test_the_server_is_asked_for_the_kind_of_key_that_is_known(server: Server, file: Path) -> None:
    assert gets_in(server.knows(file, f"{server.known_as} {server.host_key('rsa')}"))


def test_one_right_key_of_several_is_enough(server: Server, file: Path, other: str) -> None:
    name = server.known_as

    assert gets_in(server.knows(file, f"{name} {other}", f"{name} {server.host_key()}"))


def test_a_revoked_key_is_refused_though_it_is_also_known(server: Server, file: Path) -> None:
    target = server.knows(
        file, f"{server.known_as} {server.host_key()}", f"@revoked * {server.host_key()}"
    )

    with pytest.raises(WrongHostKey, match="@revoked"):
        connect(target)


def test_the_revocation_of_another_key_does_no_harm(server: Server, file: Path, other: str) -> None:
    assert gets_in(
        server.knows(file, f"@revoked * {other}", f"{server.known_as} {server.host_key()}")
    )


def test_a_certificate_authority_is_not_read_and_the_message_says_so(
    server: Server, file: Path, other: str
) -> None:
    with pytest.raises(UnknownHostKey, match="@cert-authority"):
        connect(server.knows(file, f"@cert-authority * {other}"))


def test_a_damaged_line_is_passed_over(server: Server, file: Path) -> None:
    name = server.known_as

    assert gets_in(
        server.knows(file, f"{name} ssh-ed25519 %%%", name, f"{name} {server.host_key()}")
    )


def test_an_alias_for_keys_is_the_name_to_look_for(server: Server, tmp_path: Path) -> None:
    lines = (
        "HostName 127.0.0.1",
        f"Port {server.port}",
        f"IdentityFile {server.key}",
        "HostKeyAlias the-box",
        f"UserKnownHostsFile {tmp_path}/known",
    )
    target = server.configured(tmp_path / "config", *lines)

    (tmp_path / "known").write_text(f"the-box {server.host_key()}\n")

    assert gets_in(target)
    (tmp_path / "known").write_text(f"{server.known_as} {server.host_key()}\n")
    with pytest.raises(HostKeyRefused, match="the key of the-box is unknown"):
        connect(target)


def test_the_port_is_part_of_the_name(server: Server, file: Path) -> None:
    target = server.knows(file, f"{server.known_as} {server.host_key()}")

    with pytest.raises(Exception, match="Connection refused"):
        connect(replace(target, port=1))
