"""What can be asked of the mind: each place turns a request into one call."""

import numpy as np

from emily_runtime.memory.episode import DIMENSIONS, Vector
from emily_runtime.mind.planning import Wanted
from emily_runtime.mind.stimulus import Stimulus
from emily_runtime.mind.structs import (
    Attention,
    BudgetView,
    FlagView,
    Hypotheses,
    Plan,
    Remembered,
    Reply,
    Status,
    SubstrateView,
    TopologyView,
    WorkspaceView,
)
from emily_runtime.mind.wishes import Coupling, Facet, Wish
from emily_runtime.service.endpoints import Place
from emily_runtime.service.ports import Mind
from emily_runtime.service.problems import Refusal
from emily_runtime.service.structs import (
    AttentionIn,
    GenerateIn,
    MemoryIn,
    PlanIn,
    SearchIn,
    StimulusIn,
)

API = "/api/v1"
PROMETHEUS = b"text/plain; version=0.0.4; charset=utf-8"


def cognitive(mind: Mind) -> list[Place]:
    """What makes it think; the most frequent first."""

    def attend(given: AttentionIn) -> Attention:
        return mind.attend(given.signals, given.at)

    async def stimulate(given: StimulusIn) -> Reply:
        if not given.text and not given.signals:
            raise Refusal(422, "EMY-2008", reason="neither text nor signals")
        fields = (given.text, tuple(given.signals), given.intensity, given.source, given.identity)
        reply = await mind.stimulate(Stimulus(*fields))
        mind.bus.publish("reply", reply, reply.trace)
        return reply

    async def generate(given: GenerateIn) -> Hypotheses:
        facets = [
            Facet(one.name, tuple(one.values), tuple(one.weights or [0.0] * len(one.values)))
            for one in given.facets
        ]
        couplings = tuple(
            Coupling(one.one, one.other, tuple(map(tuple, one.weights))) for one in given.couplings
        )
        wish = Wish(given.count, given.temperature, given.distinct, couplings, given.trained)
        return await mind.generate(facets, wish, given.seed)

    async def plan(given: PlanIn) -> Plan:
        how = (given.horizon, given.planner, given.precision, given.identity)
        return await mind.plan(Wanted(given.model, *how))

    return [
        _post("/attention", "Signals through the gate.", AttentionIn, Attention, attend),
        _post("/stimulus", "A stimulus through all tiers.", StimulusIn, Reply, stimulate),
        _post("/gflownet/generate", "Hypotheses by reward.", GenerateIn, Hypotheses, generate),
        _post("/inference/plan", "What expected free energy advises.", PlanIn, Plan, plan),
    ]


def remembering(mind: Mind) -> list[Place]:
    """Memory."""

    async def remember(given: MemoryIn) -> tuple[int, Remembered]:
        return 201, await mind.remember(given.text, given.source)

    async def search(given: SearchIn) -> list[Remembered]:
        if len(given.vector) not in (0, DIMENSIONS) or not (given.text or given.vector):
            reason = f"a text, a vector of {DIMENSIONS} numbers, or both"
            raise Refusal(422, "EMY-2008", reason=reason)
        return await mind.recall(given.text, _unit(given.vector), given.most)

    found = list[Remembered]
    return [
        _post("/memory", "Remember; committed when it answers.", MemoryIn, Remembered, remember),
        _post("/memory/search", "Recall, best first.", SearchIn, found, search),
    ]


def views(mind: Mind) -> list[Place]:
    """What can be looked at."""
    return [
        _get("/status", "How it is.", Status, mind.status),
        _get("/workspace", "Who knows what.", WorkspaceView, mind.workspace),
        _get("/substrate", "The five levels.", SubstrateView, mind.substrate),
        _get("/topology", "Who hears whom.", TopologyView, mind.topology),
        _get("/budget", "What may still be spent.", BudgetView, mind.budget),
        _get("/flags", "Features, and for whom.", list[FlagView], mind.flags),
        Place("GET", "/metrics", "For Prometheus.", bytes, mind.exposition, media=PROMETHEUS),
    ]


def _unit(vector: list[float]) -> Vector | None:
    """Of length 1, as memory compares them; nothing where nothing is given."""
    if not vector:
        return None
    given = np.array(vector, dtype=np.float64)
    length = np.linalg.norm(given)
    if not 0 < length < np.inf:
        raise Refusal(422, "EMY-2008", reason="a vector of no length, or of too great a one")
    unit: Vector = (given / length).astype(np.float32)
    return unit


def places(mind: Mind) -> list[Place]:
    """All of it."""
    return [*cognitive(mind), *remembering(mind), *views(mind)]


def _post(path: str, summary: str, takes: object, gives: object, answer: object) -> Place:
    return Place("POST", API + path, summary, gives, answer, takes)  # type: ignore[arg-type]


def _get(path: str, summary: str, gives: object, answer: object) -> Place:
    return Place("GET", API + path, summary, gives, answer)  # type: ignore[arg-type]
