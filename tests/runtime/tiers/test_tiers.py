"""What holds for every tier: it imports little, changes nothing it is given, and repeats itself."""

import ast
import sys
from pathlib import Path

import numpy as np
import pytest

from emily_runtime.tiers import alpha, substrate, workspace
from emily_runtime.tiers.arrays import generator
from emily_runtime.tiers.gflownet.draw import distinct, independent, walk
from emily_runtime.tiers.gflownet.exact import exact
from emily_runtime.tiers.gflownet.space import Facets
from emily_runtime.tiers.inference.expected import decide
from emily_runtime.tiers.inference.policies import every_policy
from tests.runtime.tiers.models import by_facet, t_maze

ALLOWED = {"numpy", "emily_runtime", *sys.stdlib_module_names}
FORBIDDEN = {"asyncio", "datetime", "os", "pathlib", "random", "socket", "subprocess", "time"}
"""Clock, disk, network and randomness come in as arguments."""
SOURCES = sorted(Path(alpha.__file__).parent.rglob("*.py"))


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_tier_imports_numpy_and_what_is_pure_of_the_standard_library(source: Path) -> None:
    names = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")

    assert {name.split(".")[0] for name in names} <= ALLOWED - FORBIDDEN
    assert all(name.startswith("emily_runtime.tiers") for name in names if "emily" in name)


def _everything(seed: int) -> bytes:
    """One pass through all tiers, as bytes."""
    rhythm = alpha.Alpha()
    signals = generator(seed).random(10).tolist()
    fired = alpha.gate(rhythm, signals, 1.0)
    items = [workspace.Item(number, "a", one.output) for number, one in enumerate(fired)]
    moment = workspace.Moment(0.125, rhythm.capacity)
    told = workspace.cycle(workspace.Rules(), workspace.Workspace(), items, moment).broadcast
    body = substrate.Substrate()
    drive = np.array(signals[:5])
    levels = substrate.advance(substrate.step(body, 0.125), substrate.at_rest(), drive)
    model = t_maze()
    decision = decide(model, every_policy(4, 2), model.prior)
    space = Facets((3, 4, 5))
    flow = exact(space, by_facet)
    drawn = [
        walk(space, flow.policy, 20, seed),
        independent(flow.target, 20, seed),
        distinct(flow.target, 20, seed),
    ]
    arrays = [levels.process, decision.posterior, flow.flow, *drawn]
    return repr((fired, told)).encode() + b"".join(array.tobytes() for array in arrays)


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert _everything(7) == _everything(7)
    assert _everything(7) != _everything(8)


def test_what_is_kept_in_a_state_cannot_be_written_to() -> None:
    model = t_maze()

    for array in (model.likelihood, model.prior, substrate.at_rest().process):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
