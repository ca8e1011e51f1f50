"""`backup restore`: one version of a path, to a place of its own."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from emily_infra.backup import catalogue, source
from emily_infra.backup.everywhere import Asked, choose
from emily_infra.backup.faults import NoSuchVersion
from emily_infra.backup.here import Here
from emily_infra.backup.progress import Progress, silent
from emily_infra.backup.restic.repository import contact
from emily_infra.backup.restoring import local, placing
from emily_infra.backup.restoring.copied import Copied
from emily_infra.backup.restoring.dataset import new_dataset
from emily_infra.backup.restoring.source import Measure, Source
from emily_infra.backup.versions import LOCAL, Place, Version


class Onto(StrEnum):
    """What happens to what is at the place."""

    NOTHING = "refuse"
    OVERWRITE = "replace file by file"


@dataclass(frozen=True)
class Order:
    """What is restored, and where to."""

    wanted: Place
    to: str
    """A path; or, without a slash in front, a dataset that is made for it."""
    asked: Asked = field(default_factory=Asked)
    onto: Onto = Onto.NOTHING
    fits: bool = False
    """Whoever orders it knows that there is room."""
    progress: Progress = silent


@dataclass(frozen=True)
class Restored:
    """What a restore did."""

    version: Version
    measure: Measure
    place: str
    at: datetime
    merged: placing.Merged = field(default_factory=placing.Merged)


def restore(here: Here, order: Order) -> Restored:
    """Restore it; what is there keeps its name until all of the new one is there."""
    into_dataset = not order.to.startswith("/")
    if not into_dataset and order.onto is Onto.NOTHING:
        placing.refuse_what_is_there(Path(order.to))
    version = choose(here, order.wanted, order.asked)
    here.tell(f"{order.wanted.path}: from {version.name} of {version.at:%Y-%m-%d %H:%M} UTC")
    with opened(here, order.wanted, version) as found:
        if into_dataset:
            with new_dataset(here, order.to, found.name) as folder:
                measure = _written(found, folder, folder / found.name, order)
            return Restored(version, measure, order.to, here.now())
        return _into_folder(here, order, version, found)


def _into_folder(here: Here, order: Order, version: Version, found: Source) -> Restored:
    place = Path(order.to)
    merging = order.onto is Onto.OVERWRITE and place.is_dir() and not place.is_symlink()
    # Inside, since a folder may be a mountpoint: beside it would be another file system.
    with placing.holder(here, place if merging else place.parent) as folder:
        measure = _written(found, folder, folder, order)
        made = folder / found.name
        if order.onto is Onto.OVERWRITE:
            merged = placing.merge(here, made, place)
            return Restored(version, measure, order.to, here.now(), merged)
        placing.settle(here, made, place)
    return Restored(version, measure, order.to, here.now())


def _written(found: Source, folder: Path, room: Path, order: Order) -> Measure:
    if not order.fits:
        placing.check_room(room, found.measure().bytes)
    return found.write(folder, order.progress)


@contextlib.contextmanager
def opened(here: Here, wanted: Place, version: Version) -> Iterator[Source]:
    """A version that can be read, until the end of the block."""
    if version.source != LOCAL:
        path = source.place(here.settings, wanted.dataset) / wanted.below
        yield Copied(contact(here, version.source), version.name, path)
        return
    taken = {each.full: each for each in catalogue.snapshots(here, wanted.dataset)}
    if version.name not in taken:
        raise NoSuchVersion(
            f"{version.name} was destroyed meanwhile",
            hint=f"see what there is: emily-infra backup list {wanted.path}",
        )
    with local.opened(here, wanted, taken[version.name]) as shown:
        if not shown.is_there:
            raise NoSuchVersion(
                f"{version.name} does not hold {wanted.path}",
                hint=f"see what does: emily-infra backup list {wanted.path}",
            )
        yield shown
