"""A host's rendered modules as the values that the real Nix interpreter sees."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from emily_infra.render import CONCERNS, Rendered, render
from emily_infra.render.templates import Templates
from emily_infra.spec.host import Host
from tests.nixos import checker, evaluate

_TEMPLATES = Templates()


def rendered(host: Host) -> Rendered:
    """The files of a host's `generated/`."""
    return render(host, _TEMPLATES)


def evaluated(host: Host) -> dict[str, Any]:
    """What each module sets, by concern; every option is held against NixOS's on the way."""
    return _evaluated(tuple(rendered(host).files.items()))


@cache
def _evaluated(files: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        for name, text in files:
            (Path(folder) / name).write_text(text)
        values = evaluate(Path(folder))
    wrong = [problem for module in values.values() for problem in checker().check(module)]
    assert not wrong, "\n".join(": ".join(problem) for problem in wrong)
    return {name.removesuffix(".nix"): module for name, module in values.items()}


def module(host: Host, concern: str) -> Any:
    """What one concern's module sets."""
    assert concern in CONCERNS
    return evaluated(host)[concern]
