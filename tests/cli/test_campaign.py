"""apply to several hosts: a process here, and a real sshd in front of each machine."""

import json
import os
from collections.abc import Iterator

import pytest

from tests.apply.conftest import in_memory
from tests.cli.boxes import SSHD, Site, Template, site

pytestmark = pytest.mark.skipif(
    not os.path.exists(SSHD) or os.geteuid() != 0, reason="needs sshd, and root for its worlds"
)
NAMES = ("alpha", "beta", "gamma")
ALL = ("apply", "--all", "--yes", "--accept", "lock-out")


@pytest.fixture
def three(template: Template) -> Iterator[Site]:
    with in_memory() as folder, site(template, folder, NAMES) as here:
        for name in NAMES:
            here.builds(name, "fresh")
        yield here


def verdicts(out: str) -> dict[str, str]:
    lines = (json.loads(line) for line in out.splitlines())
    return {line["host"]: line["verdict"] for line in lines if line["type"] == "outcome"}


def test_every_host_is_brought_to_its_new_system(three: Site) -> None:
    done = three.emily(*ALL, "--canary", "1", "--soak", "2s")

    assert done.code == 0, done.err
    assert "watching alpha for 2 s" in done.err
    assert all(box.drill.is_wholly("fresh") for box in three.boxes.values())
    assert [f"{name}: committed" in done.out for name in NAMES] == [True] * 3


def test_a_dead_host_within_the_budget_stops_nobody_else(three: Site) -> None:
    three.boxes["alpha"].unplug()

    done = three.emily(*ALL, "--canary", "1", "--max-failures", "1")

    assert done.code == 5, done.err
    assert "alpha: cannot be reached: alpha: no connection to 127.0.0.1" in done.err
    assert "alpha: out of reach: alpha: no connection to 127.0.0.1" in done.out
    assert three.boxes["alpha"].drill.is_wholly("old")
    assert three.boxes["beta"].drill.is_wholly("fresh")
    assert three.boxes["gamma"].drill.is_wholly("fresh")


def test_a_dead_host_outside_the_budget_leaves_everybody_as_they_are(three: Site) -> None:
    three.boxes["gamma"].unplug()

    done = three.emily(*ALL, "--json")

    assert done.code == 8
    assert verdicts(done.out) == {
        "alpha": "not begun", "beta": "not begun", "gamma": "out of reach"
    }  # fmt: skip
    assert all(box.drill.world.words == [] for box in three.boxes.values())


def test_a_refused_host_is_its_own_outcome(three: Site) -> None:
    beta = three.boxes["beta"].drill.world
    beta.run("sh", "-c", "echo another >/run/hostname")

    done = three.emily(*ALL, "--json", "--max-failures", "1")

    assert done.code == 5, done.err
    assert verdicts(done.out) == {"alpha": "committed", "beta": "refused", "gamma": "committed"}
    summaries = [json.loads(line) for line in done.out.splitlines() if '"plan"' in line]
    assert (
        "refused: beta: wrong-host" in next(s for s in summaries if s["host"] == "beta")["summary"]
    )


def test_a_host_that_cannot_be_built_is_its_own_outcome(three: Site) -> None:
    (three.root / "hosts/beta/generated/boot.nix").unlink()

    done = three.emily(*ALL, "--max-failures", "1")

    assert done.code == 5, done.err
    assert "emily-infra render beta" in done.err
    assert three.boxes["beta"].drill.world.words == []


def test_an_ill_canary_leaves_the_others_untouched(three: Site) -> None:
    three.boxes["alpha"].drill.world.hook("fresh.test", "exit 1")

    done = three.emily(*ALL, "--canary", "1")

    assert done.code == 3, done.err
    assert "alpha: rolled back: the activation failed with status 1" in done.out
    assert "beta: not begun: 1 failed, and the run may bear 0" in done.out
    assert all(box.drill.is_wholly("old") for box in three.boxes.values())
    assert [three.boxes[name].drill.world.switched for name in NAMES[1:]] == [[], []]


def test_an_answer_that_is_not_yes_changes_nobody(three: Site) -> None:
    done = three.emily(*ALL[:2], *ALL[3:], typed="y\n")

    assert done.code == 1
    assert "apply this to 3 hosts?" in done.err
    assert "stopped" in done.err
    assert all(box.drill.world.words == [] for box in three.boxes.values())
