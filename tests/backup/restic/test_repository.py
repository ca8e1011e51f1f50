"""The repository behind a name."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from emily_infra.backup.restic.faults import (
    AlreadyThere,
    BadEnvironment,
    NoRepository,
    OtherRepository,
    ResticFailed,
    TooOld,
    WrongPassword,
)
from emily_infra.backup.restic.keys import environment
from emily_infra.backup.restic.program import Call, Restic, known_features
from emily_infra.backup.restic.repository import adopt, contact, initialise, pinned
from emily_infra.backup.settings import Secret
from tests.backup.restic.copies import made
from tests.backup.world import World


def test_a_repository_is_made_once_and_only_when_asked(world: World) -> None:
    with pytest.raises(NoRepository) as missing:
        contact(world.here(), "shed")

    made_id = initialise(world.here(), "shed")

    assert "backup init shed" in missing.value.hint
    assert pinned(world.here(), "shed") == made_id
    with pytest.raises(AlreadyThere, match=made_id[:10]):
        initialise(world.here(), "shed")


def test_another_repository_at_the_same_address_is_refused(world: World) -> None:
    first = made(world)
    shutil.rmtree(first.repository.url)
    (world.root / "state" / "repositories" / "shed.json").rename(world.root / "kept")
    second = initialise(world.here(), "shed")
    (world.root / "kept").rename(world.root / "state" / "repositories" / "shed.json")

    with pytest.raises(OtherRepository) as caught:
        contact(world.here(), "shed")

    assert "init shed --adopt" in caught.value.hint
    assert adopt(world.here(), "shed") == second
    contact(world.here(), "shed")


def test_a_lost_memory_is_rebuilt_with_a_word(world: World) -> None:
    made_id = initialise(world.here(), "shed")
    (world.root / "state" / "repositories" / "shed.json").write_text("{")
    told: list[str] = []
    here = world.here()
    object.__setattr__(here, "tell", told.append)

    contact(here, "shed")

    assert pinned(here, "shed") == made_id
    assert made_id[:10] in told[0]


def test_a_wrong_password_is_named_as_that(world: World) -> None:
    made(world)
    (world.root / "secrets" / "restic").write_text("tr0ub4dor\n")

    with pytest.raises(WrongPassword, match="does not open"):
        contact(world.here(), "shed")


@pytest.mark.parametrize("text", ["", "\n", "  \n"])
def test_an_empty_password_is_refused_before_restic_runs(world: World, text: str) -> None:
    (world.root / "secrets" / "restic").write_text(text)

    with pytest.raises(WrongPassword, match="is empty"):
        initialise(world.here(), "shed")
    assert not (world.root / "repositories" / "shed").exists()


def test_a_missing_password_names_its_file(world: World) -> None:
    (world.root / "secrets" / "restic").unlink()

    with pytest.raises(WrongPassword, match=r"secrets/restic: No such file"):
        contact(world.here(), "shed")


def test_the_credential_of_systemd_goes_before_the_file(world: World, tmp_path: Path) -> None:
    restic = made(world)
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "restic").write_text("wrong\n")
    object.__setattr__(restic.here, "credentials", tmp_path / "credentials")

    with pytest.raises(WrongPassword):
        contact(restic.here, "shed")


def test_an_unreachable_server_is_given_up_in_time(tmp_path: Path) -> None:
    world = World(tmp_path).start()
    settings = json.loads(world.config.read_text())
    settings["repositories"]["shed"]["url"] = "rest:http://box:hunter2@127.0.0.1:9/"
    world.config.write_text(json.dumps(settings))

    with pytest.raises(ResticFailed, match="no answer within 2 s") as caught:
        Restic(world.here(), "shed").must(Call(("cat", "config"), deadline=2))

    assert "does not answer" in caught.value.hint
    assert "hunter2" not in str(caught.value)
    world.close()


def test_no_secret_and_no_address_is_an_argument(world: World) -> None:
    program = made(world).program(Call(("snapshots",)))

    words = " ".join(program.argv)
    assert program.argv[:2] == ("restic", "--json")
    assert "repositories/shed" not in words
    assert "secrets" not in words
    assert program.environment["TZ"] == "UTC"
    assert program.environment["RESTIC_FEATURES"] == "device-id-for-hardlinks=true"


def opens_with(restic: Restic, password: Path) -> bool:
    """Whether a password opens the repository, without the help of a cache."""
    words = ("--no-lock", "--no-cache", "cat", "config")
    call = Call(words, deadline=60, environment={"RESTIC_PASSWORD_FILE": str(password)})
    return restic.talk(call).status == 0


def test_a_second_password_opens_it_too(world: World) -> None:
    from emily_infra.backup.restic.repository import give_second_password

    restic = made(world)
    second = world.root / "second"
    second.write_text("another one\n")

    assert not opens_with(restic, second)
    give_second_password(restic.here, "shed", second)
    assert opens_with(restic, second)


@pytest.mark.parametrize("version", ["restic 0.14.0 compiled with go1.19", "restic 0.16.5", "what"])
def test_an_old_restic_is_refused_with_the_reason(world: World, version: str) -> None:
    program = world.root / "bin" / "restic"
    program.write_text(f"#!/bin/sh\necho '{version}'\n")
    program.chmod(0o755)

    with pytest.raises(TooOld, match=r"0\.17 or newer is needed"):
        known_features(world.here())


def test_a_missing_restic_is_refused(world: World) -> None:
    here = replace(world.here(), environment={"PATH": str(world.root / "nowhere")})

    with pytest.raises(TooOld, match="needed"):
        known_features(here)


def test_keys_are_read_as_lines(world: World) -> None:
    file = world.root / "keys"
    file.write_text(
        "# of the provider\n\nAWS_ACCESS_KEY_ID=AKIA\nexport AWS_SECRET_ACCESS_KEY='a=b c'\r\n"
        'RESTIC_REST_PASSWORD="x"\n'
    )

    read = environment(world.here(), Secret(credential="keys", file=file))

    assert read == {
        "AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "a=b c", "RESTIC_REST_PASSWORD": "x",
    }  # fmt: skip


@pytest.mark.parametrize("line", ["hunter2", "a key=hunter2", "RESTIC_PASSWORD=hunter2"])
def test_a_bad_line_of_keys_is_named_without_its_secret(world: World, line: str) -> None:
    file = world.root / "keys"
    file.write_text(f"A=b\n{line}\n")

    with pytest.raises(BadEnvironment, match=r"keys:2") as caught:
        environment(world.here(), Secret(credential="keys", file=file))
    assert "hunter2" not in str(caught.value)
    assert os.path.basename(file) in str(caught.value)


def test_a_server_behind_ssh_that_goes_away_is_noticed(world: World) -> None:
    told = json.loads(world.config.read_text())
    told["repositories"]["shed"]["url"] = "sftp:barn:/backup"
    world.config.write_text(json.dumps(told))

    argv = Restic(world.here(), "shed").program(Call(("snapshots",))).argv

    assert "sftp.args=-o ServerAliveInterval=15 -o ServerAliveCountMax=8" in argv
