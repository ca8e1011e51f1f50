"""What the service needs of the mind behind it."""

from collections.abc import Sequence
from typing import Protocol

from emily_runtime.memory.episode import Vector
from emily_runtime.mind.ledger import Row
from emily_runtime.mind.metrics import Metrics
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
from emily_runtime.mind.wishes import Facet, Wish
from emily_runtime.nerves.bus import Bus


class Mind(Protocol):
    """The composition of all tiers; whatever it can't do is Refused."""

    run: str
    """Whose sequence numbers those of the bus are."""
    bus: Bus
    metrics: Metrics

    async def start(self) -> None:
        """Ready to be asked, when it returns."""

    async def stop(self) -> None:
        """Everything is put away."""

    def healthy(self) -> str | None:
        """Why it is not, or nothing."""

    def stuck(self) -> str | None:
        """Why nothing but another process will help, or nothing."""

    async def stimulate(self, stimulus: Stimulus) -> Reply:
        """One stimulus through all tiers."""

    def attend(self, signals: Sequence[float], at: float | None = None) -> Attention:
        """What the gate makes of signals at a moment, in seconds; now where none is given."""

    async def generate(
        self, facets: Sequence[Facet], wish: Wish, seed: int | None = None
    ) -> Hypotheses:
        """Hypotheses in proportion to their reward."""

    async def plan(self, wanted: Wanted) -> Plan:
        """What to do, by expected free energy."""

    async def remember(self, text: str, source: str = "") -> Remembered:
        """What is in memory when it returns."""

    async def recall(
        self, text: str, vector: Vector | None = None, most: int = 10
    ) -> list[Remembered]:
        """Episodes by words, by vector, or by both."""

    async def exposition(self) -> bytes:
        """All metrics as Prometheus reads them."""

    async def said_since(self, run: str, sequence: int) -> list[Row]:
        """What was said on durable topics after a message of another run."""

    def pressure(self) -> int:
        """The rung of the memory-pressure ladder; 0 is none."""

    def status(self) -> Status:
        """How it is."""

    def workspace(self) -> WorkspaceView:
        """Who knows what."""

    def substrate(self) -> SubstrateView:
        """The five levels."""

    def topology(self) -> TopologyView:
        """Who hears whom."""

    def budget(self) -> BudgetView:
        """What may still be spent."""

    def flags(self) -> list[FlagView]:
        """Features, and for whom they are on."""
