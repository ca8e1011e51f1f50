"""The few numbers that outlive a run, in one small file."""

import logging
import os
from pathlib import Path

import msgspec

from emily_runtime.mind.records import Habits

NAME = "habits.json"
LOG = logging.getLogger(__name__)


def kept(folder: Path) -> Habits | None:
    """The habits of the run before; none where there was none, or its file is damaged."""
    file = folder / NAME
    try:
        return msgspec.json.decode(file.read_bytes(), type=Habits)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        LOG.warning("%s is not used: %s", file, error)
        return None


def keep(folder: Path, habits: Habits) -> None:
    """Write them, whole or not at all; a disk that takes nothing is no reason to fail."""
    file = folder / NAME
    draft = file.with_suffix(f".{os.getpid()}")
    try:
        draft.write_bytes(msgspec.json.encode(habits))
        draft.replace(file)
    except OSError as error:
        LOG.warning("%s cannot be written: %s", file, error)
