"""`replay`: run a recorded run again, and compare every state with the recorded one."""

from argparse import Namespace
from collections.abc import Iterable, Iterator

from emily_runtime.cli.output import DONE, FOUND, Output
from emily_runtime.messages import Refused
from emily_runtime.mind.replay import replay
from emily_runtime.nerves.bus import Message
from emily_runtime.nerves.record import Gap, recording


def run(arguments: Namespace, output: Output) -> int:
    """Refused where the file is no recording of a run; FOUND where a state differs."""
    file = recording(arguments.file)
    found = replay(_said(file))
    if apart := found.divergence:
        refusal = Refused("EMY-7092", place=apart.place, topic=apart.topic)
        output.say(refusal.told(output.language), found)
        return FOUND
    text = f"{found.records} records, {found.cycles} cycles: the same, bit for bit; {found.digest}"
    output.say(text, found)
    return DONE


def _said(file: Iterable[Message | Gap]) -> Iterator[tuple[str, object]]:
    for one in file:
        if isinstance(one, Gap):
            raise Refused("EMY-7093", lost=one.lost)
        yield one.topic, one.payload
