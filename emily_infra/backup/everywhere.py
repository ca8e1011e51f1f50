"""Where versions of a path are looked for: in this host's snapshots, and in its repositories."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from emily_infra.backup import catalogue, ledger, pools
from emily_infra.backup.catalogue import Snapshot
from emily_infra.backup.faults import BackupError, NoSuchVersion
from emily_infra.backup.here import Here, named
from emily_infra.backup.holdings import kept
from emily_infra.backup.looking import viewing
from emily_infra.backup.names import pool_of
from emily_infra.backup.restic.repository import contact, own_copies
from emily_infra.backup.restic.verdicts import PARTIAL
from emily_infra.backup.versions import LOCAL, OnStep, Place, Version, local, unseen
from emily_infra.machine import CommandFailed, Expired


@dataclass
class Found:
    """All versions, and who could not be asked for more."""

    versions: list[Version] = field(default_factory=list)
    silent: dict[str, str] = field(default_factory=dict)
    """Sources that did not answer, and why."""


def snapshots(here: Here, datasets: Iterable[str]) -> tuple[list[Snapshot], list[pools.Standstill]]:
    """Of each dataset, the newest first; and the pools that cannot be asked for theirs."""
    found: list[Snapshot] = []
    silent: dict[str, pools.Standstill] = {}
    for dataset in datasets:
        try:
            pools.alive(here, pool_of(dataset))
        except pools.Standstill as error:
            silent[pool_of(dataset)] = error
        else:
            found += reversed(catalogue.snapshots(here, dataset))
    return found, list(silent.values())


def search(here: Here, wanted: Place, asked: Sequence[str] | None, on_step: OnStep) -> Found:
    """Look for a path in the sources that are ASKED, or in all of them."""
    found = Found()
    for name in asked or (LOCAL, *here.settings.datasets[wanted.dataset].repositories):
        folder = any(each.body and each.body.kind == "folder" for each in found.versions)
        if name != LOCAL:
            named(here.settings.repositories, name, "repository")
        try:
            if name == LOCAL:
                found.versions += _all_here(here, wanted, on_step)
            else:
                found.versions += kept(here, name, wanted).versions(folder=folder)
        except (BackupError, CommandFailed, Expired) as error:
            found.silent[name] = str(error)
    return found


def _all_here(here: Here, wanted: Place, on_step: OnStep) -> list[Version]:
    pools.alive(here, pool_of(wanted.dataset))  # whoever mounts from one that hangs is never ended
    with viewing(here) as view:
        return list(local(view, wanted, on_step))


@dataclass(frozen=True)
class Asked:
    """Which version somebody wants; the newest one, unless they say more."""

    at: datetime | None = None
    """The newest that is not younger."""
    name: str = ""
    """A snapshot, with or without its dataset, or the id of a copy."""
    repository: str = ""


def choose(here: Here, wanted: Place, asked: Asked) -> Version:
    """The version to restore: from this host where it has it, else from a repository."""
    if asked.name:
        return _by_name(here, wanted, asked)
    if not asked.repository and (version := _newest_here(here, wanted, asked.at)):
        return version
    silent: list[str] = []
    own = here.settings.datasets[wanted.dataset].repositories
    for name in [asked.repository] if asked.repository else own:
        named(here.settings.repositories, name, "repository")
        try:
            if version := _newest_copy(here, wanted, name, asked.at):
                return version
        except (BackupError, CommandFailed, Expired) as error:
            silent.append(f"\n  {error}")
    until = f" from before {asked.at:%Y-%m-%d %H:%M} UTC" if asked.at else ""
    raise NoSuchVersion(
        f"{wanted.path}: nothing that was kept{until} holds it{''.join(silent)}",
        hint=f"see what there is: emily-infra backup list {wanted.path}",
    )


def _newest_here(here: Here, wanted: Place, at: datetime | None) -> Version | None:
    if not _can_be_read(here, wanted):
        return None
    with viewing(here) as view:
        versions = local(view, wanted, unseen, until=at)
        return next((each for each in versions if each.body), None)


def _can_be_read(here: Here, wanted: Place) -> bool:
    """Whether its pool takes questions; what a repository has is given all the same."""
    try:
        pools.alive(here, pool_of(wanted.dataset))
    except pools.Standstill as error:
        here.tell(f"not from this host: {error}")
        return False
    return True


def _newest_copy(here: Here, wanted: Place, repository: str, at: datetime | None) -> Version | None:
    """The newest; of a folder, one that lacks files only where no whole copy has it."""
    copies = kept(here, repository, wanted)
    lacking: Version | None = None
    for each in reversed(own_copies(copies.restic)):
        if (at is None or each.time <= at) and (body := copies.body(each.id)):
            version = Version(each.time, repository, each.id, body)
            if PARTIAL not in each.tags or body.kind != "folder":
                return version
            lacking = lacking or version
    return lacking


def _by_name(here: Here, wanted: Place, asked: Asked) -> Version:
    dataset, _, short = asked.name.rpartition("@")
    if dataset in ("", wanted.dataset) and _can_be_read(here, wanted):
        for each in catalogue.snapshots(here, wanted.dataset):
            if each.name == short:
                return Version(each.creation, LOCAL, each.full, None)
    own = here.settings.datasets[wanted.dataset].repositories
    for name in [asked.repository] if asked.repository else own:
        for copy in ledger.load(here, name).copies:
            if copy.id.startswith(asked.name):
                return Version(copy.time, name, copy.id, None)
    for name in [asked.repository] if asked.repository else own:
        for found in own_copies(contact(here, name)):
            if found.id.startswith(asked.name):
                return Version(found.time, name, found.id, None)
    raise NoSuchVersion(
        f"{asked.name} is neither a snapshot of {wanted.dataset} nor a copy in "
        f"{' or '.join(own) or 'any repository'}",
        hint=f"see what there is: emily-infra backup list {wanted.path}",
    )
