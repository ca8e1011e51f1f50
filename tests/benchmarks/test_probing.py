"""What the benchmark of the probe counts."""

from benchmarks.probing import SNAPSHOTS, look_at
from tests.observe import made
from tests.observe.pebble import SECTIONS


class Recorded:
    """A machine that answers as pebble does."""

    name = "pebble"

    def run(self, *argv: str, stdin: str = "", deadline: float = 60.0) -> str:
        assert argv == ("sh",)
        assert deadline
        return made.printed(SECTIONS) if "emily-probe" in stdin else f"{SNAPSHOTS}\n"

    def close(self) -> None:
        pass


def test_a_look_is_counted_with_what_it_brings() -> None:
    found = look_at(Recorded())

    assert found.commands == 1
    assert found.length == len(made.printed(SECTIONS))
    assert found.datasets == 2
    assert found.snapshots == SNAPSHOTS
