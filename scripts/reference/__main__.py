"""`scripts/docs` calls it; with --check nothing is written and a stale page is an error."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from emily_infra.spec.host import json_schema
from scripts.reference import commands, findings, metrics, ports, spec

ROOT = Path(__file__).resolve().parent.parent.parent


def pages() -> dict[str, str]:
    """Every written file with its text."""
    return {
        "docs/reference/spec.md": _page(spec.page()),
        "docs/reference/findings.md": _page(findings.page()),
        "docs/reference/commands.md": _page(commands.page()),
        "docs/reference/ports.md": _page(ports.page()),
        "docs/reference/metrics.md": _page(metrics.page()),
        "hosts/host.schema.json": json.dumps(json_schema(), indent=2) + "\n",
    }


def _page(lines: Iterable[str]) -> str:
    head = "<!-- Written by scripts/docs from the code; edit the code. -->"
    return "\n".join([head, "", *lines]).rstrip() + "\n"


def run(*, check: bool) -> int:
    """Write what changed, or name what is stale."""
    stale = {path: text for path, text in pages().items() if _read(ROOT / path) != text}
    for path, text in stale.items():
        if check:
            print(f"{path} is stale; write it anew with: scripts/docs", file=sys.stderr)
            continue
        (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / path).write_text(text, "utf-8")
        print(f"{path} written")
    return int(check and bool(stale))


def _read(path: Path) -> str | None:
    return path.read_text("utf-8") if path.is_file() else None


if __name__ == "__main__":
    sys.exit(run(check="--check" in sys.argv[1:]))
