"""Whether the databases in a restored dataset answer, each in a server that is thrown away."""

from pathlib import Path

from emily_infra.backup.drilling.database import NoServer, Server, programs
from emily_infra.backup.faults import BackupError
from emily_infra.backup.here import Here
from emily_infra.backup.settings import Check
from emily_infra.machine import CommandFailed, Expired

GOOD = "answers"
_RESTORED = ("again", "restored")


def prove(here: Here, dataset: str, space: Path) -> dict[str, str]:
    """What became of every check whose dump is in this dataset; NoServer where none can be run."""
    return {
        name: _answer(here, check, space, check.dump.relative_to(found[1]))
        for name, check in sorted(here.settings.checks.items())
        if (found := here.settings.holder_of(check.dump)) and found[0] == dataset
    }


def _answer(here: Here, check: Check, space: Path, dump: Path) -> str:
    found = [
        path
        for each in _RESTORED
        for top in (space / each).glob("*")
        if (path := top / dump).is_file()
    ]
    if not found:
        return f"{check.dump} is not in the copy"
    try:
        with Server.started(here, programs(here), space) as server:
            server.load(found[0], check.format)
            answer = server.ask(check.query)
    except NoServer:  # it says nothing about the copy
        raise
    except (BackupError, CommandFailed, Expired, OSError) as error:
        return str(error)
    return GOOD if answer not in ("", "f", "0", "false") else f"it answers {answer or 'nothing'}"
