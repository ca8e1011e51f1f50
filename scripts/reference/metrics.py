"""docs/reference/metrics.md: what emily-runtime measures of itself."""

from collections.abc import Iterator

from emily_runtime.mind.families import FAMILIES
from scripts.reference.markdown import prose, row, table


def page() -> Iterator[str]:
    """The page, line by line."""
    yield "# Metrics of the runtime\n"
    yield (
        f"`GET /metrics` gives these {len(FAMILIES)} families, for Prometheus on the host itself "
        "without a token. A gauge is NaN until somebody has told it something.\n"
    )
    rows = [
        row(f"`{one.name}`", one.kind, ", ".join(one.labels), prose(one.text)) for one in FAMILIES
    ]
    yield table("family | kind | labels | what", rows)
