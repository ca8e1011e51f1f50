"""What the backup part of host.yaml takes and refuses."""

import pytest
from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

from emily_infra.spec.backup import Backup, RepositoryUrl
from emily_infra.spec.backup import Service as Unit
from emily_infra.spec.replication import Address
from emily_infra.spec.units import Hours

URL = TypeAdapter(RepositoryUrl)
ADDRESS = TypeAdapter(Address)
UNIT = TypeAdapter(Unit)


@pytest.mark.parametrize(
    "address",
    [
        "s3:https://s3.example.org/bucket/ember",
        "rest:https://backup.example.org:8000/ember/",
        "sftp:backup@barn:/srv/ember",
        "b2:bucket:ember",
        "rclone:remote:ember",
        "/mnt/usb/ember",
        "/mnt/usb/ember/",
    ],
)
def test_an_address_that_restic_understands_is_taken(address: str) -> None:
    assert URL.validate_python(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "rest:https://colter:secret@backup.example.org/ember/",
        "sftp:colter:secret@barn:/srv/ember",
        "s3:bucket/ember",
        "mnt/usb",
        "/",
        "/mnt/../etc",
        "/mnt/%h",
        '/mnt/usb" /etc',
    ],
)
def test_an_address_with_a_password_or_a_doubtful_path_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        URL.validate_python(address)


def test_no_policy_can_be_called_what_means_no_policy() -> None:
    with pytest.raises(ValidationError, match="no policy can be called none"):
        Backup.model_validate({"snapshots": {"none": {"daily": 7}}})


def test_a_drill_is_a_time_or_says_more() -> None:
    short, long = (
        Backup.model_validate({"drill": written}).drill
        for written in ("Sun 04:00", {"schedule": "Sun 04:00", "files": 100, "size": "1GiB"})
    )

    assert short == long
    assert short
    assert short.schedule.on_calendar == "Sun *-*-* 04:00:00 UTC"


def test_no_drill_is_no_drill() -> None:
    assert Backup.model_validate({"drill": None}).drill is None


@pytest.mark.parametrize(
    ("written", "minutes", "length"),
    [
        ("22:00-06:00", (1320, 360), "8h"),
        ("01:30-02:00", (90, 120), "30min"),
        ("00:00-23:59", (0, 1439), "1439min"),
    ],
)
def test_hours_may_go_over_midnight(written: str, minutes: tuple[int, int], length: str) -> None:
    hours = Hours.parse(written)

    assert hours.minutes == minutes
    assert str(hours.length) == length


def test_hours_hold_their_first_minute_and_not_their_last() -> None:
    hours = Hours.parse("22:00-06:00")

    assert [hours.holds(minute) for minute in (1320, 0, 359, 360, 1319)] == [
        True, True, True, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize("written", ["22-06", "24:00-06:00", "02:00-02:00", "", None, 22])
def test_what_is_no_part_of_a_day_is_refused_with_an_example(written: object) -> None:
    with pytest.raises(PydanticCustomError) as refused:
        Hours.parse(written)

    assert "22:00-06:00" in (refused.value.context or {})["hint"]


@pytest.mark.parametrize("address", ["barn", "barn.example.org", "10.0.0.2", "fd00::2", "::1"])
def test_a_machine_has_a_name_or_an_address(address: str) -> None:
    assert ADDRESS.validate_python(address) == address


@pytest.mark.parametrize("address", ["-oProxyCommand=x", "root@barn", "barn:22", "", "a b", "a."])
def test_an_address_is_nothing_that_ssh_takes_otherwise(address: str) -> None:
    with pytest.raises(ValidationError):
        ADDRESS.validate_python(address)


@pytest.mark.parametrize(
    "unit", ["dump", "dump.timer", "--now.service", "a/b.service", "a b.service"]
)
def test_a_service_is_named_in_full(unit: str) -> None:
    with pytest.raises(ValidationError):
        UNIT.validate_python(unit)
