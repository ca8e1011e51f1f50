"""Data comes back from a second host by the commands that are shown."""

from tests.backup.world import World

HOME, PHOTOS = "tank/home", "tank/home/photos"
CACHE, MAPS = "tank/home/cache", "tank/home/cache/maps"
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
    world.write(HOME, "letter", b"dear")
    world.write(PHOTOS, "cat", b"meow")
    sent(world, HOME, PHOTOS)
    for file in (world.mountpoint(HOME) / "letter", world.mountpoint(PHOTOS) / "cat"):
        file.unlink()

    brought_back(world)

    newest = {each: world.snapshots(each)[-1] for each in (HOME, PHOTOS)}
    assert (world.contents(f"{HOME}@{newest[HOME]}") / "letter").read_bytes() == b"dear"
    assert (world.contents(f"{PHOTOS}@{newest[PHOTOS]}") / "cat").read_bytes() == b"meow"


def test_what_is_below_a_named_dataset_comes_back_with_it(world: World) -> None:
    world.start(datasets=SENT, replicas={"barn": REPLICA})
    world.write(PHOTOS, "cat", b"meow")
    sent(world, HOME, PHOTOS)
    (world.mountpoint(PHOTOS) / "cat").unlink()

    brought_back(world, "--dataset", HOME)

    newest = world.snapshots(PHOTOS)[-1]
    assert (world.contents(f"{PHOTOS}@{newest}") / "cat").read_bytes() == b"meow"


def test_what_is_not_over_there_is_not_left_aside(world: World) -> None:
    world.start(datasets={**SENT, CACHE: {"exempt": "cheap"}, MAPS: SENT[HOME]},
                replicas={"barn": REPLICA})  # fmt: skip
    world.write(CACHE, "page", b"warm")
    world.write(MAPS, "hill", b"high")
    sent(world, HOME, PHOTOS, MAPS)
    (world.mountpoint(MAPS) / "hill").unlink()

    brought_back(world)

    newest = world.snapshots(MAPS)[-1]
    assert (world.contents(CACHE) / "page").read_bytes() == b"warm"
    assert (world.contents(f"{MAPS}@{newest}") / "hill").read_bytes() == b"high"


def brought_back(world: World, *words: str) -> None:
    """What `recover --replica` shows is done."""
    world.script("ssh", SSH)
    shown = world.run("recover", "box", "--replica", "barn", *words).out
    steps = [line for line in shown.splitlines() if line.startswith(("umount", "zfs", "ssh"))]
    done = world.program("sh", "-ec", "\n".join(steps))
    assert done.code == 0, done.err


def sent(world: World, *datasets: str) -> None:
    """As replication leaves it over there, with empty datasets above what is sent."""
    name = world.take(*datasets)
    for dataset in datasets:
        target = f"vault/box/{dataset}"
        world.zfs("create", "-p", target.rpartition("/")[0])
        done = world.program("sh", "-ec", f"zfs send -L {dataset}@{name} | zfs receive -u {target}")
        assert done.code == 0, done.err


def test_only_what_is_asked_for_is_shown(world: World) -> None:
    world.start(datasets=SENT, replicas={"barn": REPLICA})

    shown = world.run("recover", "box", "--replica", "barn", "--dataset", PHOTOS).out

    assert f"zfs rename {PHOTOS} {PHOTOS}.empty" in shown
    assert f"zfs rename {HOME} " not in shown
