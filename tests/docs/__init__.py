"""The pages for people: examples run, links lead somewhere, what is generated is fresh."""

import re
from pathlib import Path

from tests.hosts import ROOT

DOCS = ROOT / "docs"


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language on a page."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)
