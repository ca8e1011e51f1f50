"""What the backup part of host.yaml takes and refuses."""

import pytest
from pydantic import TypeAdapter, ValidationError

from emily_infra.spec.backup import Backup, RepositoryUrl

URL = TypeAdapter(RepositoryUrl)


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
