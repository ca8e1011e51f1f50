"""`memory`: look into it, or move it to another store."""

import asyncio
import os
from argparse import Namespace
from pathlib import Path

from emily_runtime.cli.output import DONE, Output
from emily_runtime.config import read
from emily_runtime.memory.store import Store
from emily_runtime.mind.stores import opened, store_at, store_by_hand
from emily_runtime.mind.structs import Remembered
from emily_runtime.nerves.clock import RealClock

SCANNED = 500


def run(arguments: Namespace, output: Output) -> int:
    """Refused where a store can't be used."""
    return asyncio.run(_run(arguments, output))


async def _run(arguments: Namespace, output: Output) -> int:
    config = read(arguments.config)
    arguments.language = config.language
    state = arguments.state or Path(os.environ.get("STATE_DIRECTORY", "."))
    async with opened(store_by_hand(config, state, os.environ)) as store:
        if arguments.action == "count":
            count, checksum = await store.count(), await store.checksum()
            output.say(f"{count} episodes, {checksum}", {"count": count, "checksum": checksum})
        elif arguments.action == "search":
            await _search(store, arguments, output)
        elif arguments.action == "export":
            await _export(store, output)
        else:
            await _migrate(store, arguments.to, output)
    return DONE


async def _search(store: Store, arguments: Namespace, output: Output) -> None:
    from emily_runtime.memory.embedding import embed

    found = await store.search(arguments.text, embed(arguments.text), arguments.most)
    rows = [
        Remembered(one.identity, one.text, float(score), one.at, one.source) for one, score in found
    ]
    text = "\n".join(f"{row.score:.4f}  {row.identity}  {row.text}" for row in rows)
    output.say(text or "nothing is like it", rows)


async def _export(store: Store, output: Output) -> None:
    after = ""
    while episodes := await store.scan(after, SCANNED):
        for one in episodes:
            document = one._asdict() | {"vector": one.vector.tolist()}
            output._replace(is_json=True).say("", document)
        after = episodes[-1].identity


async def _migrate(store: Store, to: str, output: Output) -> None:
    from emily_runtime.memory.migrate import migrate

    async with opened(store_at(to, RealClock())) as target:
        moved = await migrate(store, target)
    text = (
        f"{moved.copied} copied, {moved.already} were there: {moved.episodes} episodes, the same "
        f"on both sides ({moved.checksum})"
    )
    output.say(f"{text}; {moved.others} others there" if moved.others else text, moved._asdict())
