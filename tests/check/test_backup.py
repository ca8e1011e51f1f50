"""Coverage, retention and schedules, at their edges."""

import pytest

from emily_infra.check.schedule import coincide
from emily_infra.findings import Finding
from emily_infra.spec.host import Host
from emily_infra.spec.units import Calendar
from tests.hosts import codes, findings, pebble

NOTHING: set[str] = set()
CHILD = "storage: { pools: { tank: { datasets: { home/mail: { snapshots: daily } } } } }\n"


def found(code: str, *hosts: Host) -> list[Finding]:
    return [finding for finding in findings(*hosts) if finding.code == code]


def test_a_dataset_is_covered_by_the_entry_of_one_above_it() -> None:
    host = pebble(CHILD)

    assert not found("BAK001", host)


def test_a_name_that_only_begins_alike_covers_nothing() -> None:
    host = pebble("storage: { pools: { tank: { datasets: { home2: {} } } } }")

    assert "tank/home2" in found("BAK001", host)[0].message


def test_a_dataset_beside_the_one_above_it_is_listed_twice_whatever_the_order() -> None:
    lists = ["[tank/home/mail, tank/home]", "[tank/home, tank/home/mail]"]
    hosts = [
        pebble(CHILD + f"backup: {{ offsite: {{ shed: {{ datasets: {text} }} }} }}")
        for text in lists
    ]

    messages = [[finding.message for finding in found("BAK002", host)] for host in hosts]

    assert messages == [["tank/home/mail is already part of tank/home"]] * 2


def second(repository: str) -> Host:
    return pebble(
        "backup: { offsite: { barn: { password: secret:restic, datasets: [tank/home], "
        f'repository: "{repository}" }} }} }}'
    )


def test_two_entries_with_one_address_are_one_repository_with_or_without_the_last_slash() -> None:
    host = second("rest:https://backup.example.org/pebble")

    assert "BAK002" in codes(host)


def test_two_repositories_in_two_places_are_fine() -> None:
    host = second("rest:https://barn.example.org/pebble/")

    assert "BAK002" not in codes(host)


@pytest.mark.parametrize(
    ("schedule", "policy", "said"),
    [
        ('"02:00"', "hourly: 48", NOTHING),
        ('"02:00"', "hourly: 47", {"BAK006"}),
        ('"02:00"', "daily: 2", NOTHING),
        ("Sun 02:00", "daily: 14", NOTHING),
        ("Sun 02:00", "hourly: 335, daily: 13", {"BAK006"}),
        ("Sun 02:00", "weekly: 2", NOTHING),
        ("hourly", "hourly: 2", NOTHING),
    ],
)
def test_snapshots_must_outlive_one_failed_copy(schedule: str, policy: str, said: set[str]) -> None:
    none = "hourly: 0, daily: 0, weekly: 0, monthly: 0, yearly: 0"
    wanted = {**_counts(none), **_counts(policy)}
    text = ", ".join(f"{period}: {count}" for period, count in wanted.items())
    host = pebble(
        f"backup: {{ snapshots: {{ daily: {{ {text} }} }}, "
        f"offsite: {{ shed: {{ schedule: {schedule} }} }} }}"
    )

    assert codes(host) & {"BAK006"} == said


def _counts(text: str) -> dict[str, str]:
    return dict(part.split(": ") for part in text.split(", "))


def test_a_dataset_below_a_covered_one_needs_snapshots_too() -> None:
    host = pebble("storage: { pools: { tank: { datasets: { home/mail: { snapshots: none } } } } }")

    assert "tank/home/mail is to be copied" in found("BAK006", host)[0].message


def test_a_policy_that_is_misspelt_is_one_fault_and_not_two() -> None:
    host = pebble("storage: { pools: { tank: { datasets: { home: { snapshots: dayly } } } } }")

    assert codes(host) & {"BAK003", "BAK006"} == {"BAK003"}


def test_a_missing_drill_is_told_of_the_backup_as_a_whole() -> None:
    host = pebble("backup: { drill: null }")

    assert [finding.place for finding in found("BAK007", host)] == [("backup",)]


