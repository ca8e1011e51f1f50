"""Values of secrets never stand in host.yaml, and are never printed where they do."""

import pytest

from emily_infra.check.rule import RULES
from emily_infra.spec.host import HostSpec
from emily_infra.spec.load import parse
from emily_infra.spec.topology import secret_file, secret_references
from tests.hosts import ROOT, codes, findings, over, pebble, shipped

PEBBLE = (ROOT / "hosts/pebble/host.yaml").read_text()
SECRETS = {
    "an AWS key": "AKIAIOSFODNN7EXAMPLE",
    "an API token": "sk-ant-" + "api03-0123456789",
    "a private key": "AGE-SECRET-KEY-1" + "QQPQQPQQP",
    "a password's hash": "$6$" + "saltsalt$0123456789abcdef",
    "a password in a URL": "amqp://me:hunter2@broker",
}


def excluding(text: str) -> str:
    return f"backup: {{ offsite: {{ shed: {{ exclude: ['{text}'] }} }} }}"


@pytest.mark.parametrize(("kind", "value"), SECRETS.items(), ids=list(SECRETS))
def test_a_secret_is_recognised_and_not_repeated(kind: str, value: str) -> None:
    found = next(f for f in findings(pebble(excluding(value))) if f.code == "SEC001")

    assert kind in found.message
    assert value not in found.message + found.hint + found.location.text
    assert "hunter2" not in found.location.text


@pytest.mark.parametrize(
    "harmless",
    [
        "https://example.org:8000/a@b",
        "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIA7",
        "sk-ecdsa-sha2-nistp256@openssh.com AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTY",
        "DCFFrHzrByanm9OFf/uvMa8VY+KnaRgRXLe5RbTK6+E=",
        "secret:restic",
        "disk-sk-hynix-gold-p31-nvme-0001",
    ],
)
def test_what_is_public_is_left_alone(harmless: str) -> None:
    assert "SEC001" not in codes(pebble(excluding(harmless)))


def test_no_finding_prints_a_secret_that_stands_on_its_line() -> None:
    part = "{ dataset: tank/nowhere, users: [], zones: [home] } # AKIAIOSFODNN7EXAMPLE"
    text = PEBBLE.replace("{ dataset: tank/home, users: [colter], zones: [home] }", part + " x: [")

    _, found = parse("pebble", "host.yaml", text.encode() + b"\n  - : [")

    assert found
    assert all("AKIA" not in finding.location.text + finding.message for finding in found)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("restic: {}", "restic: hunter2"),
        ("restic: {}", "restic: { value: hunter2 }"),
        ("restic: {}", "restic:\n    value: hunter2"),
        ("password: secret:restic", "password: hunter2"),
        ("password: secret:restic", "passwd: hunter2"),
        ("rest:https://backup", "rest:https://me:hunter2@backup"),
    ],
)
def test_a_value_in_place_of_a_name_is_refused_unseen(before: str, after: str) -> None:
    _, found = parse("pebble", "host.yaml", PEBBLE.replace(before, after).encode())

    assert found
    assert all("hunter2" not in f.location.text + f.message + f.hint for f in found)


def test_every_reference_of_ember_is_found() -> None:
    ember = shipped("ember").spec

    found = dict(secret_references(ember))

    assert set(found.values()) == ember.secrets.keys()
    assert found["wireguard", "wg0", "peers", "minnesota", "preshared_key"] == "wg0-minnesota"


def test_a_missing_secret_is_a_contradiction_that_nobody_can_acknowledge() -> None:
    assert RULES["SEC002"].standing.name == "CONTRADICTION"


def test_a_misspelt_secret_is_pointed_at_with_what_was_meant() -> None:
    host = over(shipped("ember"), "runtime: { token: secret:runtime-tokn }")

    found = next(f for f in findings(host) if f.code == "SEC002")

    assert found.location.text.strip() == "token: secret:runtime-tokn"
    assert "secret:runtime-token" in found.hint


@pytest.mark.parametrize(
    ("file", "fires"),
    [
        ("/nix/store/abc-restic", True),
        ("/tmp/restic", True),
        ("/etc", True),
        ("/etcetera/restic", False),
        ("/run/agenix/restic", False),
        ("/var/lib/secrets/restic", False),
    ],
)
def test_a_secret_is_kept_where_only_root_reads(file: str, fires: bool) -> None:  # noqa: FBT001
    host = pebble(f"secrets: {{ restic: {{ file: {file} }} }}")

    assert ("SEC004" in codes(host)) is fires


def test_a_login_password_is_there_before_accounts_are_made() -> None:
    part = "system: { admins: { colter: { password: secret:colter } } }\nsecrets: { colter: {} }"
    spec: HostSpec = pebble(part).spec

    assert secret_file(spec, "secret:colter") == "/run/secrets-for-users/colter"
    assert secret_file(spec, "secret:restic") == "/run/secrets/restic"
