"""What is remembered of a replica: when each dataset last got there; lost, it is found anew."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from emily_infra.backup import state
from emily_infra.backup.here import Here
from emily_infra.backup.metrics import Sample, publish


@dataclass
class Past:
    """Times of one dataset, in seconds since 1970."""

    success: float | None = None
    """When the far side last had our newest snapshot."""
    moved: float | None = None
    """When anything last got further."""
    newest: float | None = None
    """When the newest snapshot over there was taken, as the far side said."""


@dataclass
class Memory:
    """The times of each dataset for one target."""

    here: Here
    target: str
    datasets: dict[str, Past] = field(default_factory=dict)

    @classmethod
    def load(cls, here: Here, target: str) -> "Memory":
        """As it was written last."""
        raw = state.read(here.settings.paths.state / "replicas" / f"{target}.json") or {}
        known = raw.get("datasets")
        memory = cls(here, target)
        for dataset, times in (known if isinstance(known, dict) else {}).items():
            memory.datasets[dataset] = Past(
                **{
                    name: float(times[name])
                    for name in ("success", "moved", "newest")
                    if isinstance(times, dict) and isinstance(times.get(name), int | float)
                }
            )
        return memory

    def of(self, dataset: str) -> Past:
        """The times of one."""
        return self.datasets.setdefault(dataset, Past())

    def now(self) -> float:
        """The time, as it is stored."""
        return self.here.now().timestamp()

    def unmoved_since(self, dataset: str, otherwise: datetime) -> datetime:
        """Since when nothing of a dataset got further."""
        moved = self.of(dataset).moved
        return datetime.fromtimestamp(moved, UTC) if moved is not None else otherwise

    def store(self, sent: list[str]) -> None:
        """For the next run and for the alerts; what is not sent any more is forgotten."""
        self.datasets = {name: past for name, past in self.datasets.items() if name in sent}
        state.write(
            self.here.settings.paths.state / "replicas" / f"{self.target}.json",
            {"datasets": {name: vars(past) for name, past in sorted(self.datasets.items())}},
        )
        publish(self.here, f"replica-{self.target}", self._samples())

    def _samples(self) -> list[Sample]:
        series = {
            "emily_replica_last_success_timestamp_seconds": "success",
            "emily_replica_newest_snapshot_timestamp_seconds": "newest",
        }
        return [
            Sample(name, float(value), {"target": self.target, "dataset": dataset})
            for name, key in series.items()
            for dataset, past in sorted(self.datasets.items())
            if (value := getattr(past, key)) is not None
        ]
