"""Every guard against a disaster names a test that there is."""

import re

from tests.docs import DOCS
from tests.hosts import ROOT

PAGE = DOCS / "guide" / "disasters.md"


def test_every_test_that_is_named_there_is_one() -> None:
    named = set(re.findall(r"`([a-z0-9_]+)` \|$", PAGE.read_text(), re.MULTILINE))
    there = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def test_(\w+)", file.read_text(), re.MULTILINE)
    }

    assert named - there == set()
    assert len(named) > 25


def test_every_disaster_is_on_the_page() -> None:
    numbers = re.findall(r"^\| (\d+) \|", PAGE.read_text(), re.MULTILINE)

    assert numbers == [str(number) for number in range(1, 37)]