def test_each_of_three_hosts_in_one_repository_hears_of_it() -> None:
    fleet = [pebble(name=name) for name in ("one", "two", "three")]

    messages = {finding.host: finding.message for finding in found("BAK009", *fleet)}

    assert messages == {
        "one": "one and three and 1 more write into the same repository",
        "two": "two and one and 1 more write into the same repository",
        "three": "three and one and 1 more write into the same repository",
    }


def test_the_same_folder_on_two_hosts_is_not_the_same_repository() -> None:
    part = "backup: { offsite: { shed: { repository: /mnt/usb/backup } } }"

    assert not found("BAK009", pebble(part, "one"), pebble(part, "two"))


@pytest.mark.parametrize(
    ("folder", "where"),
    [("/srv/home/backup", "own pool tank"), ("/mnt/usb", "a folder of this host")],
)
def test_a_folder_of_the_host_is_not_elsewhere(folder: str, where: str) -> None:
    host = pebble(f"backup: {{ offsite: {{ shed: {{ repository: {folder} }} }} }}")

    assert where in found("BAK010", host)[0].message


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("02:00", "02:00"),
        ("02:00", "Sun 02:00"),
        ("hourly", "Sun 09:00"),
        ("weekly", "monthly"),
        ("monthly", "daily"),
    ],
)
def test_two_calendars_meet_where_no_field_keeps_them_apart(one: str, other: str) -> None:
    calendars = Calendar.parse(one), Calendar.parse(other)

    assert coincide(*calendars)
    assert coincide(*reversed(calendars))


@pytest.mark.parametrize(
    ("one", "other"),
    [("Sat 02:00", "Sun 02:00"), ("hourly", "Sun 09:30"), ("weekly", "Tue 00:00")],
)
def test_two_calendars_never_meet_where_one_field_differs(one: str, other: str) -> None:
    assert not coincide(Calendar.parse(one), Calendar.parse(other))


def test_an_hourly_copy_meets_both_pruning_and_reading_back() -> None:
    host = pebble("backup: { offsite: { shed: { schedule: hourly } } }")

    assert len(found("BAK012", host)) == 2


@pytest.mark.parametrize(("whole_in", "said"), [("7d", NOTHING), ("6d", {"BAK013"})])
def test_reading_back_weekly_keeps_a_promise_of_a_week(whole_in: str, said: set[str]) -> None:
    host = pebble(
        "backup: { offsite: { shed: { verify: { schedule: Sun 06:00, "
        f"whole_in: {whole_in} }} }} }} }}"
    )

    assert codes(host) & {"BAK013"} == said


@pytest.mark.parametrize(
    ("quota", "limit", "said"),
    [
        ("10800GB", "1Gbps", NOTHING),
        ("10801GB", "1Gbps", {"BAK014"}),
        ("2TB", "100Mbps", {"BAK014"}),
    ],
)
def test_a_gigabit_carries_ten_terabytes_and_eight_tenths_a_day(
    quota: str, limit: str, said: set[str]
) -> None:
    host = pebble(
        f"storage: {{ pools: {{ tank: {{ datasets: {{ home: {{ quota: {quota} }} }} }} }} }}\n"
        f"backup: {{ offsite: {{ shed: {{ upload_limit: {limit} }} }} }}"
    )

    assert codes(host) & {"BAK014"} == said


def test_without_a_quota_nothing_is_said_of_the_first_copy() -> None:
    host = pebble("backup: { offsite: { shed: { upload_limit: 1Mbps } } }")

    assert "BAK014" not in codes(host)


@pytest.mark.parametrize(
    ("pattern", "refused"),
    [
        ("*", True),
        ("/**", True),
        ("/srv", True),
        ("/srv/home/", True),
        ("/srv/home/*", True),
        ("/srv/home/cache", False),
        ("/srv/homes/**", False),
        ("*.tmp", False),
        ("**/node_modules", False),
    ],
)
def test_a_pattern_leaves_something_to_copy(pattern: str, *, refused: bool) -> None:
    host = pebble(f'backup: {{ offsite: {{ shed: {{ exclude: ["{pattern}"] }} }} }}')

    assert ("BAK015" in codes(host)) is refused
