"""Second hosts, quiesced data and dumps, at their edges."""

import pytest

from emily_infra.spec.host import Host
from tests.check.test_backup import NOTHING, found
from tests.hosts import codes, pebble

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMLJfwPy36ovZsZCCGlRv16ASbvh9vW9APmDO7yx10Ab"
OTHER = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAICm2KKEQtoPJ9+oMZLgSpGw43FZaovg5SaC4NaWZIwOt"
FAR = """
    deploy: {{ address: 192.168.1.20 }}
    network: {{ zones: {{ home: {{ address: 192.168.1.20/24 }} }} }}
    system: {{ ssh: {{ port: {port} }} }}
    backup: {{ receives: {{ pebble: {{ key: {key}, into: tank/pebble, keep: {{ daily: 7 }} }} }} }}
"""


def sender(address: str = "192.168.1.20", more: str = "", part: str = "") -> Host:
    return pebble(
        f"backup: {{ replicas: {{ barn: {{ address: '{address}', host_key: {KEY}, {more} "
        "key: secret:barn, into: tank/pebble, datasets: [tank/home] } } }\n"
        f"secrets: {{ barn: {{}} }}\n{part}"
    )


def far(port: int = 22) -> Host:
    return pebble(FAR.format(key=OTHER, port=port), "far")


def receiver(into: str, datasets: str = "{}") -> Host:
    return pebble(
        f"backup: {{ receives: {{ ember: {{ key: {OTHER}, into: {into}, keep: {{ daily: 7 }} }} }} "
        f"}}\nstorage: {{ pools: {{ tank: {{ datasets: {datasets} }} }} }}"
    )


def only_replica(part: str = "") -> Host:
    """A host whose data is in a second pool elsewhere and in no repository."""
    replica = (
        f"{{ address: barn.example.org, host_key: {KEY}, key: secret:barn, into: tank/pebble, "
        "datasets: [tank/home] }"
    )
    return pebble(
        f"backup: {{ offsite: null, drill: null, replicas: {{ barn: {replica} }} {part} }}"
    )


def test_a_replica_is_a_copy() -> None:
    assert not codes(only_replica()) & {"BAK001", "BAK011"}


def test_what_is_sent_is_not_exempt() -> None:
    host = only_replica(", exempt: { tank/home: kept by hand in a second place }")

    message = found("BAK005", host)[0]

    assert message.message == "tank/home is exempt, but barn holds a copy of it"
    assert "backup.replicas.barn.datasets" in message.hint


def test_snapshots_must_outlive_a_night_without_a_replica() -> None:
    host = pebble(
        f"backup: {{ offsite: null, drill: null, snapshots: {{ daily: {{ hourly: 47, daily: 0, "
        f"monthly: 0 }} }}, replicas: {{ barn: {{ address: barn, host_key: {KEY}, "
        "key: secret:barn, into: tank/pebble, datasets: [tank/home] } } }"
    )

    assert "reach back 47h; two runs of its copy need 2d" in found("BAK006", host)[0].message


@pytest.mark.parametrize(
    "part",
    [
        "replicas: { barn: { datasets: [tank/hom] } }",
        "quiesce: { home: { before: a.service, datasets: [tank/hom] } }",
    ],
)
def test_a_misspelt_dataset_is_found_wherever_it_is_named(part: str) -> None:
    more = f"address: barn, host_key: {KEY}, key: secret:barn, into: tank/pebble, datasets"
    host = pebble(f"backup: {{ {part.replace('datasets', more) if 'barn' in part else part} }}")

    assert "tank/hom " in found("BAK004", host)[0].message


@pytest.mark.parametrize("address", ["pebble", "localhost", "192.168.1.10", "::1"])
def test_this_host_by_any_name_is_no_second_host(address: str) -> None:
    assert "BAK023" in codes(sender(address))


def test_two_ends_of_one_mind_have_nothing_to_say() -> None:
    assert not codes(sender(), far()) & {"BAK028", "BAK029"}


@pytest.mark.parametrize(
    ("more", "port", "said"),
    [
        ("", 2222, "port is 22 here and 2222 on far"),
        ("user: colter,", 22, "user is colter here and root on far"),
    ],
)
def test_the_far_side_has_the_last_word_on_how_it_is_reached(
    more: str, port: int, said: str
) -> None:
    assert [f.message for f in found("BAK028", sender(more=more), far(port))] == [said]


