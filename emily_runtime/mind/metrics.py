"""The metrics: families made once, children bound once, hot counters handed over per cycle."""

from collections import Counter as Tally
from math import nan
from typing import TypeAlias

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from emily_runtime import __version__
from emily_runtime.mind.families import FAMILIES, Family

Metric: TypeAlias = Counter | Gauge | Histogram
Labels: TypeAlias = tuple[str, ...]


class Metrics:
    """All families in a registry of their own.

    In a hot loop, count() adds to a local number; flush(), once a cycle, hands them over.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._families: dict[str, Metric] = {one.name: self._made(one) for one in FAMILIES}
        self._children: dict[tuple[str, Labels], Metric] = {}
        self._tally: Tally[tuple[str, Labels]] = Tally()
        self._totals: dict[tuple[str, Labels], float] = {}
        self.gauge("emily_build_info", __version__).set(1)

    def counter(self, name: str, *labels: str) -> Counter:
        """A counter's child, the same each time; KeyError for a name that is no family."""
        child = self._child(name, labels)
        assert isinstance(child, Counter)
        return child

    def gauge(self, name: str, *labels: str) -> Gauge:
        """A gauge's child, the same each time; KeyError for a name that is no family."""
        child = self._child(name, labels)
        assert isinstance(child, Gauge)
        return child

    def histogram(self, name: str, *labels: str) -> Histogram:
        """A histogram's child, the same each time; KeyError for a name that is no family."""
        child = self._child(name, labels)
        assert isinstance(child, Histogram)
        return child

    def count(self, name: str, *labels: str, by: int = 1) -> None:
        """Count something locally, until the next flush."""
        self._tally[name, labels] += by

    def total(self, name: str, *labels: str, value: float) -> None:
        """A counter whose TOTAL somebody else keeps, such as the bus."""
        before, child = self._totals.get((name, labels), 0.0), self.counter(name, *labels)
        if value > before:
            child.inc(value - before)
            self._totals[name, labels] = value

    def flush(self) -> None:
        """Hand over what was counted."""
        for (name, labels), by in self._tally.items():
            self.counter(name, *labels).inc(by)
        self._tally.clear()

    def text(self) -> bytes:
        """All of it as Prometheus reads it."""
        self.flush()
        return generate_latest(self.registry)

    def _child(self, name: str, labels: Labels) -> Metric:
        child = self._children.get((name, labels))
        if child is None:
            family = self._families[name]
            child = family.labels(*labels) if labels else family
            self._children[name, labels] = child
        return child

    def _made(self, family: Family) -> Metric:
        if family.kind == "counter":
            return Counter(family.name, family.text, family.labels, registry=self.registry)
        if family.kind == "gauge":
            gauge = Gauge(family.name, family.text, family.labels, registry=self.registry)
            if not family.labels:
                gauge.set(nan)  # a 0 that nobody has told would look like any other
            return gauge
        return Histogram(
            family.name,
            family.text,
            family.labels,
            registry=self.registry,
            buckets=family.buckets,
        )
