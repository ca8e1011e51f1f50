"""Expected free energy by pymdp 0.0.7, which computes with NumPy, and by pymdp 1 with JAX."""

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from typing import Any

import numpy as np

from emily_runtime.bench.decisions import MODEL, PRECISION

NAMES = ("inferactively-pymdp",)
Told = dict[str, list[float]]


def prepared(steps: int, decisions: int, release: str) -> Callable[[], Told]:
    """DECISIONS decisions among all policies of so many steps; ImportError for another release."""
    agents: Any = import_module("pymdp.agent")
    if not version(NAMES[0]).startswith(release):
        raise ImportError(name=f"pymdp {release}")
    ways = np.moveaxis(MODEL.transition, 0, -1)
    return (_by_numpy if release.startswith("0") else _by_jax)(agents.Agent, ways, steps, decisions)


def _by_numpy(agent: Any, ways: Any, steps: int, decisions: int) -> Callable[[], Told]:
    def boxed(array: Any) -> Any:
        box = np.empty(1, dtype=object)
        box[0] = np.array(array)
        return box

    one = agent(
        A=boxed(MODEL.likelihood),
        B=boxed(ways),
        C=boxed(MODEL.log_wanted),
        D=boxed(MODEL.prior),
        policy_len=steps,
        gamma=PRECISION,
    )
    one.qs = boxed(MODEL.prior)

    def work() -> Told:
        for _ in range(decisions):
            posterior, _ = one.infer_policies()
        return {"posterior": np.asarray(posterior).tolist()}

    return work


def _by_jax(agent: Any, ways: Any, steps: int, decisions: int) -> Callable[[], Told]:
    """Compiled before it is measured."""
    jax: Any = import_module("jax")
    jax.config.update("jax_enable_x64", bool(jax))
    arrays: Any = import_module("jax.numpy")
    one = agent(
        A=[arrays.asarray(MODEL.likelihood)],
        B=[arrays.asarray(ways)],
        C=[arrays.asarray(MODEL.log_wanted)],
        D=[arrays.asarray(MODEL.prior)],
        policy_len=steps,
        gamma=PRECISION,
    )
    belief = [arrays.asarray(MODEL.prior)[None, None]]
    ask = jax.jit(lambda qs: one.infer_policies(qs)[0])
    ask(belief).block_until_ready()

    def work() -> Told:
        for _ in range(decisions):
            posterior = ask(belief).block_until_ready()
        return {"posterior": np.asarray(posterior).ravel().tolist()}

    return work
