"""Data comes back from a second host by the commands that are shown."""

from tests.backup.world import World

HOME, PHOTOS = "tank/home", "tank/home/photos"
REPLICA = {
    "address": "barn.lan", "user": "emily-box", "host_key": "ssh-ed25519 AA", "into": "vault/box",
    "key": {"credential": "key", "file": "/run/secrets/key"}, "datasets": [HOME],
    "period": 86400,
}  # fmt: skip
SENT = {name: {"policy": "daily", "replicas": ["barn"]} for name in (HOME, PHOTOS)}
"""host.yaml names only the upper one; what stands below goes with it."""
SSH = '#!/bin/sh\n[ "$1" = root@barn.lan ] || exit 1\nexec sh -c "$2"\n'


def test_the_commands_that_are_shown_bring_it_back(world: World) -> None:
    world.start(datasets=SENT, replicas={"barn": REPLICA})
    world.script("ssh", SSH)
    world.write(HOME, "letter", b"dear")
    world.write(PHOTOS, "cat", b"meow")
    sent(world)
    for file in (world.mountpoint(HOME) / "letter", world.mountpoint(PHOTOS) / "cat"):
        file.unlink()

    shown = world.run("recover", "box", "--replica", "barn").out
    steps = [line for line in shown.splitlines() if line.startswith(("umount", "zfs", "ssh"))]
    done = world.program("sh", "-ec", "\n".join(steps))

    assert done.code == 0, done.err
    newest = {each: world.snapshots(each)[-1] for each in (HOME, PHOTOS)}
    assert (world.contents(f"{HOME}@{newest[HOME]}") / "letter").read_bytes() == b"dear"
    assert (world.contents(f"{PHOTOS}@{newest[PHOTOS]}") / "cat").read_bytes() == b"meow"


def sent(world: World) -> None:
    """As replication leaves it over there."""
    for parent in ("vault/box", "vault/box/tank"):
        world.zfs("create", parent)
    name = world.take(HOME, PHOTOS)
    for dataset in (HOME, PHOTOS):
        command = f"zfs send -L {dataset}@{name} | zfs receive -u vault/box/{dataset}"
        done = world.program("sh", "-ec", command)
        assert done.code == 0, done.err


def test_only_what_is_asked_for_is_shown(world: World) -> None:
    world.start(datasets=SENT, replicas={"barn": REPLICA})

    shown = world.run("recover", "box", "--replica", "barn", "--dataset", PHOTOS).out

    assert f"zfs rename {PHOTOS} {PHOTOS}.empty" in shown
    assert f"zfs rename {HOME} " not in shown
