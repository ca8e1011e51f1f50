"""Where versions of a path are looked for: in this host's snapshots, and in its repositories."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from emily_infra.backup.here import Here, named
from emily_infra.backup.looking import viewing
from emily_infra.backup.versions import LOCAL, OnStep, Place, Version, local


@dataclass
class Found:
    """All versions, and who could not be asked for more."""

    versions: list[Version] = field(default_factory=list)
    silent: dict[str, str] = field(default_factory=dict)
    """Repositories that did not answer, and why."""


def search(here: Here, wanted: Place, asked: Sequence[str] | None, on_step: OnStep) -> Found:
    """Look for a path in the sources that are ASKED, or in all of them."""
    found = Found()
    if not asked or LOCAL in asked:
        with viewing(here) as view:
            found.versions += local(view, wanted, on_step)
    for name in asked or here.settings.datasets[wanted.dataset].repositories:
        if name != LOCAL:
            named(here.settings.repositories, name, "repository")
    return found
