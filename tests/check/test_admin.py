"""Somebody can log in, and somebody can become root."""

from base64 import b64encode

import pytest

from emily_infra.cli.starter import Starter
from tests.hosts import as_host, codes, findings, pebble, shipped

ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOmeCnwwwBMiUg359LNFhHRRdhwjAxkiZ5x3XidOm7fC"


def rsa(bits: int) -> str:
    """A public key of so many bits, which nobody has the other half of."""

    def field(content: bytes) -> bytes:
        return len(content).to_bytes(4, "big") + content

    modulus = b"\0" + ((1 << bits) - 1).to_bytes(-(-bits // 8), "big")
    blob = field(b"ssh-rsa") + field(b"\1\0\1") + field(modulus)
    return f"ssh-rsa {b64encode(blob).decode()}"


def keys(*lines: str) -> str:
    return f"system: {{ admins: {{ colter: {{ keys: [{', '.join(lines)}] }} }} }}"


@pytest.mark.parametrize(("bits", "weak"), [(1024, True), (3071, True), (3072, False)])
def test_an_rsa_key_is_measured(bits: int, weak: bool) -> None:  # noqa: FBT001
    host = pebble(keys(rsa(bits)))

    assert ("SYS008" in codes(host)) is weak
    assert "SYS014" not in codes(host)


@pytest.mark.parametrize(
    "key",
    [
        ED25519 + "AAAA",
        ED25519.replace("AAAAC3", "AAAAD3"),
        ED25519.replace("ssh-ed25519", "ssh-rsa"),
        rsa(3072)[:-8],
    ],
    ids=["too long", "not a key", "of another type", "cut off"],
)
def test_a_key_that_sshd_would_pass_over_is_an_error(key: str) -> None:
    assert "SYS014" in codes(pebble(keys(key)))


def test_the_same_key_for_two_people_is_one_key() -> None:
    host = pebble(f"system: {{ admins: {{ jihyun: {{ keys: [{ED25519} jihyun@seoul] }} }} }}")

    assert "SYS012" in codes(host)


def test_two_people_with_keys_of_their_own_are_enough() -> None:
    assert "SYS012" not in codes(shipped("ember"))


def test_who_deploys_is_never_asked_for_a_password() -> None:
    assert "SYS007" not in codes(pebble("system: { sudo: password }\ndeploy: { user: colter }"))


def test_who_deploys_may_be_a_trusted_user() -> None:
    part = "system: { nix: { trusted_users: [colter, root] } }\ndeploy: { user: colter }"

    assert "SYS010" not in codes(pebble(part))


def test_root_is_no_admin() -> None:
    host = pebble(f"system: {{ admins: {{ root: {{ keys: [{ED25519}] }} }} }}")

    assert any(f.code == "SYS013" and f.blocks for f in findings(host))


def test_a_starter_says_how_much_of_it_is_still_a_placeholder() -> None:
    found = findings(as_host("nas", Starter("nas", "4e4a5001", None).host_yaml()))

    assert [f.message for f in found if f.code == "SYS015"] == [
        "system.admins.admin.keys[0] still says REPLACE, and 5 more places do"
    ]


def test_root_is_no_user_of_a_share() -> None:
    host = pebble("samba: { users: { root: { password: secret:restic } } }")

    assert "SYS013" in codes(host)
