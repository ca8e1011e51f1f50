"""Which private keys are shown to the server."""

import shutil
import subprocess
from pathlib import Path

import pytest

from emily_infra.machine import Refused, Target, connect
from tests.machine.sshd import Server, make_key, serving


def gets_in(target: Target) -> bool:
    connect(target).close()
    return True


def add(key: Path) -> None:
    subprocess.run(["ssh-add", "-q", str(key)], check=True)


def locked(server: Server, folder: Path) -> Path:
    """The server's key under a passphrase."""
    copy = folder / "locked"
    shutil.copy(server.key, copy)
    shutil.copy(f"{server.key}.pub", f"{copy}.pub")
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", "secret", "-f", copy], check=True)
    return copy


def through(server: Server, folder: Path, *lines: str) -> Target:
    """A target whose keys are those of the configuration."""
    return server.configured(
        folder / "config",
        "HostName 127.0.0.1",
        f"Port {server.port}",
        f"UserKnownHostsFile {server.folder}/known_hosts",
        *lines,
    )


@pytest.mark.usefixtures("agent")
def test_a_key_of_the_agent(server: Server, tmp_path: Path) -> None:
    add(server.key)

    assert gets_in(through(server, tmp_path, "IdentityFile none"))


def test_the_agent_that_the_configuration_names(
    server: Server, agent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(server.key)
    monkeypatch.delenv("SSH_AUTH_SOCK")

    assert gets_in(through(server, tmp_path, f"IdentityAgent {agent}", "IdentityFile none"))


@pytest.mark.usefixtures("agent")
def test_no_agent_where_the_configuration_says_none(server: Server, tmp_path: Path) -> None:
    add(server.key)

    with pytest.raises(Refused, match="there is none to offer"):
        connect(through(server, tmp_path, "IdentityAgent none", "IdentityFile none"))


def test_a_wrong_key_is_named_in_the_refusal(server: Server, tmp_path: Path) -> None:
    wrong = make_key(tmp_path / "wrong")

    with pytest.raises(Refused, match="takes none of them") as refused:
        connect(server.target(identity=wrong))

    assert "offered: SHA256:" in str(refused.value)
    assert str(wrong) in str(refused.value)


def test_a_second_key_is_tried_where_the_first_is_wrong(server: Server, tmp_path: Path) -> None:
    wrong = make_key(tmp_path / "wrong", "ecdsa")

    assert gets_in(through(server, tmp_path, f"IdentityFile {wrong}", f"IdentityFile {server.key}"))


def test_an_encrypted_key_is_left_out_with_the_way_to_use_it(
    server: Server, tmp_path: Path
) -> None:
    key = locked(server, tmp_path)

    with pytest.raises(Refused, match=f"left out: {key} is encrypted .*: ssh-add {key}"):
        connect(server.target(identity=key))


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize("beside", [True, False], ids=["with its .pub", "without"])
def test_an_encrypted_key_that_the_agent_holds_is_used(
    server: Server, tmp_path: Path, *, beside: bool
) -> None:
    key = locked(server, tmp_path)
    add(server.key)
    if not beside:
        key.with_name("locked.pub").unlink()

    assert gets_in(server.target(identity=key))


def test_an_old_encrypted_key_is_recognized_too(server: Server, tmp_path: Path) -> None:
    key = make_key(tmp_path / "old", "rsa")
    subprocess.run(["ssh-keygen", "-q", "-p", "-m", "PEM", "-N", "secret", "-f", key], check=True)

    with pytest.raises(Refused, match="is encrypted"):
        connect(server.target(identity=key))


def test_a_key_in_the_old_format_is_used(server: Server, tmp_path: Path) -> None:
    key = make_key(tmp_path / "old", "rsa")
    subprocess.run(["ssh-keygen", "-q", "-p", "-m", "PEM", "-N", "", "-f", key], check=True)
    accepted = server.folder / "authorized_keys"
    before = accepted.read_text()
    accepted.write_text(before + key.with_name("old.pub").read_text())

    assert gets_in(server.target(identity=key))
    accepted.write_text(before)


@pytest.mark.usefixtures("agent")
def test_only_the_named_keys_of_the_agent_where_only_they_are_wanted(
    server: Server, tmp_path: Path
) -> None:
    add(server.key)
    named = make_key(tmp_path / "named")
    lines = ("IdentitiesOnly yes", f"IdentityFile {named}")

    with pytest.raises(Refused) as refused:
        connect(through(server, tmp_path, *lines))

    assert str(refused.value).count("offered:") == 1


@pytest.mark.usefixtures("agent")
def test_a_public_key_file_picks_one_key_of_the_agent(server: Server, tmp_path: Path) -> None:
    for number in range(8):
        add(make_key(tmp_path / f"key{number}"))
    add(server.key)

    assert gets_in(server.target(identity=Path(f"{server.key}.pub")))


@pytest.mark.usefixtures("agent")
def test_too_many_keys_in_the_agent_are_counted(server: Server, tmp_path: Path) -> None:
    for number in range(8):
        add(make_key(tmp_path / f"key{number}"))

    with pytest.raises(Refused, match=r"hung up after \d of 8") as refused:
        connect(through(server, tmp_path, "IdentityFile none"))

    assert "IdentitiesOnly yes" in refused.value.hint


def test_a_key_file_that_is_open_to_others_is_left_out_as_ssh_does(
    server: Server, tmp_path: Path
) -> None:
    key = tmp_path / "open"
    shutil.copy(server.key, key)
    key.chmod(0o644)

    with pytest.raises(Refused, match=f"chmod 600 {key}"):
        connect(server.target(identity=key))


def test_a_key_file_that_is_not_there_is_named(server: Server, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="gone cannot be read: No such file"):
        connect(server.target(identity=tmp_path / "gone"))


def test_a_file_that_is_no_key_is_named(server: Server, tmp_path: Path) -> None:
    rubbish = tmp_path / "rubbish"
    rubbish.write_text("not a key\n")
    rubbish.chmod(0o600)

    with pytest.raises(Refused, match="rubbish is no key that can be read"):
        connect(server.target(identity=rubbish))


def test_an_agent_that_is_gone_is_named(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "gone"))

    with pytest.raises(Refused, match=r"the agent at .*gone does not answer"):
        connect(through(server, tmp_path, "IdentityFile none"))


