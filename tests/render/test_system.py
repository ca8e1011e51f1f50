"""Who may log in and what they may do, as NixOS will see it."""

import getpass
import subprocess
from pathlib import Path
from typing import Any

import pytest

from emily_infra.spec.host import Host
from tests.hosts import over, pebble, shipped
from tests.machine.sshd import Server, public, serving
from tests.render.evaluated import module

PROGRAM = "/run/current-system/sw/bin/emily-infra"
DEPLOYER = "deploy: { user: colter }"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMLJfwPy36ovZsZCCGlRv16ASbvh9vW9APmDO7yx10Ab"
RECEIVES = (
    f"backup: {{ receives: {{ ember: {{ key: {KEY} root@ember, into: tank/ember, "
    "keep: { daily: 30 } } } }"
)


def system(host: Host) -> Any:
    return module(host, "system")


def test_a_host_is_named_after_its_folder() -> None:
    networking = system(shipped("ember"))["networking"]

    assert networking == {"hostName": "ember", "hostId": "8425e349"}


def test_the_first_locale_is_the_default_and_the_rest_are_built() -> None:
    locales = system(shipped("ember"))["i18n"]

    assert locales == {"defaultLocale": "en_US.UTF-8", "extraLocales": ["ko_KR.UTF-8/UTF-8"]}


def test_deploying_as_root_opens_root_to_the_admins_keys_alone() -> None:
    host = system(shipped("ember"))

    root = host["users"]["users"]["root"]["openssh"]["authorizedKeys"]["keys"]
    assert [key.split()[-1] for key in root] == ["colter@minnesota", "jihyun@seoul"]
    assert host["services"]["openssh"]["settings"]["PermitRootLogin"] == "prohibit-password"


def test_deploying_as_an_admin_closes_root() -> None:
    host = system(pebble(DEPLOYER))

    assert "root" not in host["users"]["users"]
    assert host["services"]["openssh"]["settings"]["PermitRootLogin"] == "no"
    assert host["services"]["openssh"]["settings"]["AllowUsers"] == ["colter"]
    assert host["nix"]["settings"]["trusted-users"] == ["colter"]


def test_a_host_that_sends_here_runs_one_command_and_nobody_else_gets_in_as_root() -> None:
    host = system(pebble(f"{DEPLOYER}\n{RECEIVES}"))

    settings = host["services"]["openssh"]["settings"]
    assert host["users"]["users"]["root"]["openssh"]["authorizedKeys"]["keys"] == [
        'restrict,command="/run/current-system/sw/bin/emily-infra backup receive ember" '
        f"{KEY} ember"
    ]
    assert settings["PermitRootLogin"] == "forced-commands-only"
    assert settings["AllowUsers"] == ["colter", "root"]


@pytest.mark.skipif(getpass.getuser() != "root", reason="only root logs in as root")
def test_sshd_lets_a_sender_do_its_one_thing_and_any_other_key_nothing(tmp_path: Path) -> None:
    with serving(tmp_path, "PermitRootLogin forced-commands-only") as server:
        host = system(pebble(f"{DEPLOYER}\n{RECEIVES.replace(KEY, public(server.key))}"))
        (line,) = host["users"]["users"]["root"]["openssh"]["authorizedKeys"]["keys"]
        told = {}
        entries = {"sender": line.replace(PROGRAM, "/bin/echo"), "shell": public(server.key)}
        for name, entry in entries.items():
            (tmp_path / "authorized_keys").write_text(f"{entry}\n")
            told[name] = said(server, "state tank/home; id")

    assert told == {"sender": "backup receive ember\n", "shell": ""}


def said(server: Server, command: str) -> str:
    """What ssh prints of a command as root."""
    known = server.folder / "known_hosts"
    argv = (
        "ssh", "-F", "/dev/null", "-i", server.key, "-p", str(server.port), "-o", "BatchMode=yes",
        "-o", f"UserKnownHostsFile={known}", "root@127.0.0.1", command,
    )  # fmt: skip
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout


def test_a_sender_takes_no_deploys_way_in() -> None:
    host = system(pebble(RECEIVES))

    keys = host["users"]["users"]["root"]["openssh"]["authorizedKeys"]["keys"]
    assert [key.startswith("restrict,command=") for key in keys] == [False, True]
    assert host["services"]["openssh"]["settings"]["PermitRootLogin"] == "prohibit-password"


@pytest.mark.parametrize("name", ["ember", "pebble"])
def test_no_password_opens_ssh(name: str) -> None:
    sshd = system(shipped(name))["services"]["openssh"]

    assert sshd["settings"]["PasswordAuthentication"] is False
    assert sshd["settings"]["KbdInteractiveAuthentication"] is False
    assert sshd["authorizedKeysInHomedir"] is False


def test_the_ssh_server_leaves_the_firewall_alone() -> None:
    sshd = system(pebble("system: { ssh: { port: 2222 } }"))["services"]["openssh"]

    assert (sshd["ports"], sshd["openFirewall"]) == ([2222], False)


def test_who_deploys_is_never_asked_for_a_password() -> None:
    sudo = system(pebble(f"{DEPLOYER}\nsystem: {{ sudo: password }}"))["security"]["sudo"]

    assert sudo["wheelNeedsPassword"] is True
    assert sudo["extraRules"][0]["users"] == ["colter"]
    assert "NOPASSWD" in sudo["extraRules"][0]["commands"][0]["options"]


def test_a_password_is_a_file_that_exists_before_accounts_are_made() -> None:
    part = "system: { admins: { colter: { password: secret:login } } }\nsecrets: { login: {} }"

    colter = system(pebble(part))["users"]["users"]["colter"]

    assert colter["hashedPasswordFile"] == "/run/secrets-for-users/login"


def test_nobody_but_root_imports_unsigned_paths() -> None:
    settings = system(shipped("ember"))["nix"]["settings"]

    assert "trusted-users" not in settings
    assert settings["allowed-users"] == ["@wheel"]


@pytest.mark.parametrize(("keep", "days"), [("30d", 30), ("36h", 2), ("1h", 1)])
def test_generations_are_kept_for_whole_days_and_never_shorter(keep: str, days: int) -> None:
    collector = system(pebble(f"system: {{ nix: {{ keep: {keep} }} }}"))["nix"]["gc"]

    assert collector["options"] == f"--delete-older-than {days}d"


def test_a_build_folder_of_ones_own_is_made() -> None:
    host = system(pebble("system: { nix: { build_dir: /srv/builds } }"))

    assert host["nix"]["settings"]["build-dir"] == "/srv/builds"
    assert "/srv/builds" in host["systemd"]["tmpfiles"]["settings"]["10-nix-build-dir"]


def test_nix_makes_its_own_build_folder() -> None:
    assert "systemd" not in system(shipped("ember"))


def test_packages_are_there_beside_emily_infra() -> None:
    host = system(pebble("system: { packages: [htop, tmux, htop] }"))

    names = [path.partition("-")[2] for path in host["environment"]["systemPackages"]]
    assert names == ["emily-infra", "htop", "tmux"]


def test_the_order_of_admins_in_the_file_does_not_matter() -> None:
    ember = shipped("ember")
    without = over(ember, "system: { admins: { colter: null } }")
    key = ember.spec.system.admins["colter"].keys[0]

    turned = over(without, f"system: {{ admins: {{ colter: {{ keys: [{key}] }} }} }}")

    assert list(turned.spec.system.admins) == ["jihyun", "colter"]
    assert system(turned) == system(ember)