def test_a_far_side_that_takes_nothing_in_is_told_what_to_add() -> None:
    other = pebble(
        "deploy: { address: 192.168.1.20 }\n"
        "network: { zones: { home: { address: 192.168.1.20/24 } } }", "far"
    )  # fmt: skip

    problem = found("BAK028", sender(), other)[0]

    assert problem.host == "pebble"
    assert "pebble: { key: PUBLIC KEY, into: tank/pebble" in problem.hint


def test_what_every_host_calls_itself_is_no_other_host() -> None:
    assert "BAK028" not in codes(sender("localhost"), far(2222))


def test_a_machine_outside_of_the_fleet_is_taken_at_its_word() -> None:
    assert "BAK028" not in codes(sender("barn.example.org"), far())


@pytest.mark.parametrize(
    ("into", "datasets", "said"),
    [
        ("tank/ember", "{}", NOTHING),
        ("tank/home", "{}", {"BAK025"}),
        ("tank/home/ember", "{}", {"BAK025"}),
        ("tank/ember", "{ ember/own: { mountpoint: /srv/own } }", {"BAK025"}),
        ("tank/ember", "{ ember: { snapshots: none } }", NOTHING),
        ("tank/ember", "{ ember/own: { snapshots: none } }", {"BAK025"}),
        ("tank/in/ember", "{ in: { snapshots: none } }", NOTHING),
        ("tank/ember", "{ ember: { snapshots: daily } }", {"BAK025"}),
        ("other/ember", "{}", {"BAK025"}),
    ],
)
def test_what_is_received_meets_nothing_that_lives_here(
    into: str, datasets: str, said: set[str]
) -> None:
    assert codes(receiver(into, datasets)) & {"BAK025"} == said


def test_an_admins_key_is_no_senders_key() -> None:
    key = next(iter(pebble().spec.system.admins.values())).keys[0]
    host = pebble(
        f"backup: {{ receives: {{ ember: {{ key: {key.split(' c')[0]}, into: tank/ember, "
        "keep: { daily: 7 } } } }"
    )

    assert "the key of the admin colter" in found("BAK027", host)[0].message


@pytest.mark.parametrize(
    ("deadline", "frequent", "said"),
    [("59min", 0, NOTHING), ("1h", 0, {"BAK021"}), ("14min", 4, NOTHING), ("15min", 4, {"BAK021"})],
)
def test_a_hook_is_done_before_the_next_snapshot_is_due(
    deadline: str, frequent: int, said: set[str]
) -> None:
    host = pebble(
        f"backup: {{ snapshots: {{ daily: {{ frequent: {frequent} }} }}, quiesce: {{ home: "
        f"{{ before: a.service, datasets: [tank/home], deadline: {deadline} }} }} }}"
    )

    assert codes(host) & {"BAK021"} == said


@pytest.mark.parametrize(
    ("schedule", "hours", "said"),
    [
        ('"02:00"', "22:00-06:00", NOTHING),
        ('"06:00"', "22:00-06:00", {"BAK016"}),
        ("Sun 22:00", "22:00-06:00", NOTHING),
        ("hourly", "01:30-02:30", NOTHING),
        ("daily", "01:00-02:00", {"BAK016"}),
        ("daily", "00:00-00:30", {"BAK016"}),
    ],
)
def test_a_copy_begins_within_its_hours(schedule: str, hours: str, said: set[str]) -> None:
    host = pebble(
        f'backup: {{ offsite: {{ shed: {{ schedule: {schedule}, hours: "{hours}" }} }} }}'
    )

    assert codes(host) & {"BAK016"} == said


def test_the_first_copy_is_reckoned_with_the_hours_that_it_has() -> None:
    host = pebble(
        "storage: { pools: { tank: { datasets: { home: { quota: 500GB } } } } }\n"
        'backup: { offsite: { shed: { upload_limit: 100Mbps, hours: "00:00-08:00" } } }'
    )

    assert "at 100Mbps from 00:00-08:00 that takes 1.4 days" in found("BAK014", host)[0].message


def test_the_far_side_is_told_how_to_forget_by_age() -> None:
    host = pebble("backup: { offsite: { shed: { append_only: true } } }")

    hint = found("BAK018", host)[0].hint

    assert "--host pebble --tag emily-shed --group-by host,tags --keep-within-daily 7d" in hint
    assert "--keep-last" not in hint
