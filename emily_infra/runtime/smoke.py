"""What a new version must do before any caller comes to it."""

import contextlib
from collections.abc import Iterator

from emily_infra.runtime.colours import Colours
from emily_infra.runtime.faults import NoAnswer
from emily_infra.runtime.places import Colour

ATTENTION_MS = 50.0
"""The most that an attention may take, from the request to its reply."""
SLOWER = 1.5
"""And on a machine that is too slow for that: the most, in times of what runs now."""
DRAWN, DISTINCT = 100, 90
"""Hypotheses that are asked for; more than so many have to differ."""
SIGNALS = {"signals": [0.1, 0.5, 0.9]}
FACETS = {
    "facets": [{"name": name, "values": list("0123456789")} for name in ("a", "b", "c", "d")],
    "count": DRAWN,
    "distinct": False,
}
"""Ten thousand hypotheses of the same worth: of a hundred drawn, 99.5 differ on average."""
_TRIES = 10


def complaints(colours: Colours, colour: Colour) -> Iterator[str]:
    """What is wrong with a colour that says it is ready; nothing where all is well."""
    for check in (_health, _attention, _diversity):
        try:
            yield from check(colours, colour)
        except NoAnswer as error:
            yield str(error)


def _health(colours: Colours, colour: Colour) -> Iterator[str]:
    reply = colours.ask(colour, "GET", "/health")
    if reply.status != 200 or reply.data().get("status") != "healthy":
        yield f"/health answers {reply.status}: {reply.body[:200]}"


def _attention(colours: Colours, colour: Colour) -> Iterator[str]:
    """Quick, or nearly as quick as what runs now: then the machine is slow, and not the version."""
    took, most = _quickest(colours, colour), ATTENTION_MS
    if took >= most:
        with contextlib.suppress(NoAnswer):  # nothing need run yet
            most = max(most, SLOWER * _quickest(colours, colour.other))
    if took >= most:
        yield f"an attention takes {took:.0f} ms; {most:.0f} ms is the most"


def _quickest(colours: Colours, colour: Colour) -> float:
    """Milliseconds of the best of a few: the first finds all cold, and a machine may be busy."""
    best = float("inf")
    for _ in range(_TRIES):
        reply = colours.ask(colour, "POST", "/api/v1/attention", SIGNALS)
        if reply.status != 200:
            said = f"/api/v1/attention answers {reply.status}: {reply.body[:200]}"
            raise NoAnswer(said, hint=f"emily-infra runtime logs {colours.machine.name}")
        best = min(best, 1000 * reply.seconds)
        if best < ATTENTION_MS:
            break
    return best


def _diversity(colours: Colours, colour: Colour) -> Iterator[str]:
    reply = colours.ask(colour, "POST", "/api/v1/gflownet/generate", FACETS)
    found = reply.data().get("hypotheses")
    if reply.status != 200 or not isinstance(found, list):
        yield f"/api/v1/gflownet/generate answers {reply.status}: {reply.body[:200]}"
        return
    distinct = len({str(each) for each in found})
    if distinct <= DISTINCT:
        yield f"of {DRAWN} hypotheses {distinct} differ; more than {DISTINCT} have to"
