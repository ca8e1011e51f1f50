"""What whoever holds the control socket may ask of an instance."""

from emily_runtime import __version__
from emily_runtime.service.endpoints import Place
from emily_runtime.service.problems import Refusal
from emily_runtime.service.standing import Phase
from emily_runtime.service.structs import ControlState
from emily_runtime.service.turns import Turn


def places(turn: Turn) -> list[Place]:
    """State, take and leave."""

    def state() -> ControlState:
        standing, tally = turn.standing, turn.standing.tally
        return ControlState(
            colour=standing.colour,
            version=__version__,
            phase=standing.phase.value,
            taking=standing.is_taking,
            open=len(turn.way.door.visits),
            requests=tally.requests,
            errors=tally.errors,
            p95_ms=tally.p95_ms(),
            since=tally.since,
        )

    async def take() -> ControlState:
        if turn.standing.phase is not Phase.READY:
            raise Refusal(503, "EMY-2012", phase=turn.standing.phase.value).later(1)
        await turn.take()
        return state()

    async def leave() -> ControlState:
        turn.leave()
        return state()

    gives = ControlState
    return [
        Place("GET", "/control/state", "This instance, and what it has served.", gives, state),
        Place("POST", "/control/take", "Accept on the shared socket.", gives, take),
        Place(
            "POST", "/control/leave", "Accept no more, and let go of who is inside.", gives, leave
        ),
    ]
