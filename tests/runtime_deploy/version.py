"""`emily-runtime` itself, around a mind that is as good or as bad as a file says."""

import json
import runpy
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emily_runtime.mind.runtime import Runtime

SMOKE = 10
"""Attentions that a check may ask for; what only callers are to meet begins after them."""


@dataclass
class Faults:
    """What is wrong with a version; by itself nothing."""

    dies: str = ""
    ill: str = ""
    attends_ms: float = 0.0
    quick: int = 0
    """So many attentions are no slower than those of others."""
    draws_only: int = 0
    """Of all hypotheses so many differ; 0 means all."""
    fails_every: int = 0
    """One of so many attentions of callers fails; 0 means none."""
    asked: int = 0

    def put_into(self, mind: type[Any]) -> None:
        """Spoil a mind."""
        attend, generate = mind.attend, mind.generate

        def attends(runtime: Any, *signals: Any) -> Any:
            self.asked += 1
            if self.asked > self.quick:
                time.sleep(self.attends_ms / 1000)
            if self.fails_every and self.asked > SMOKE and self.asked % self.fails_every == 0:
                raise RuntimeError("a fault that was asked for")
            return attend(runtime, *signals)

        async def generates(runtime: Any, *wish: Any) -> Any:
            found = await generate(runtime, *wish)
            for number in range(self.draws_only, len(found.hypotheses) if self.draws_only else 0):
                found.hypotheses[number] = found.hypotheses[0]
            return found

        mind.attend, mind.generate = attends, generates
        if self.ill:
            mind.healthy = lambda _: self.ill


if __name__ == "__main__":
    faults = Faults(**json.loads(Path(sys.argv.pop(1)).read_text()))
    if faults.dies:
        sys.exit(faults.dies)
    faults.put_into(Runtime)
    runpy.run_module("emily_runtime", run_name="__main__", alter_sys=True)
