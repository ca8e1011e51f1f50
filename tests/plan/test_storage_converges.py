"""From any pool to any other: what a plan runs ZFS takes, and after it nothing is left to do."""

from collections.abc import Callable, Sequence
from copy import deepcopy

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from emily_infra.apply.steps import Due, take
from emily_infra.plan import Hazard, Step
from emily_infra.plan.storage import foreign, steps
from emily_infra.spec.host import HostSpec
from emily_infra.spec.storage import Pool
from emily_infra.zfs.properties import different, wanted
from tests.plan.simulated import GB, Fs, World, world
from tests.plan.tanks import DISKS, Body, described

PATHS = ["a", "a/x", "a/y", "b", "b/x", "c"]

Edit = Callable[[st.DrawFn, Body, list[str]], None]


def tank(spec: HostSpec) -> Pool:
    return spec.storage.pools["tank"]


@st.composite
def datasets(draw: st.DrawFn, *, special: bool) -> Body:
    """Parents before children; no more reserved than a quota above has."""
    found: Body = {}
    for path in draw(st.sets(st.sampled_from(PATHS))):
        while path:
            found.setdefault(path, {"snapshots": "none"})
            path = path.rpartition("/")[0]
    for path, each in found.items():
        if draw(st.booleans()):
            each["recordsize"] = draw(st.sampled_from(["16KiB", "128KiB", "1MiB"]))
        if draw(st.booleans()):
            each["compression"] = draw(st.sampled_from(["zstd", "lz4", "off"]))
        if special and draw(st.booleans()):
            each["small_blocks_on_special"] = "8KiB"
        if draw(st.booleans()):
            each["mountpoint"] = f"/srv/{path}"
            each["mounted_by"] = draw(st.sampled_from(["zfs", "nixos"]))
        if draw(st.booleans()):
            each["quota"] = f"{draw(st.integers(8, 30))}GB"
        if draw(st.booleans()):
            each["reservation"] = f"{draw(st.integers(1, 3))}GB"
    return found


@st.composite
def bodies(draw: st.DrawFn) -> Body:
    """A pool on some of the disks."""
    free = list(draw(st.permutations(DISKS)))
    kind, width = draw(st.sampled_from([("disk", 1), ("mirror", 2), ("mirror", 3), ("raidz1", 3)]))

    def some(count: int) -> list[str]:
        return [free.pop() for _ in range(count)]

    def vdev(kind: str, width: int) -> Body:
        return {"disk": free.pop()} if kind == "disk" else {kind: some(width)}

    body: Body = {"data": [vdev(kind, width) for _ in range(draw(st.integers(1, 2)))]}
    if draw(st.booleans()):
        body["special"] = [vdev("mirror", 2)]
    if draw(st.booleans()):
        body["log"] = [vdev("disk", 1)]
    body["cache"] = some(draw(st.integers(0, 1)))
    body["spares"] = some(draw(st.integers(0, 1)))
    body["datasets"] = draw(datasets(special="special" in body))
    return body


@st.composite
def edited(draw: st.DrawFn, body: Body) -> Body:
    """The same pool after somebody has worked on host.yaml."""
    body = deepcopy(body)
    used = {disk for disk in DISKS if f"'{disk}'" in str(body)}
    free = [disk for disk in DISKS if disk not in used]
    edits: st.SearchStrategy[list[Edit]] = st.lists(st.sampled_from(EDITS), max_size=4)
    for edit in draw(edits):
        edit(draw, body, free)
    special = bool(body.get("special"))
    if draw(st.booleans()) or not special:
        body["datasets"] = draw(datasets(special=special))
    return body


def a_disk_is_replaced(draw: st.DrawFn, body: Body, free: list[str]) -> None:
    vdev = draw(st.sampled_from(body["data"]))
    (kind,) = vdev
    if free and kind == "disk":
        vdev["disk"] = free.pop()
    elif free:
        vdev[kind][draw(st.integers(0, len(vdev[kind]) - 1))] = free.pop()


def a_copy_comes(draw: st.DrawFn, body: Body, free: list[str]) -> None:
    vdev = draw(st.sampled_from(body["data"]))
    if free and "disk" in vdev:
        vdev["mirror"] = [vdev.pop("disk"), free.pop()]
    elif free and "mirror" in vdev:
        vdev["mirror"].append(free.pop())


def a_copy_goes(draw: st.DrawFn, body: Body, _: list[str]) -> None:
    vdev = draw(st.sampled_from(body["data"]))
    if "mirror" in vdev:
        vdev["mirror"].pop(0)
        if len(vdev["mirror"]) == 1:
            vdev["disk"] = vdev.pop("mirror")[0]


def a_vdev_comes(draw: st.DrawFn, body: Body, free: list[str]) -> None:
    role = draw(st.sampled_from(["data", "special", "log"]))
    if len(free) > 1:
        body.setdefault(role, []).append({"mirror": [free.pop(), free.pop()]})


