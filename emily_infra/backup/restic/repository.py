"""The repository behind a name: it is known by its id, and never made unless asked."""

from contextlib import suppress
from pathlib import Path

from emily_infra.backup import state
from emily_infra.backup.here import Here
from emily_infra.backup.restic import keys, verdicts
from emily_infra.backup.restic.faults import AlreadyThere, NoRepository, OtherRepository
from emily_infra.backup.restic.messages import Copy, copies
from emily_infra.backup.restic.outcome import shown
from emily_infra.backup.restic.program import Call, Restic, document

_CONTACT = 120.0
"""Seconds for a first answer; restic itself would try for a quarter of an hour."""
_LISTING = 3600.0


def contact(here: Here, name: str) -> Restic:
    """The repository, which answers, opens and is the one that it always was."""
    restic = Restic(here, name)
    found, known = _id(restic), pinned(here, name)
    if known is None:
        here.tell(f"repository {name} is {found[:10]} from now on; any other one is refused")
        _pin(restic, found)
    elif known != found:
        raise OtherRepository(
            f"repository {name} ({shown(restic.repository.url)}) is {found[:10]}, and was "
            f"{known[:10]} until now: another disk is mounted there, or somebody made it anew",
            hint="nothing was written. If it is meant to be so: "
            f"emily-infra backup init {name} --adopt",
        )
    return restic


def own_copies(restic: Restic) -> list[Copy]:
    """This host's copies there, the oldest first; a note that one is partial counts as its tag."""
    ours = ("--host", restic.here.settings.host, "--tag", restic.tag)
    notes = ("--tag", verdicts.job(restic.name))
    call = Call(("--no-lock", "snapshots", *ours, *notes), deadline=_LISTING)
    return verdicts.applied(restic.name, copies(restic.answer(call)))


def initialise(here: Here, name: str) -> str:
    """Make a new repository, where there is none; its id."""
    restic = Restic(here, name)
    with suppress(NoRepository):
        found = _id(restic)
        raise AlreadyThere(
            f"repository {name} ({shown(restic.repository.url)}) is there already: {found[:10]}",
            hint=f"to go on with it: emily-infra backup init {name} --adopt",
        )
    restic.must(Call(("init",), deadline=_CONTACT))
    found = _id(restic)
    _pin(restic, found)
    return found


def adopt(here: Here, name: str) -> str:
    """Take the repository that is there for ours from now on; its id."""
    restic = Restic(here, name)
    found = _id(restic)
    _pin(restic, found)
    return found


def give_second_password(here: Here, name: str, file: Path) -> None:
    """Let a repository open with a second password as well, which is kept elsewhere."""
    restic = Restic(here, name)
    call = Call(("key", "add", "--new-password-file", str(file)), wait=60, deadline=_CONTACT)
    restic.must(call)


def pinned(here: Here, name: str) -> str | None:
    """The id that a repository has had so far, as far as is remembered."""
    known = (state.read(_file(here, name)) or {}).get("id")
    return known if isinstance(known, str) else None


def _id(restic: Restic) -> str:
    keys.password_file(restic.here, restic.repository.password)
    return str(document(restic, "cat", "config", deadline=_CONTACT).get("id", ""))


def _pin(restic: Restic, found: str) -> None:
    body = {"id": found, "url": shown(restic.repository.url)}
    state.write(_file(restic.here, restic.name), body)


def _file(here: Here, name: str) -> Path:
    return here.settings.paths.state / "repositories" / f"{name}.json"
