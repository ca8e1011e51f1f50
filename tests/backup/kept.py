"""Copies of snapshots, as a run of `backup offsite` leaves them, made by restic itself."""

import json

from emily_infra.backup import ledger, source
from emily_infra.backup.ledger import Copy, Counted, taken
from emily_infra.backup.restic.program import Restic
from emily_infra.backup.restic.repository import contact
from tests.backup.restic import copies
from tests.backup.restic.copies import raw
from tests.backup.world import World


def made(world: World, name: str = "shed") -> Restic:
    """A repository without a copy."""
    copies.made(world, name)
    return contact(world.here(), name)


def copy(world: World, name: str = "shed", *exclude: str) -> Copy:
    """The newest snapshots, copied and remembered."""
    here = world.here()
    datasets = here.settings.copied_to(name)
    with source.held(here, "offsite", datasets) as chosen, source.shown(here, chosen):
        places = map(str, source.topmost(here.settings, chosen.snapshots))
        said = raw(
            here, name, "backup", "--json", "--host", "box", "--tag", f"emily-{name}",
            "--time", f"{chosen.newest:%Y-%m-%d %H:%M:%S}",
            *(word for each in exclude for word in ("--exclude", each)), "--", *places,
        )  # fmt: skip
        snapshots = taken(chosen)
    summary = json.loads(said.splitlines()[-1])
    counted = Counted(
        files=summary["total_files_processed"], bytes=summary["total_bytes_processed"]
    )
    made = Copy(
        id=summary["snapshot_id"], origin=summary["snapshot_id"], time=chosen.newest,
        snapshots=snapshots, counted=counted, ended=here.now(), verdict="good",
    )  # fmt: skip
    ledger.save(here, name, ledger.load(here, name).having(made))
    return made
