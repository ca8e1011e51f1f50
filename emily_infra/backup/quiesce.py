"""Units that make data consistent before a snapshot, and let it go on afterwards."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from emily_infra.backup.faults import FAILED, INCOMPLETE, BackupError
from emily_infra.backup.here import Here
from emily_infra.backup.metrics import Sample, publish
from emily_infra.backup.settings import Quiesce
from emily_infra.backup.state import read, write
from emily_infra.errors import EmilyError

_AFTER = 300.0


class NotQuiet(BackupError):
    """A unit that makes data consistent did not end well in its time."""

    code = "BKP013"
    exit_code = INCOMPLETE


class StillLoud(NotQuiet):
    """So that its datasets took no snapshot."""

    exit_code = FAILED


@dataclass
class Stillness:
    """What came of the units of one pool's datasets."""

    refused: set[str] = field(default_factory=set)
    """Datasets that take no snapshot without their unit."""
    trouble: list[NotQuiet] = field(default_factory=list)


@contextlib.contextmanager
def quiet(here: Here, pool: str, datasets: Sequence[str]) -> Iterator[Stillness]:
    """Start what these datasets need before a snapshot; afterwards, always, what lets them go."""
    book = _book(here, pool)
    wanted = {
        name: hook
        for name, hook in sorted(here.settings.quiesce.items())
        if set(hook.datasets) & set(datasets)
    }
    still = Stillness()
    try:
        _note(book, [name for name, hook in wanted.items() if hook.after])
        for name, hook in wanted.items():
            _before(here, name, hook, still)
        yield still
    finally:
        _let_go(here, list(wanted), still)
        _note(book, [])


def let_go(here: Here, pool: str) -> list[NotQuiet]:
    """Start what a run that was killed has left undone; what went wrong with it."""
    still = Stillness()
    if left := _left_behind(_book(here, pool)):
        here.tell(f"a run was killed before it let go of {', '.join(left)}: that is done now")
        _let_go(here, left, still)
        _note(_book(here, pool), [])
    return still.trouble


def _before(here: Here, name: str, hook: Quiesce, still: Stillness) -> None:
    try:
        here.run("systemctl", "start", hook.before, deadline=float(hook.deadline))
    except EmilyError as error:
        # What runs on would end in the midst of the next snapshot.
        with contextlib.suppress(EmilyError):
            here.run("systemctl", "stop", "--no-block", hook.before)
        meaning = "is not taken" if hook.required else "is taken all the same"
        kind = StillLoud if hook.required else NotQuiet
        still.trouble.append(
            kind(
                f"{name}: {hook.before} did not end well within {hook.deadline} s; the snapshot "
                f"of {', '.join(hook.datasets)} {meaning}: {error}",
                hint=f"journalctl --unit {hook.before} --since -1h",
            )
        )
        if hook.required:
            still.refused |= set(hook.datasets)
        _tell(here, name, success=False)
    else:
        _tell(here, name, success=True)


def _let_go(here: Here, names: Sequence[str], still: Stillness) -> None:
    """Start what stands after, in the reverse order; each, whatever becomes of the others."""
    hooks = here.settings.quiesce
    for name in reversed([each for each in names if each in hooks]):
        unit = hooks[name].after
        if not unit:
            continue
        try:
            here.run("systemctl", "start", unit, deadline=_AFTER)
        except EmilyError as error:
            still.trouble.append(
                NotQuiet(
                    f"{name}: {unit} failed, so that its service may stand still: {error}",
                    hint=f"systemctl status {unit}; then: systemctl start {unit}",
                )
            )
            _tell(here, name, success=False)


def _book(here: Here, pool: str) -> Path:
    return here.settings.paths.state / f"quiesced-{pool}.json"


def _note(book: Path, names: Sequence[str]) -> None:
    """For the run after a kill: whom it has to let go."""
    if names or _left_behind(book):
        write(book, {"hooks": list(names)})


def _left_behind(book: Path) -> list[str]:
    told = (read(book) or {}).get("hooks")
    return [str(name) for name in told] if isinstance(told, list) else []


def _tell(here: Here, name: str, *, success: bool) -> None:
    publish(here, f"quiesce-{name}", [Sample("emily_quiesce_success", success, {"hook": name})])
