"""What the host's own commands are told, read by the models that they read it with."""

import json
from pathlib import Path
from typing import Any

import pytest

from emily_infra.backup.settings import Settings, load
from emily_infra.render.host_json import settings
from emily_infra.spec.host import Host
from tests.hosts import ROOT, as_host, pebble, shipped
from tests.render.evaluated import module

ONE = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMLJfwPy36ovZsZCCGlRv16ASbvh9vW9APmDO7yx10Ab"
TWO = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICm2KKEQtoPJ9+oMZLgSpGw43FZaovg5SaC4NaWZIwOt"
ALL = f"""
    storage: {{ pools: {{ tank: {{ datasets: {{ home/mail: {{ snapshots: daily }} }} }} }} }}
    backup:
      snapshots: {{ daily: {{ frequent: 8 }} }}
      quiesce:
        home: {{ before: dump.service, after: on.service, datasets: [tank/home], required: true,
                deadline: 90s }}
      offsite:
        shed: {{ hours: "22:00-06:00", append_only: true, credentials: secret:shed-keys }}
      replicas:
        barn: {{ address: barn.example.org, port: 2222, user: emily, host_key: {ONE} root@barn,
                key: secret:barn, into: backup/pebble, datasets: [tank/home], schedule: hourly,
                upload_limit: 8Mbps }}
      receives:
        ember: {{ key: {TWO}, into: tank/ember, keep: {{ daily: 30, monthly: 12 }} }}
      drill: {{ schedule: monthly, files: 7, size: 5MiB }}
      checks:
        ledger: {{ dump: /srv/home/ledger.sql, format: sql, query: select count(*) > 0 from e }}
    secrets: {{ barn: {{}}, shed-keys: {{ file: /run/agenix/shed }} }}
"""


def host_json(host: Host) -> Any:
    return json.loads(module(host, "backup")["environment"]["etc"]["emily/host.json"]["text"])


def read(host: Host, folder: Path) -> Settings:
    """What a host's own commands make of what is rendered for it."""
    file = folder / "host.json"
    file.write_text(json.dumps(host_json(host)))
    return load(file)


def described() -> list[str]:
    return sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("hosts/*/host.yaml"))


@pytest.mark.parametrize("file", described())
def test_every_host_that_ships_tells_its_commands_what_they_understand(
    file: str, tmp_path: Path
) -> None:
    name = Path(file).parent.name

    told = read(as_host(name, (ROOT / file).read_text()), tmp_path)

    assert told.host == name
    assert set(told.datasets) == set(settings(shipped(name))["datasets"])  # type: ignore[call-overload]


def test_the_reader_knows_everything_that_can_be_written(tmp_path: Path) -> None:
    told = read(pebble(ALL), tmp_path)

    assert told.policies["daily"].frequent == 8
    assert told.quiesce["home"].model_dump() == {
        "before": "dump.service", "after": "on.service", "datasets": ("tank/home",),
        "deadline": 90, "required": True,
    }  # fmt: skip
    assert told.drill
    assert (told.drill.files, told.drill.size) == (7, 5 << 20)
    assert told.checks["ledger"].query == "select count(*) > 0 from e"
    assert told.receives["ember"].keep.counts == {"daily": 30, "monthly": 12}


def test_a_replica_is_told_where_to_go_and_whom_to_trust(tmp_path: Path) -> None:
    barn = read(pebble(ALL), tmp_path).replicas["barn"]

    assert (barn.address, barn.port, barn.user) == ("barn.example.org", 2222, "emily")
    assert barn.host_key == ONE
    assert barn.key.credential == "replica-key-barn"
    assert (barn.period, barn.upload_kib) == (3600, 976)


def test_a_repository_is_told_its_hours_and_what_it_may_not_do(tmp_path: Path) -> None:
    shed = read(pebble(ALL), tmp_path).repositories["shed"]

    assert shed.hours == (1320, 360)
    assert shed.append_only
    assert shed.environment
    assert shed.environment.file == Path("/run/agenix/shed")


def test_a_dataset_below_a_named_one_goes_where_that_goes(tmp_path: Path) -> None:
    mail = read(pebble(ALL), tmp_path).datasets["tank/home/mail"]

    assert (mail.repositories, mail.replicas) == (("shed",), ("barn",))


def test_a_dataset_without_a_copy_brings_its_reason(tmp_path: Path) -> None:
    told = read(shipped("ember"), tmp_path)

    assert told.datasets["rpool/nix"].exempt == "rebuilt from the flake"
    assert told.policy_of("rpool/nix") is None


def test_the_command_on_the_host_learns_what_to_copy_and_how_long_to_keep_it() -> None:
    repository = host_json(shipped("ember"))["repositories"]["s3"]

    assert repository["datasets"] == ["ember/code", "rpool/state"]
    assert repository["keep"] == {"daily": 7, "weekly": 4, "monthly": 12, "yearly": 3}
    assert repository["exclude"][0] == "/srv/code/**/.venv"


def test_of_secrets_host_json_holds_names_and_places_only() -> None:
    password = host_json(shipped("ember"))["repositories"]["s3"]["password"]

    assert password == {"credential": "restic-password-s3", "file": "/run/secrets/restic"}


def test_a_credential_is_handed_over_by_the_name_that_the_command_asks_for() -> None:
    host = pebble(ALL)
    units = module(host, "backup")["systemd"]["services"]
    given = {
        entry.split(":")[0]
        for unit in units.values()
        for entry in unit["serviceConfig"].get("LoadCredential", [])
    }

    assert given == {"restic-password-shed", "restic-environment-shed", "replica-key-barn"}
    text = json.dumps(host_json(host))
    assert all(f'"credential": "{name}"' in text for name in given)


@pytest.mark.parametrize(
    ("verify", "subsets"),
    [
        ('schedule: "06:00", whole_in: 4w', 28),
        ("schedule: Sun 06:00, whole_in: 4w", 4),
        ("schedule: monthly, whole_in: 2w", 1),
        ("schedule: hourly, whole_in: 4w", 256),
    ],
)
def test_the_shares_of_reading_back_add_up_to_everything_in_time(verify: str, subsets: int) -> None:
    host = pebble(f"backup: {{ offsite: {{ shed: {{ verify: {{ {verify} }} }} }} }}")

    assert host_json(host)["repositories"]["shed"]["verify"]["subsets"] == subsets


@pytest.mark.parametrize(("limit", "kib"), [("1Kbps", 1), ("8192bps", 1), ("100Mbps", 12207)])
def test_a_limit_however_small_never_becomes_no_limit(limit: str, kib: int) -> None:
    host = pebble(f"backup: {{ offsite: {{ shed: {{ upload_limit: {limit} }} }} }}")

    assert host_json(host)["repositories"]["shed"]["upload_kib"] == kib


def test_an_address_with_percent_signs_reaches_the_command_as_written() -> None:
    address = "rest:https://b.example.org/a%20b/"
    host = pebble(f'backup: {{ offsite: {{ shed: {{ repository: "{address}" }} }} }}')

    assert host_json(host)["repositories"]["shed"]["url"] == address
