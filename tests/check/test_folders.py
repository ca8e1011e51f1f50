"""Shares that show more than they should."""

import pytest

from tests.hosts import codes, findings, pebble

NESTED = """
storage:
  pools: { tank: { datasets: { home/photos: { mountpoint: %s, snapshots: daily } } } }
samba:
  users: { eve: { password: secret:smb-eve } }
  shares:
    home: { users: %s, read_only: %s }
    photos: { dataset: tank/home/photos, users: [colter], zones: [home], read_only: true }
secrets: { smb-eve: {} }
"""


@pytest.mark.parametrize(
    ("mountpoint", "users", "read_only", "said"),
    [
        ("/srv/home/photos", "[colter, eve]", "true", "eve may open it too"),
        ("/srv/home/photos", "[colter]", "false", "it can be written"),
        ("/srv/home/photos", "[colter]", "true", ""),
        ("/srv/home-photos", "[colter, eve]", "false", ""),
        ("/srv", "[colter, eve]", "false", ""),
    ],
)
def test_a_share_inside_another_keeps_its_own_limits(
    mountpoint: str, users: str, read_only: str, said: str
) -> None:
    host = pebble(NESTED % (mountpoint, users, read_only))

    found = [f.message for f in findings(host) if f.code == "SMB012"]

    assert found == ([f"photos lies in home, through which {said}"] if said else [])


@pytest.mark.parametrize(
    ("mountpoint", "refused"),
    [("/", True), ("/etc/nixos", True), ("/var/lib", True), ("/home", True),
     ("/var/lib/media", False), ("/home/colter/files", False), ("/nix-cache", False)],
)  # fmt: skip
def test_folders_of_the_system_are_not_shared(mountpoint: str, *, refused: bool) -> None:
    home = f"home: {{ mountpoint: {mountpoint} }}"

    host = pebble(f"storage: {{ pools: {{ tank: {{ datasets: {{ {home} }} }} }} }}")

    assert ("SMB013" in codes(host)) is refused


@pytest.mark.parametrize(
    ("file", "refused"),
    [("/srv/home/restic", True), ("/srv/home/a/b", True), ("/srv/homes/restic", False)],
)
def test_a_secret_does_not_lie_in_a_share(file: str, *, refused: bool) -> None:
    host = pebble(f"secrets: {{ restic: {{ file: {file} }} }}")

    assert ("SEC005" in codes(host)) is refused


@pytest.mark.parametrize(
    ("owner", "found"),
    [
        ("{ user: colter, mode: '0700' }", set()),
        ("{ user: colter, mode: '0500' }", {"SMB014"}),
        ("{ user: root, group: users, mode: '0770' }", set()),
        ("{ user: root, group: wheel, mode: '0770' }", {"SMB014"}),
        ("{ user: colter, group: users, mode: '0570' }", {"SMB014"}),
        ("{ user: root, group: root, mode: '0777' }", set()),
    ],
)
def test_a_person_writes_by_the_first_class_that_they_are_in(owner: str, found: set[str]) -> None:
    host = pebble(
        f"storage: {{ pools: {{ tank: {{ datasets: {{ home: {{ owner: {owner} }} }} }} }} }}"
    )

    assert codes(host) & {"SMB014"} == found
