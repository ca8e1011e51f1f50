"""Every part of a host.yaml in the pages is well-formed and raises no error of its own."""

from pathlib import Path

import pytest

from tests.docs import DOCS, blocks
from tests.hosts import findings, pebble

PAGES = [path for folder in ("guide", "ko", "adr") for path in sorted((DOCS / folder).glob("*.md"))]
PARTS = [
    pytest.param(part, id=f"{page.relative_to(DOCS)}-{index}")
    for page in PAGES
    for index, part in enumerate(blocks(page, "yaml"))
]


@pytest.mark.parametrize("part", PARTS)
def test_a_part_of_a_host_yaml_on_a_page_can_be_used_as_it_stands(part: str) -> None:
    found = findings(pebble(part))

    assert [finding for finding in found if finding.blocks] == []


@pytest.mark.parametrize("page", sorted((DOCS / "guide").glob("*.md")), ids=lambda p: p.stem)
def test_a_page_of_the_guide_is_short(page: Path) -> None:
    assert len(page.read_text().splitlines()) <= 80
