"""What falls silent before it is answered."""

import asyncio
from pathlib import Path

from emily_runtime.mind.stimulus import Stimulus
from emily_runtime.mind.structs import Reply
from tests.runtime.mind.runtimes import PING, running

SHORT = f"[workspace]\nretention = 0.3\n{PING}"


def test_what_fell_silent_while_memory_was_asked_is_answered_without_hypotheses(
    tmp_path: Path,
) -> None:
    async def life() -> Reply:
        async with running(tmp_path, text=SHORT) as runtime:
            return await runtime.stimulate(Stimulus("all is well"))

    reply = asyncio.run(life())

    assert reply.standing == "ignited"
    assert reply.workspace
    assert not reply.workspace.ignited
    assert (reply.action, reply.hypotheses) == ("wait", None)
