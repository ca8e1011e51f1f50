"""What the runtime answers, one type for each question; the service and the terminal show them."""

from typing import Literal

from msgspec import Struct

Tier = Literal["reflex", "workspace", "inference"]
Standing = Literal["ignited", "preconscious", "faded"]


class Fired(Struct, frozen=True):
    """A signal that passed the gate."""

    place: int
    """In the input."""
    output: float
    delay_ms: float


class Attention(Struct, frozen=True):
    """What the gate made of signals, strongest first."""

    firing: list[Fired]
    phase: float
    """Radians; 0 is the height of the inhibition."""
    gain: float
    reset: bool
    """Whether the phase was reset."""


class Held(Struct, frozen=True):
    """A content of the workspace."""

    item: int
    source: str
    kind: str
    text: str
    salience: float
    waited: int = 0
    """Cycles as a loser."""


class Ignited(Struct, frozen=True):
    """A content that has ignited, as everybody hears of it, once."""

    cycle: int
    item: int
    source: str
    kind: str
    text: str
    salience: float


class WorkspaceView(Struct, frozen=True):
    """Who knows what."""

    cycle: int
    capacity: int
    ignited: list[Held]
    preconscious: list[Held]
    habituated: int
    """Sources that are heard less for having spoken lately."""
    on: float
    """The salience above which an item ignites."""
    off: float
    """The salience below which it falls silent."""


class Transmitter(Struct, frozen=True):
    """One of the five levels."""

    name: str
    level: float
    setpoint: float
    deviation: float


class SubstrateView(Struct, frozen=True):
    """The five levels, and what they set."""

    transmitters: list[Transmitter]
    precision: float
    """Factor of the policies' precision."""
    gain: float
    """Factor of every signal's salience."""
    horizon: int
    """Steps of planning."""
    trust: float
    shed: float
    """Share of new work that is turned away."""


class Weighed(Struct, frozen=True):
    """An action and how probable it is."""

    action: str
    probability: float


class Plan(Struct, frozen=True):
    """What expected free energy says about what to do."""

    action: str
    actions: list[Weighed]
    efe_nats: float
    """Expected G under q(pi)."""
    efe_score: float
    """The same as a share of its bound, from 0 (best) to 1."""
    entropy: float
    """Of q(pi), nats."""
    horizon: int
    precision: float
    policies: int
    planner: Literal["policies", "tree"] = "policies"
    situations: dict[str, float] | None = None
    surprise: float = 0.0
    """Nats."""


class Hypotheses(Struct, frozen=True):
    """Hypotheses, each a value for each facet."""

    facets: list[str]
    hypotheses: list[list[str]]
    log_z: float
    unique: int
    expected_unique: float | None
    """Of as many independent draws, where all hypotheses can be counted."""
    mode: Literal["distinct", "independent"]
    flow: Literal["exact", "trained"] = "exact"
    total_variation: float | None = 0.0
    """Between what the sampler does and what it should, where that can be computed."""
    loss: float | None = None
    """Mean squared error of trajectory balance, of a trained sampler."""
    alarms: list[str] = []
    """Signs that the sampler has collapsed."""


class Remembered(Struct, frozen=True):
    """An episode that memory found."""

    identity: str
    text: str
    score: float
    at: float | None = None
    """Seconds since the epoch, where it is known."""
    source: str = ""


class Beat(Struct, frozen=True):
    """A cycle in short: what the bus says 8 times a second."""

    cycle: int
    time: float
    """Seconds since the run began."""
    levels: list[float]
    """In the order of the substrate."""
    ignited: int
    preconscious: int
    broadcast: int
    action: str
    efe_score: float | None


class Reply(Struct):
    """What came of a stimulus, tier by tier."""

    trace: str
    tier: Tier
    """The highest one that it reached."""
    action: str
    """reflex, wait, look, answer or alert; empty where it did not ignite."""
    words: str
    latency_ms: float
    """Until this reply was ready, memory and words included."""
    reflex: str = ""
    """The rule that fired."""
    attention: Attention | None = None
    standing: Standing | None = None
    recalled: list[Remembered] = []
    workspace: WorkspaceView | None = None
    substrate: SubstrateView | None = None
    plan: Plan | None = None
    hypotheses: Hypotheses | None = None
    episode: str = ""
    """What it is remembered as."""
    provider: str = ""
    cost_microdollars: int = 0
    degraded: bool = False
    why: str = ""
    """What it had to do without, and why."""


class ReaderView(Struct, frozen=True):
    """Somebody who listens on the bus."""

    name: str
    lag: int
    lost: int


class TopologyView(Struct, frozen=True):
    """Who hears whom, as declared."""

    components: int
    cycles: list[list[str]]
    clusters: list[list[str]]
    order: list[list[str]]
    readers: list[ReaderView]


class WindowView(Struct, frozen=True):
    """A stretch of time within which only so much may be spent."""

    name: str
    limit_dollars: float
    spent_dollars: float
    reserved_dollars: float
    left_dollars: float


class BudgetView(Struct, frozen=True):
    """What language models may still cost."""

    windows: list[WindowView]
    providers: list[str]
    """In the order in which they are asked."""
    breakers: dict[str, str]
    """The state of each."""


class FlagView(Struct, frozen=True):
    """A feature and for whom it is on."""

    name: str
    share: float
    """Percent."""
    identities: list[str]
    killed: bool
    owner: str
    since: str
    age_days: int | None = None


class Status(Struct, frozen=True):
    """How the runtime is."""

    version: str
    healthy: bool
    reason: str
    """Why it is not, in the operator's language."""
    uptime_seconds: float
    cycles: int
    stimuli: int
    episodes: int
    pressure: int
    """The rung of the ladder; 0 is none."""
    rss_bytes: int
    loop_lag_seconds: float
    published: int
    lost: int
    memory: str
    """Which store."""
    providers: list[str]
