"""What stands behind a login to a machine of our own making: its state is in a file."""

import os
import pickle
import shlex
import sys
from pathlib import Path

from emily_infra.machine import CommandFailed
from tests.storage.world import World


def keep(world: World, file: Path) -> None:
    """For the next command."""
    file.write_bytes(pickle.dumps(world))


def kept(file: Path) -> World:
    """As the last command left it."""
    world: World = pickle.loads(file.read_bytes())
    return world


def main(file: Path) -> int:
    """One command of a client."""
    world = kept(file)
    argv = shlex.split(os.environ["SSH_ORIGINAL_COMMAND"])
    argv = argv[3:] if argv[:2] == ["sudo", "-n"] else argv
    try:
        said = world.run(*argv, stdin=sys.stdin.read())
    except CommandFailed as error:
        sys.stderr.write(error.stderr)
        return error.status or 1
    keep(world, file)
    sys.stdout.write(said)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
