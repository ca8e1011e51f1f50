"""How the runtime of a host is, on one screen."""

import json

from pydantic import BaseModel, ConfigDict

from emily_infra.runtime import files
from emily_infra.runtime.colours import Colours
from emily_infra.runtime.faults import NoAnswer
from emily_infra.runtime.ordering import is_busy
from emily_infra.runtime.places import Colour
from emily_infra.runtime.record import Record
from emily_infra.runtime.standing import State


class Seen(BaseModel):
    """One colour."""

    model_config = ConfigDict(frozen=True)

    colour: Colour
    state: State | None
    program: str
    """What it was last started with; empty where it never was."""


class Overview(BaseModel):
    """Both, and the last deploy."""

    model_config = ConfigDict(frozen=True)

    colours: tuple[Seen, ...]
    waiting: bool
    """Whether another version lies ready than the active colour has."""
    at_work: bool
    last: Record | None


def overview(colours: Colours) -> Overview:
    """Look at all of it; NoRuntime where the host has none."""
    wanted = colours.wanted()
    versions = {each: colours.version(each) for each in Colour}
    seen = tuple(
        Seen(colour=each, state=colours.state(each), program=version.program if version else "")
        for each, version in versions.items()
    )
    return Overview(
        colours=seen,
        waiting=versions[colours.active()] != wanted,
        at_work=is_busy(colours.machine),
        last=files.read(colours.machine, colours.places.record, Record),
    )


def asked_for(colours: Colours, colour: Colour, path: str) -> object:
    """What a colour answers; NoAnswer where that is not what was asked for."""
    reply = colours.ask(colour, "GET", path)
    if reply.status != 200:
        name = colours.machine.name
        said = reply.body[:200]
        raise NoAnswer(
            f"the {colour} runtime of {name} answers {path} with {reply.status}: {said}",
            hint=f"emily-infra runtime logs {name}",
        )
    return json.loads(reply.body)