def test_a_path_with_blanks_and_percent_signs(server: Server, tmp_path: Path) -> None:
    key = tmp_path / "my keys 100%d"
    shutil.copy(server.key, key)

    assert gets_in(server.target(identity=key))


def test_a_certificate_is_shown_with_its_key(tmp_path: Path) -> None:
    authority = make_key(tmp_path / "authority")
    (tmp_path / "sshd").mkdir()
    with serving(tmp_path / "sshd", f"TrustedUserCAKeys {authority}.pub") as server:
        key = make_key(tmp_path / "signed")
        sign = ["ssh-keygen", "-q", "-s", str(authority), "-I", "ann", "-n", "root", f"{key}.pub"]
        subprocess.run(sign, check=True)

        assert gets_in(server.target(identity=key))


def test_an_expired_certificate_does_not_spoil_its_key(server: Server, tmp_path: Path) -> None:
    authority = make_key(tmp_path / "authority")
    key = tmp_path / "key"
    shutil.copy(server.key, key)
    shutil.copy(f"{server.key}.pub", f"{key}.pub")
    sign = ["ssh-keygen", "-q", "-s", str(authority), "-I", "ann", "-n", "root"]
    subprocess.run([*sign, "-V", "20200101:20200102", f"{key}.pub"], check=True)

    assert gets_in(server.target(identity=key))


def test_a_server_that_wants_passwords_is_understood(tmp_path: Path) -> None:
    more = "PubkeyAuthentication no\nMatch all\n  PasswordAuthentication yes"
    with (
        serving(tmp_path, more) as server,
        pytest.raises(Refused, match="only by"),
    ):
        connect(server.target())
