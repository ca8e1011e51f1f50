"""The topology follows from the declarations alone, and agrees with networkx."""

import random
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emily_runtime.bench.planted import GROUPS, planted
from emily_runtime.messages import Refused
from emily_runtime.nerves.components import Component
from emily_runtime.nerves.loops import strong
from emily_runtime.nerves.topology import Topology, organise
from tests.runtime.nerves.graphs import RECORDED, digest, mutual_information, random_graph

TOPICS = st.sampled_from(["", *"aabbccddeeffgg", "ab", "cd", "eg"]).map(frozenset)


def _same(payload: object) -> object:
    return payload


def _part(name: str, consumes: str = "", produces: str = "") -> Component:
    """With topics of a letter each."""
    return Component(name, frozenset(consumes), frozenset(produces), _same)


def _run(parts: Iterable[Component], watched: str = "") -> list[str]:
    return [chain.name for chain in organise(parts, frozenset(watched)).chains]


@st.composite
def _parts(draw: st.DrawFn, prefix: str = "p") -> list[Component]:
    number = draw(st.integers(1, 8))
    return [
        Component(f"{prefix}{at}", draw(TOPICS), draw(TOPICS), draw(st.sampled_from((_same, None))))
        for at in range(number)
    ]


@pytest.mark.parametrize("seed", range(0, 200, 20))
def test_strong_components_are_those_that_networkx_finds(seed: int) -> None:
    for one in range(seed, seed + 20):
        assert digest(strong(random_graph(one))) == RECORDED[one]


def test_strong_components_are_those_of_networkx_now() -> None:
    networkx = pytest.importorskip("networkx")
    for seed in range(1_000, 1_200):
        after = random_graph(seed)
        graph = networkx.DiGraph(dict(enumerate(after)))

        assert digest(strong(after)) == digest(networkx.strongly_connected_components(graph))


def test_a_chain_of_ten_thousand_needs_no_recursion() -> None:
    after = [[place + 1] for place in range(9_999)] + [[0]]

    assert [len(group) for group in strong(after)] == [10_000]


@pytest.mark.parametrize("seed", range(3))
def test_planted_groups_are_found(seed: int) -> None:
    components = planted(seed)

    found = organise(components).clusters

    label = {name: number for number, cluster in enumerate(found) for name in cluster}
    mine = [label[component.name] for component in components]
    assert mutual_information(mine, [place % GROUPS for place in range(1_000)]) >= 0.98


@given(_parts(), st.randoms(use_true_random=False))
def test_the_order_of_declaration_changes_nothing(
    parts: list[Component], chance: random.Random
) -> None:
    shuffled = parts[:]
    chance.shuffle(shuffled)

    assert organise(shuffled) == organise(parts)


@given(_parts())
def test_everyone_stands_once_and_after_all_that_it_hears(parts: list[Component]) -> None:
    topology = organise(parts)

    place = {name: at for at, group in enumerate(topology.order) for name in group}
    assert sorted(place) == [component.name for component in topology.components]
    for one, other in topology.edges:
        assert place[one] <= place[other]
        assert (place[one] < place[other]) or any(
            {one, other} <= set(loop) for loop in topology.loops
        )


@given(_parts())
def test_every_stage_runs_in_one_chain(parts: list[Component]) -> None:
    chains = organise(parts).chains

    run = sorted(part.name for chain in chains for part in chain.members)
    assert run == [part.name for part in parts if part.stage]


def _separate(parts: list[Component]) -> list[Component]:
    """The same parts, on topics of their own."""

    def there(topics: frozenset[str]) -> frozenset[str]:
        return frozenset(topic.upper() for topic in topics)

    return [Component(f"{part.name}x", there(part.consumes), there(part.produces), part.stage)
            for part in parts]  # fmt: skip


def _of(topology: Topology, names: set[str]) -> tuple[object, ...]:
    """What a topology says about some components."""
    groups = [
        [group for group in kind if names & set(group)]
        for kind in (topology.loops, topology.clusters, topology.order)
    ]
    return groups, [chain for chain in topology.chains if chain.members[0].name in names]


@given(_parts(), _parts("o"))
def test_what_is_not_connected_changes_nothing(
    parts: list[Component], others: list[Component]
) -> None:
    names = {part.name for part in parts}

    assert _of(organise(parts + _separate(others)), names) == _of(organise(parts), names)


def test_a_feedback_loop_is_reported_with_its_members() -> None:
    topology = organise([_part("one", "ac", "b"), _part("two", "b", "c"), _part("self", "z", "z")])

    assert topology.loops == (("one", "two"), ("self",))


def test_a_line_becomes_one_chain() -> None:
    assert _run([_part("c", "y", "z"), _part("b", "x", "y"), _part("a", "w", "x")]) == ["a > b > c"]


@pytest.mark.parametrize(
    "broken",
    [
        [_part("a", "w", "xv"), _part("b", "x", "y")],
        [_part("a", "w", "x"), _part("b", "xv", "y")],
        [_part("a", "w", "x"), _part("b", "x", "y"), Component("ears", frozenset("x"))],
        [_part("a", "w", "x"), _part("b", "x", "y"), Component("mouth", produces=frozenset("x"))],
        [_part("a", "w", "x"), Component("b", frozenset("x"), frozenset("y"))],
    ],
)
def test_nothing_is_fused_where_anybody_else_speaks_or_hears(broken: list[Component]) -> None:
    assert "a > b" not in _run(broken)


def test_a_loop_is_not_fused_and_still_runs() -> None:
    assert _run([_part("a", "y", "x"), _part("b", "x", "y"), _part("c", "z", "z")]) == [*"abc"]


def test_a_watched_topic_stays_on_the_bus() -> None:
    parts = [_part("a", "w", "x"), _part("b", "x", "y")]

    assert _run(parts, watched="x") == ["a", "b"]


def test_two_components_of_one_name_are_refused() -> None:
    with pytest.raises(Refused, match="EMY-7001"):
        organise([_part("a"), _part("b"), _part("a")])
