"""What the activation makes of /etc, accounts and secrets, in a folder that is a machine."""

import json
from pathlib import Path
from typing import Any

import pytest

from emily_infra.lab.system.guest import accounts, activate, secrets
from emily_infra.lab.system.guest.place import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    for folder in ("etc", "run", "nix/var/nix"):
        (tmp_path / "root" / folder).mkdir(parents=True)
    root = tmp_path / "root"
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/bash\n")
    (root / "etc/group").write_text("root:x:0:\nusers:x:100:\n")
    (root / "etc/shadow").write_text("root:*:1::::::\n")
    return Place(root)


def _toplevel(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / "etc" / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_files_of_etc_are_links_through_static(place: Place, tmp_path: Path) -> None:
    activate.link_etc(_toplevel(tmp_path / "one", samba__conf="a"), {}, place)

    assert str((place.root / "etc/samba/conf").readlink()) == "/etc/static/samba/conf"
    assert str((place.root / "etc/static").readlink()) == str(tmp_path / "one/etc")


def test_the_units_are_one_link(place: Place, tmp_path: Path) -> None:
    activate.link_etc(_toplevel(tmp_path / "one", systemd__system__a="[Unit]"), {}, place)

    assert str((place.root / "etc/systemd/system").readlink()) == "/etc/static/systemd/system"


def test_what_the_new_generation_lacks_is_gone(place: Place, tmp_path: Path) -> None:
    activate.link_etc(_toplevel(tmp_path / "one", a="1", b="1"), {}, place)
    activate.link_etc(_toplevel(tmp_path / "two", a="2"), {}, place)

    assert (place.root / "etc/a").is_symlink()
    assert not (place.root / "etc/b").is_symlink()


def test_a_file_with_a_mode_is_a_copy_and_goes_with_its_generation(
    place: Place, tmp_path: Path
) -> None:
    copies = {"a": {"mode": "0440", "user": "root", "group": "root"}}

    activate.link_etc(_toplevel(tmp_path / "one", a="1"), copies, place)
    mode = (place.root / "etc/a").lstat().st_mode & 0o777
    activate.link_etc(_toplevel(tmp_path / "two", b="2"), {}, place)

    assert mode == 0o440
    assert not (place.root / "etc/a").exists()


def test_what_the_distribution_had_is_kept_aside(place: Place, tmp_path: Path) -> None:
    (place.root / "etc/hosts").write_text("debian")

    activate.link_etc(_toplevel(tmp_path / "one", hosts="nixos"), {}, place)

    assert (place.root / "etc/.debian/hosts").read_text() == "debian"


def _user(name: str, **more: Any) -> dict[str, Any]:
    usual = {
        "name": name, "uid": None, "normal": True, "group": "users", "groups": ["wheel"],
        "home": f"/home/{name}", "shell": "/bin/bash", "comment": "", "password_file": "",
    }  # fmt: skip
    return usual | more


def _described(*users: dict[str, Any]) -> dict[str, Any]:
    return {"users": list(users), "groups": {"wheel": None, "users": None}}


def _line(place: Place, file: str, name: str) -> list[str]:
    lines = (place.root / "etc" / file).read_text().splitlines()
    return next((line.split(":") for line in lines if line.startswith(f"{name}:")), [])


def test_a_person_gets_an_account_a_group_and_a_home(place: Place) -> None:
    accounts.make(_described(_user("mei")), place)

    assert _line(place, "passwd", "mei")[2:6] == ["1000", "100", "", "/home/mei"]
    assert _line(place, "group", "wheel")[3] == "mei"
    assert _line(place, "shadow", "mei")[1] == "!"
    assert (place.root / "home/mei").is_dir()


def test_a_number_once_given_is_kept(place: Place) -> None:
    accounts.make(_described(_user("mei")), place)
    accounts.make(_described(_user("ann"), _user("mei")), place)

    assert _line(place, "passwd", "mei")[2] == "1000"
    assert _line(place, "passwd", "ann")[2] == "1001"


def test_who_is_no_longer_described_is_gone_and_debians_own_stay(place: Place) -> None:
    accounts.make(_described(_user("mei")), place)
    accounts.make(_described(), place)

    assert _line(place, "passwd", "mei") == []
    assert _line(place, "group", "wheel")[3] == ""
    assert _line(place, "passwd", "root") != []


def test_a_secret_is_made_up_once_and_stays_the_same(place: Place) -> None:
    described = {"/run/secrets/wg0": "wireguard", "/run/secrets/token": "password"}

    secrets.make(described, place)
    before = (place.root / "run/secrets/wg0").read_text()
    (place.root / "run/secrets/wg0").unlink()
    secrets.make(described, place)

    assert (place.root / "run/secrets/wg0").read_text() == before
    assert len(before.strip()) == 44


def test_a_secret_from_outside_goes_before_a_made_up_one(place: Place) -> None:
    given = place.root / "run/lab/secrets/run-secrets-wg0"
    given.parent.mkdir(parents=True)
    given.write_text("from outside\n")

    secrets.make({"/run/secrets/wg0": "wireguard"}, place)

    assert (place.root / "run/secrets/wg0").read_text() == "from outside\n"


def test_one_step_that_fails_keeps_no_other_from_being_done(place: Place, tmp_path: Path) -> None:
    toplevel = _toplevel(tmp_path / "one", hostname="ember")
    (toplevel / "emily").mkdir()
    (toplevel / "emily/lab.json").write_text(json.dumps({"copies": {}, "secrets": {"/x": "?"}}))
    (toplevel / "emily/accounts.json").write_text(json.dumps(_described()))

    assert activate.run(toplevel, place) == 1

    assert place.current.resolve() == toplevel
