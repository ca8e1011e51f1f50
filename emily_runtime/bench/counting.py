"""Row 17: what the metrics cost, in a hot loop and at a scrape."""

from statistics import median

from emily_runtime.bench.row import Row, in_turn
from emily_runtime.mind.families import FAMILIES
from emily_runtime.mind.metrics import Metrics

OPERATIONS = 50_000
"""In a second."""
BATCH = 64
"""Operations that a stage does at a time."""


def rows() -> list[Row]:
    """The loop and the scrape."""
    metrics = Metrics()
    for family in FAMILIES:
        labels = ["some"] * len(family.labels)
        {"counter": metrics.counter, "gauge": metrics.gauge, "histogram": metrics.histogram}[
            family.kind
        ](family.name, *labels)
    times = in_turn(
        {
            "ours": lambda: _counted(metrics),
            "bound": lambda: _bound(metrics),
            "nothing": _nothing,
            "scrape": metrics.text,
        }
    )
    cost = median(times["ours"]) - median(times["nothing"])
    bound = median(times["bound"]) - median(times["nothing"])
    scrape = median(times["scrape"]) * 1000
    return [
        Row(
            "17",
            f"metrics at {OPERATIONS:,} operations a second",
            f"{cost:.2%} of a core",
            f"{bound:.2%} with a bound counter",
            f"scrape of {len(FAMILIES)} families {scrape:.1f} ms",
            "1 %; 10 ms; 60 families",
            cost <= 0.01 and scrape <= 10 and len(FAMILIES) >= 60,
        )
    ]


def _counted(metrics: Metrics) -> None:
    """As the fused stages do: one count hands a whole batch over."""
    for _ in range(OPERATIONS // BATCH):
        metrics.count("emily_pipeline_ops_total", by=BATCH)
    metrics.flush()


def _bound(metrics: Metrics) -> None:
    counter = metrics.counter("emily_pipeline_ops_total")
    for _ in range(OPERATIONS):
        counter.inc()


def _nothing() -> None:
    for _ in range(OPERATIONS // BATCH):
        pass