def helpers_change(draw: st.DrawFn, body: Body, free: list[str]) -> None:
    for role in ("cache", "spares"):
        wanted_there = bool(free) and draw(st.booleans())
        body[role] = [free.pop()] if wanted_there else []
    if draw(st.booleans()):
        body["log"] = []


EDITS = (a_disk_is_replaced, a_copy_comes, a_copy_goes, a_vdev_comes, helpers_change)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[World, HostSpec]:
    """A machine with more on it than host.yaml knows, and what host.yaml wants of it."""
    now = draw(bodies())
    wished = draw(edited(now)) if draw(st.integers(0, 4)) else draw(bodies())
    made = world(described(now).storage)
    sets = made.pools["tank"].datasets
    for path in list(sets):
        sets[path].own = draw(st.integers(0, 2)) * GB
        if draw(st.booleans()):
            sets[path].local["recordsize"] = "65536"
    sets["tank/theirs"] = Fs(GB, {"compression": "gzip"})
    sets["tank/theirs/below"] = Fs(GB, {"mountpoint": "/theirs"})
    if draw(st.booleans()):
        made.pools["tank"].disabled = {"block_cloning"}
    made.disks.update(
        {disk: "ext4" for disk in DISKS if not made.disks[disk] and not draw(st.integers(0, 9))}
    )
    return made, described(wished)


def to_take(spec: HostSpec, machine: World) -> list[Step]:
    """What apply does, once the words are said."""
    found = steps(spec, machine.seen())
    return [step for step in found if step.hazard.runs and not step.offered]


def done(machine: World, found: Sequence[Step]) -> World:
    for step in found:
        take(Due(step), machine)
    return machine


def is_as_described(machine: World, spec: HostSpec) -> bool:
    body = tank(spec)
    ours = {(role, vdev.kind, frozenset(vdev.disks)) for role, _, vdev in body.vdevs}
    ours |= {("cache", "disk", frozenset([disk])) for disk in body.cache}
    ours |= {("spare", "disk", frozenset([disk])) for disk in body.spares}
    there = {(t.role, t.kind, frozenset(t.disks)) for t in machine.pools["tank"].tops}
    assert there == ours
    sets = {each.name: each.values for each in machine.seen().pools[0].datasets}
    for name, dataset in body.datasets.items():
        assert not different(wanted(dataset, body), sets[f"tank/{name}"])
    return True


THOROUGH = settings(
    max_examples=60, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)  # fmt: skip


@THOROUGH
@given(pairs())
def test_what_a_plan_runs_zfs_takes_and_then_nothing_is_left_to_run(
    pair: tuple[World, HostSpec],
) -> None:
    machine, spec = pair

    done(machine, to_take(spec, machine))

    assert to_take(spec, machine) == []


@THOROUGH
@given(pairs())
def test_a_plan_that_holds_nothing_impossible_leads_to_what_host_yaml_says(
    pair: tuple[World, HostSpec],
) -> None:
    machine, spec = pair
    found = list(steps(spec, machine.seen()))
    assume(all(step.hazard.runs for step in found))
    assume(not any(step.title.startswith("tank has") for step in found))

    done(machine, to_take(spec, machine))

    assert is_as_described(machine, spec)


@THOROUGH
@given(pairs())
def test_what_host_yaml_does_not_name_stays_as_it_is(pair: tuple[World, HostSpec]) -> None:
    machine, spec = pair
    unnamed = {name.rpartition(" ")[2] for name in foreign(spec, machine.seen())}
    before = deepcopy({path: machine.pools["tank"].datasets[path] for path in unnamed})
    dirty = {disk: held for disk, held in machine.disks.items() if held == "ext4"}

    done(machine, to_take(spec, machine))

    assert {"tank/theirs", "tank/theirs/below"} <= unnamed
    assert {path: machine.pools["tank"].datasets[path] for path in unnamed} == before
    assert dirty.items() <= machine.disks.items()


@THOROUGH
@given(pairs(), st.integers(0, 12))
def test_a_plan_that_is_cut_off_and_made_again_ends_the_same(
    pair: tuple[World, HostSpec], after: int
) -> None:
    machine, spec = pair
    whole = done(deepcopy(machine), to_take(spec, machine))

    done(machine, to_take(spec, machine)[:after])
    done(machine, to_take(spec, machine))

    assert machine.state() == whole.state()


@THOROUGH
@given(pairs())
def test_a_step_that_is_taken_twice_is_taken_once(pair: tuple[World, HostSpec]) -> None:
    machine, spec = pair
    for step in to_take(spec, machine):
        take(Due(step), machine)
        again = {each.commands for each in steps(spec, machine.seen()) if each.hazard.runs}

        assert step.commands not in again


@THOROUGH
@given(pairs())
def test_what_cannot_be_undone_waits_for_a_word(pair: tuple[World, HostSpec]) -> None:
    machine, spec = pair

    found = list(steps(spec, machine.seen()))

    assert all(bool(step.word) == (step.hazard is Hazard.IRREVERSIBLE) for step in found)
    assert not any("destroy" in command for step in found for command in step.commands)
    assert not any(word in ("-f", "-F") for step in found for c in step.commands for word in c)
