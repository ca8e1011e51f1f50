"""`nix copy` goes the way that `connect` goes."""

from pathlib import Path

import pytest

from emily_infra.machine import (
    CommandFailed,
    Ending,
    Local,
    NotTrusted,
    Store,
    Target,
    UnsafePath,
    below,
    store,
)
from tests.machine.sshd import Server, wire

OFFLINE = "substituters =\nextra-experimental-features = nix-command\n"


@pytest.fixture
def origin(tmp_path: Path) -> str:
    """A store of our own."""
    return f"local?root={tmp_path}/origin"


@pytest.fixture
def path(tmp_path: Path, origin: str) -> str:
    """A path in it."""
    (tmp_path / "greeting").write_text("well met\n")
    return Local().run("nix-store", "--store", origin, "--add", str(tmp_path / "greeting")).strip()


def copy(destination: Store, origin: str, path: str, root: Path) -> None:
    where = below(destination, str(root)).url
    nix = Local(environment={**destination.environment, "NIX_CONFIG": OFFLINE})
    nix.run("nix", "copy", "--from", origin, "--to", where, path, deadline=20)


def test_a_path_arrives(server: Server, origin: str, path: str, tmp_path: Path) -> None:
    copy(store(server.target()), origin, path, tmp_path / "there")

    assert Path(f"{tmp_path}/there{path}").read_text() == "well met\n"


def test_on_the_machine_itself_it_is_a_folder(origin: str, path: str, tmp_path: Path) -> None:
    copy(store(Target("ember", "localhost")), origin, path, tmp_path / "there")

    assert Path(f"{tmp_path}/there{path}").read_text() == "well met\n"


def test_a_host_called_localhost_is_reached_by_ssh_all_the_same(
    server: Server, origin: str, path: str, tmp_path: Path
) -> None:
    with wire(server) as (link, target):
        known = target.known_hosts
        assert known
        known.write_text(known.read_text().replace("127.0.0.1", "localhost"))

        copy(
            store(server.target(address="localhost", port=link.port, known_hosts=known)),
            origin,
            path,
            tmp_path / "there",
        )

        assert link.connections == 1


def test_a_host_with_another_key_gets_nothing(
    server: Server, origin: str, path: str, tmp_path: Path
) -> None:
    wrong = server.knows(tmp_path / "known", f"{server.known_as} {server.host_key()[:-4]}AAAA")

    with pytest.raises(CommandFailed, match="Host key verification failed"):
        copy(store(wrong), origin, path, tmp_path / "there")


def test_the_options_hold_no_word_that_could_be_split() -> None:
    target = Target("ember", "10.0.0.1", port=2022, identity=Path("/k"), known_hosts=Path("/h"))

    words = store(target).environment["NIX_SSHOPTS"].split()

    assert store(target).url == "ssh-ng://root@10.0.0.1"
    assert {"ControlPath=none", "BatchMode=yes", "ConnectTimeout=10", "2022"} <= set(words)
    assert {"IdentityFile=/k", "UserKnownHostsFile=/h", "StrictHostKeyChecking=yes"} <= set(words)


@pytest.mark.parametrize("name", ["my key", "ann's", 'a"b', "a\\b", "a\tb"])
def test_a_path_that_nix_would_split_is_refused(name: str) -> None:
    with pytest.raises(UnsafePath, match="NIX_SSHOPTS"):
        store(Target("ember", "10.0.0.1", identity=Path("/keys") / name))


def test_an_address_with_colons_stays_out_of_the_url() -> None:
    reached = store(Target("ember", "fd00::1", user="deploy"))

    assert reached.url == "ssh-ng://deploy@ember.emily"
    assert "-o HostName=fd00::1" in reached.environment["NIX_SSHOPTS"]


def test_the_operators_own_machine_needs_no_copy_over_ssh() -> None:
    assert store(Target("ember", "localhost")) == Store("auto", {})


@pytest.mark.parametrize("user", ["root", "deploy"])
def test_missing_trust_is_explained_where_trust_is_the_matter(user: str) -> None:
    reached = store(Target("ember", "10.0.0.1", user=user))
    said = "error: cannot add path '/nix/store/x' because it lacks a valid signature"
    failed = CommandFailed("localhost", ("nix", "copy"), Ending(1, "", said))

    explained = reached.explained(failed)

    assert isinstance(explained, NotTrusted) == (user == "deploy")
    if user == "deploy":
        assert 'trusted-users = [ "root" "deploy" ]' in explained.hint
