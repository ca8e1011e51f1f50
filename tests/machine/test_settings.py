"""What is read from the answer of `ssh -G`."""

from pathlib import Path

import pytest

from emily_infra.machine import Target
from emily_infra.machine.deadline import Deadline
from emily_infra.machine.settings import Settings, effective, parsed

EMBER = Target("ember", "10.0.0.1")


def read(*lines: str, target: Target = EMBER, **environment: str) -> Settings:
    return parsed(target, "".join(f"{line}\n" for line in lines), environment)


def test_with_nothing_said_the_address_is_the_host() -> None:
    settings = read()

    assert (settings.host, settings.port, settings.user) == ("10.0.0.1", 22, "root")
    assert (settings.proxy, settings.agent, settings.alias) == ("", None, "")


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (["hostname h", "port 22"], "h"),
        (["hostname h", "port 2022"], "[h]:2022"),
        (["hostname fd00::1", "port 2022"], "[fd00::1]:2022"),
        (["hostname h", "port 2022", "hostkeyalias box"], "box"),
    ],
)
def test_the_name_in_known_hosts(lines: list[str], name: str) -> None:
    assert read(*lines).known_as == name


def test_tokens_of_identity_files_are_expanded() -> None:
    settings = read(
        "hostname h", "identityfile %d/%r@%h-%p 100%%", "identityfile ${KEYS}/id", KEYS="/keys"
    )

    assert settings.identities == (Path.home() / "root@h-22 100%", Path("/keys/id"))


def test_files_of_known_hosts_may_have_blanks(tmp_path: Path) -> None:
    mine = tmp_path / "my known hosts"
    mine.touch()

    settings = read(f"userknownhostsfile {mine} /gone", "globalknownhostsfile /etc/a /etc/b")

    assert settings.known_hosts == (mine, Path("/gone"), Path("/etc/a"), Path("/etc/b"))


@pytest.mark.parametrize(
    ("lines", "agent"),
    [
        ([], Path("/run/agent")),
        (["identityagent SSH_AUTH_SOCK"], Path("/run/agent")),
        (["identityagent $OTHER"], Path("/run/other")),
        (["identityagent ${OTHER}"], Path("/run/other")),
        (["identityagent /run/third one"], Path("/run/third one")),
        (["identityagent none"], None),
    ],
)
def test_the_agent(lines: list[str], agent: Path | None) -> None:
    assert read(*lines, SSH_AUTH_SOCK="/run/agent", OTHER="/run/other").agent == agent


def test_a_jump_is_a_plain_connection_from_its_last_host() -> None:
    proxy = read("hostname fd00::1", "port 2022", "proxyjump a@one,two:23").proxy

    assert proxy.startswith("ssh -J a@one -o BatchMode=yes ")
    assert proxy.endswith("-W '[fd00::1]:2022' -- ssh://two:23")


def test_a_jump_reads_the_same_configuration(tmp_path: Path) -> None:
    target = Target("ember", "h", configuration=tmp_path / "my config")

    assert f"-F '{tmp_path}/my config'" in read("proxyjump one", target=target).proxy


def test_a_proxy_command_knows_where_to_go() -> None:
    assert read("hostname h", "proxycommand nc %h %p # %r 5%%").proxy == "nc h 22 # root 5%"


def test_no_proxy_where_the_configuration_says_none() -> None:
    assert read("proxycommand none", "proxyjump none").proxy == ""


def test_ssh_itself_works_out_includes_and_matches(tmp_path: Path) -> None:
    (tmp_path / "more").write_text("Host *.lan\n  Port 2022\n  HostName %h.example\n")
    (tmp_path / "config").write_text(
        f"Include {tmp_path}/more\nMatch exec true\n  ConnectTimeout 7\n  AddressFamily inet6\n"
    )

    settings = effective(
        Target("ember", "box.lan", configuration=tmp_path / "config"), Deadline.after(5)
    )

    assert (settings.host, settings.port, settings.patience) == ("box.lan.example", 2022, 7)
    assert settings.family.name == "AF_INET6"


@pytest.mark.parametrize("name", ["plain", "with blanks", "50%h", "a#b", 'ann"s', "o'neil", "b\\s"])
def test_every_path_survives_the_way_through_ssh(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.touch()
    target = Target("ember", "h", configuration=Path("/dev/null"), identity=file, known_hosts=file)

    settings = effective(target, Deadline.after(5))

    assert settings.identities == (file,)
    assert settings.known_hosts == (file,)
    assert settings.only_identities
