"""Whoever has taken the host over has all its credentials, and cannot lose an append-only copy."""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.backup.restic.copies import copied, environment, made
from tests.backup.restic.server import USER, WORD, Server, serving
from tests.backup.world import World

NOW = datetime(2026, 5, 20, 4, tzinfo=UTC)
DATA = os.urandom(200_000)


@dataclass(frozen=True)
class Taken:
    """A host with a copy on an append-only server; its thief knows everything that it does."""

    world: World
    server: Server
    copy: str
    words: dict[str, str]

    def restic(self, *words: str, **more: str) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            ["restic", *words], env={**self.words, **more}, capture_output=True, check=False
        )

    def files(self) -> dict[str, bytes]:
        """All that the server keeps, but locks."""
        kept = (path for path in self.server.data.rglob("*") if path.is_file())
        return {str(path): path.read_bytes() for path in kept if "locks" not in path.parts}


def host(root: Path, server: Server) -> World:
    """A host whose repository is on the server."""
    world = World(root).start()
    (root / "keys").write_text(f"RESTIC_REST_USERNAME={USER}\nRESTIC_REST_PASSWORD={WORD}\n")
    told = json.loads(world.config.read_text())
    told["repositories"]["shed"] |= {
        "url": server.url,
        "append_only": True,
        "environment": {"credential": "keys", "file": str(root / "keys")},
    }
    world.config.write_text(json.dumps(told))
    world.at(NOW)
    return world


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Taken]:
    root = tmp_path_factory.mktemp("ransom")
    with (
        serving(root / "server", "--append-only") as server,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("RESTIC_REST_USERNAME", USER)
        patch.setenv("RESTIC_REST_PASSWORD", WORD)
        world = host(root / "host", server)
        restic = made(world)
        copy = copied(restic, NOW, data=DATA)
        yield Taken(world, server, copy, environment(restic.here, "shed"))
        world.close()


@pytest.fixture(autouse=True)
def nothing_is_lost(taken: Taken) -> Iterator[None]:
    """Whatever a test tries: every file that was there is there, as it was."""
    before = taken.files()
    yield
    after = taken.files()
    assert {path: after.get(path) for path in before} == before


@pytest.mark.parametrize(
    "words",
    [
        ("forget", "COPY"),
        ("forget", "--keep-last", "1", "--group-by", "", "--prune"),
        ("forget", "--unsafe-allow-remove-all", "--host", "box"),
        ("tag", "--add", "x", "COPY"),
        ("rewrite", "--exclude", "*", "--forget", "COPY"),
        ("repair", "snapshots", "--forget"),
        ("prune", "--max-unused", "0"),
        ("repair", "index", "--read-all-packs"),
    ],
    ids=" ".join,
)
def test_what_restic_offers_deletes_nothing(taken: Taken, words: tuple[str, ...]) -> None:
    taken.restic(*(taken.copy if word == "COPY" else word for word in words))


def test_the_key_cannot_be_taken_away(taken: Taken) -> None:
    other = taken.world.root / "other"
    other.write_text("of the thief\n")
    taken.restic("key", "add", "--new-password-file", str(other))
    listed = json.loads(taken.restic("key", "list", "--json").stdout)

    for key in listed:
        taken.restic("key", "remove", key["id"], RESTIC_PASSWORD_FILE=str(other))
    taken.restic("key", "passwd", "--new-password-file", str(other))

    assert taken.restic("cat", "config").returncode == 0


@pytest.mark.parametrize("kind", ["data", "index", "keys", "snapshots"])
def test_no_file_is_deleted_or_written_over_by_hand(taken: Taken, kind: str) -> None:
    for file in [path for path in (taken.server.data / kind).rglob("*") if path.is_file()]:
        assert taken.server.ask("DELETE", f"{kind}/{file.name}") == 403
        assert taken.server.ask("POST", f"{kind}/{file.name}", b"nothing") >= 400


def test_the_repository_itself_is_not_deleted_or_made_anew(taken: Taken) -> None:
    assert taken.server.ask("DELETE", "config") == 403
    assert taken.server.ask("DELETE", "") >= 400
    assert taken.server.ask("POST", "config", b"nothing") >= 400
    assert taken.restic("init").returncode != 0


def test_our_own_verbs_refuse_too(taken: Taken) -> None:
    done = taken.world.run("prune", "shed")

    assert (done.code, "append-only" in done.err) == (1, True)


def test_backups_and_verify_go_on(taken: Taken) -> None:
    again = taken.restic("backup", "--host", "box", str(taken.world.root / "secrets"))

    assert again.returncode == 0
    assert taken.world.run("verify", "shed").code == 0


def test_after_all_of_it_the_data_is_there(taken: Taken, tmp_path: Path) -> None:
    checked = taken.restic("check", "--read-data")
    restored = taken.restic("restore", taken.copy, "--target", str(tmp_path))

    assert (checked.returncode, restored.returncode) == (0, 0), checked.stderr
    (file,) = (path for path in tmp_path.rglob("file") if path.is_file())
    assert file.read_bytes() == DATA


def test_a_future_copy_of_the_thief_makes_no_room_for_itself(taken: Taken) -> None:
    source = taken.world.root / "secrets"
    time = f"{NOW + timedelta(days=3000):%Y-%m-%d %H:%M:%S}"
    taken.restic("backup", "--host", "box", "--tag", "emily-shed", "--time", time, str(source))
    told = json.loads(taken.world.config.read_text())
    told["repositories"]["shed"]["append_only"] = False
    (taken.world.root / "keeper.json").write_text(json.dumps(told))

    done = taken.world.program(
        "emily-infra", "backup", "--config", f"{taken.world.root}/keeper.json", "prune", "shed"
    )

    assert (done.code, "still to come" in done.err) == (1, True)
