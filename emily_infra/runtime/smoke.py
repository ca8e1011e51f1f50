"""What a new version must do before any caller comes to it."""

from collections.abc import Iterator

from emily_infra.runtime.colours import Colours
from emily_infra.runtime.faults import NoAnswer
from emily_infra.runtime.places import Colour

ATTENTION_MS = 50.0
"""The most that an attention may take, from the request to its reply."""
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
    """The best of a few: the first one finds everything cold, and a machine may be busy."""
    best = float("inf")
    for _ in range(_TRIES):
        reply = colours.ask(colour, "POST", "/api/v1/attention", SIGNALS)
        if reply.status != 200:
            yield f"/api/v1/attention answers {reply.status}: {reply.body[:200]}"
            return
        best = min(best, 1000 * reply.seconds)
        if best < ATTENTION_MS:
            return
    yield f"an attention takes {best:.0f} ms; {ATTENTION_MS:.0f} ms is the most"


def _diversity(colours: Colours, colour: Colour) -> Iterator[str]:
    reply = colours.ask(colour, "POST", "/api/v1/gflownet/generate", FACETS)
    found = reply.data().get("hypotheses")
    if reply.status != 200 or not isinstance(found, list):
        yield f"/api/v1/gflownet/generate answers {reply.status}: {reply.body[:200]}"
        return
    distinct = len({str(each) for each in found})
    if distinct <= DISTINCT:
        yield f"of {DRAWN} hypotheses {distinct} differ; more than {DISTINCT} have to"
