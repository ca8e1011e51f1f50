"""Repositories that are full, or do not answer."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from emily_infra.backup.restic.faults import ResticFailed
from emily_infra.backup.restic.program import Call, Restic
from tests.backup.restic.copies import copied, environment, ids, made
from tests.backup.restic.server import USER, WORD, serving
from tests.backup.world import World

NOW = datetime(2026, 5, 20, 4, tzinfo=UTC)
DAY = timedelta(days=1)


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """A disk of this size at a folder, in the mount namespace that the world's tests have."""
    folder.mkdir(parents=True)
    mount = ["/usr/bin/mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    subprocess.run(mount, check=True)
    try:
        yield
    finally:
        subprocess.run(["/usr/bin/umount", "-l", str(folder)], check=True)


def told(world: World, **changes: object) -> None:
    """Change what the host is told of its repository."""
    whole = json.loads(world.config.read_text())
    whole["repositories"]["shed"] |= changes
    world.config.write_text(json.dumps(whole))


def whole(restic: Restic) -> bool:
    done = subprocess.run(
        ["restic", "check", "--read-data"], env=environment(restic.here, "shed"),
        capture_output=True, check=False,
    )  # fmt: skip
    return done.returncode == 0


def test_a_full_disk_is_named_and_pruning_makes_room(world: World) -> None:
    world.at(NOW)
    told(world, keep={"daily": 1})
    with small_disk(world.root / "repositories", "4m"):
        restic = made(world)
        copied(restic, NOW - DAY, data=os.urandom(1_500_000))
        newest = copied(restic, NOW, data=os.urandom(1_500_000))
        large = world.write("tank/home", "large", os.urandom(2_500_000))

        full = restic.talk(Call(("backup", "--host", "box", str(large))))
        pruned = world.run("prune", "shed")

        assert full.status != 0
        assert "is full" in restic.fault(full).hint
        assert (pruned.code, ids(restic)) == (0, {newest}), pruned.err
        assert whole(restic)


def test_a_disk_without_a_free_byte_is_an_error_that_loses_nothing(world: World) -> None:
    world.at(NOW)
    told(world, keep={"daily": 1})
    with small_disk(world.root / "repositories", "3m"):
        restic = made(world)
        for day in range(2):
            copied(restic, NOW - day * DAY, data=os.urandom(600_000))
        ballast = world.root / "repositories" / "ballast"
        subprocess.run(["dd", "if=/dev/zero", f"of={ballast}"], capture_output=True, check=False)

        done = world.run("prune", "shed")
        ballast.unlink()
        again = world.run("prune", "shed")

        assert (done.code, "is full" in done.err) == (1, True), done.err
        assert again.code == 0, again.err
        assert whole(restic)


def test_a_server_at_its_limit_says_so(tmp_path: Path) -> None:
    with serving(tmp_path / "server", "--max-size", "900000") as server:
        world = World(tmp_path / "host").start()
        keys = tmp_path / "keys"
        keys.write_text(f"RESTIC_REST_USERNAME={USER}\nRESTIC_REST_PASSWORD={WORD}\n")
        told(world, url=server.url, environment={"credential": "keys", "file": str(keys)})
        restic = made(world)
        (tmp_path / "large").write_bytes(os.urandom(3_000_000))

        call = Call(("backup", "--host", "box", str(tmp_path / "large")), deadline=5)
        with pytest.raises(ResticFailed, match="507") as caught:  # restic tries for a quarter hour
            restic.talk(call)

        assert "is full" in caught.value.hint
        world.close()


def test_a_server_that_is_gone_is_an_error_and_no_damage(world: World) -> None:
    told(world, url="sftp:nobody@127.0.0.1:/nowhere")
    (world.root / "bin" / "ssh").write_text("#!/bin/sh\necho 'Connection refused' >&2; exit 255\n")
    (world.root / "bin" / "ssh").chmod(0o755)

    done = world.run("verify", "shed")

    assert (done.code, "BKP035" in done.err) == (1, True), done.err
    assert "does not answer" in done.err
