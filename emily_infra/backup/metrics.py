"""Figures for the node exporter's textfile folder, each file replaced as a whole."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from emily_infra.backup.here import Here
from emily_infra.backup.state import replaced


@dataclass(frozen=True)
class Sample:
    """One figure: a series of modules/rules.yml with its labels."""

    series: str
    value: float
    labels: dict[str, str] = field(default_factory=dict)


def publish(here: Here, name: str, samples: Iterable[Sample]) -> None:
    """Replace NAME.prom; a metrics folder that cannot be written is told and stops nothing."""
    text = _exposition(samples)
    path = here.settings.paths.metrics / f"emily-{name}.prom"
    try:
        replaced(path, text, mode=0o644)
    except OSError as error:
        here.tell(f"{path}: {error.strerror}; alerts see older figures until it can be written")


def _exposition(samples: Iterable[Sample]) -> bytes:
    from prometheus_client import CollectorRegistry, Gauge, generate_latest  # 80 ms to import

    registry = CollectorRegistry()
    gauges: dict[str, Gauge] = {}
    for sample in samples:
        if sample.series not in gauges:
            gauges[sample.series] = Gauge(
                sample.series, sample.series, sorted(sample.labels), registry=registry
            )
        gauge = gauges[sample.series]
        (gauge.labels(**sample.labels) if sample.labels else gauge).set(sample.value)
    return generate_latest(registry)
