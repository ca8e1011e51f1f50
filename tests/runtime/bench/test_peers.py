"""A peer works in an interpreter of its own; one that is nowhere is said to be absent."""

import sys
from pathlib import Path

import pytest

from emily_runtime.bench import organising
from emily_runtime.bench.peers.peer import Absent, Around, Peer, interpreter, peer
from emily_runtime.bench.row import NOT_RUN, in_turn

WORKS = """#!/bin/sh
echo '{"version": "one 1.0"}'
while read -r _; do echo '{"seconds": 0.25, "told": {"found": 3}}'; done
"""
LACKS = """#!/bin/sh
echo '{"absent": "one is not installed"}'
"""


@pytest.fixture
def pythons(tmp_path: Path) -> dict[str, str]:
    """Interpreters that have the peer, lack it, and end at once."""
    paths = {}
    for name, text in (("works", WORKS), ("lacks", LACKS), ("ends", "#!/bin/sh\n")):
        file = tmp_path / name
        file.write_text(text)
        file.chmod(0o755)
        paths[name] = str(file)
    return paths


def test_a_peer_is_found_in_the_first_interpreter_that_has_it(pythons: dict[str, str]) -> None:
    around = Around((pythons["lacks"], pythons["works"]))

    with peer(around, "by_one") as found:
        assert isinstance(found, Peer)
        times = in_turn({"ours": lambda: None, "peer": found}, repeats=3)

    assert times["peer"] == [0.25] * 3
    assert (found.version, found.told) == ("one 1.0", {"found": 3})


@pytest.mark.parametrize("name", ["lacks", "ends"])
def test_a_peer_that_is_in_no_interpreter_is_absent(pythons: dict[str, str], name: str) -> None:
    with peer(Around((pythons[name],)), "by_one") as found:
        assert isinstance(found, Absent)

    assert found.why


def test_the_other_side_says_what_it_lacks_in_a_real_interpreter() -> None:
    with peer(Around(), "by_networkx", seed=1) as found:
        known = found.why if isinstance(found, Absent) else found.version

    assert known.startswith("networkx ")


def test_a_module_is_looked_for_as_it_is_imported() -> None:
    assert interpreter(Around(), "numpy") == sys.executable
    assert interpreter(Around(), "no_such_module") == Absent("no_such_module is not installed")


def test_a_row_whose_peer_is_absent_tells_ours_and_why(pythons: dict[str, str]) -> None:
    [row] = organising.rows(Around((pythons["lacks"],)))

    assert row.ours.endswith("ms")
    assert (row.peer, row.ratio) == ("one is not installed", NOT_RUN)
