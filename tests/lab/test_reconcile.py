"""From one generated pool to another under real ZFS: what a plan runs is taken, and leads there."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from emily_infra.apply.steps import PATIENCE, Due, take
from emily_infra.lab import Lab, Plan
from emily_infra.machine import Machine, connect
from emily_infra.observe import Observation, Question, observe
from emily_infra.plan import Step
from emily_infra.plan.storage import steps, to_read
from emily_infra.spec.host import HostSpec
from emily_infra.zfs.commands import create_dataset, create_pool
from emily_infra.zfs.properties import different, wanted
from emily_infra.zfs.shapes import Names, declared_shapes, found_shapes
from tests.lab.rehearsal import Rehearsal
from tests.plan.tanks import DISKS, Body, described
from tests.plan.test_storage_converges import bodies, edited

pytestmark = [pytest.mark.lab, pytest.mark.rehearsal]

PAIRS = int(os.environ.get("EMILY_PAIRS", "4"))
"""Each takes a minute and more where the processor is emulated."""
NO_POOL = """
storage: {{ disks: {{ {0} }}, pools: null }}
samba: null
backup: null
secrets: {{ smb-colter: null }}
"""
EMPTY = """
zpool destroy -f tank 2>/dev/null
udevadm settle
for disk in {0}; do
  device=$(readlink -f /dev/disk/by-id/$disk)
  [ -e "${{device}}1" ] || continue # nothing was ever on it
  blkdiscard --force --zeroout --length 16MiB "$device"
  blkdiscard --force --zeroout --offset $(($(blockdev --getsize64 "$device") - 16777216)) "$device"
  blockdev --rereadpt "$device"
done
udevadm settle
"""
SET_UP = """
zfs create -o compression=gzip tank/theirs
zfs create -o mountpoint=/theirs tank/theirs/below
zfs list -Ho name -r -t filesystem tank | while read -r name; do
  case $name in */x) zfs set recordsize=64K "$name" ;; esac
done
"""
THEIRS = "zfs get -Hp -r -s local,received -o name,property,value all tank/theirs"


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine with sixteen disks and no pool."""
    name = f"pairs-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    stage = Rehearsal(name, Path(tmp_path_factory.mktemp("pairs")), Lab(name))
    stage.lab.reset()
    disks = ", ".join(f"{each}: {{ size: 100GB, media: ssd }}" for each in DISKS)
    off = ", ".join(f"disk-{number}: null" for number in range(1, 5))
    host = stage.describe(NO_POOL.format(f"{off}, {disks}"))
    stage.lab.up(Plan(host, stage.root, memory=1024), tell=print)
    machine = connect(stage.lab.console(), deadline=60)
    machine.run("modprobe", "zfs")
    yield machine
    machine.close()
    stage.lab.down()


def look(spec: HostSpec, machine: Machine) -> Observation:
    seen = observe(machine)
    disks = to_read(spec, seen)
    return observe(machine, Question(disks=disks, patience=PATIENCE)) if disks else seen


def to_take(spec: HostSpec, machine: Machine) -> list[Step]:
    """What apply does, once the words are said, and no resilver is in the way."""
    machine.run("zpool", "wait", "-t", "resilver,replace,remove", "tank", deadline=600)
    found = steps(spec, look(spec, machine))
    return [step for step in found if step.hazard.runs and not step.offered]


def begun(machine: Machine, spec: HostSpec) -> None:
    """A pool as host.yaml says, with datasets on it that it does not name."""
    machine.run("sh", stdin=EMPTY.format(" ".join(DISKS)), deadline=600)
    body = spec.storage.pools["tank"]
    machine.run(*create_pool("tank", body, "-f"), deadline=300)
    for name, dataset in sorted(body.datasets.items()):
        machine.run(*create_dataset(f"tank/{name}", wanted(dataset, body)))
    machine.run("sh", stdin=SET_UP)


def is_as_described(spec: HostSpec, machine: Machine) -> bool:
    machine.run("zpool", "wait", "-t", "resilver,replace", "tank", deadline=600)
    seen, body = look(spec, machine), spec.storage.pools["tank"]
    (pool,) = seen.pools
    names = Names(seen.device_names, frozenset(DISKS))
    assert set(found_shapes(pool.vdevs, names)) == set(declared_shapes(body))
    values = {each.name: each.values for each in pool.datasets}
    for name, dataset in body.datasets.items():
        assert not different(wanted(dataset, body), values[f"tank/{name}"]), name
    return True


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Body, Body]:
    now = draw(bodies())
    return now, draw(edited(now))


@settings(
    max_examples=PAIRS, deadline=None, derandomize=True, phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(pair=pairs(), cut=st.integers(0, 6))
def test_a_generated_pool_becomes_another_though_it_is_cut_off_in_between(
    ground: Machine, pair: tuple[Body, Body], cut: int
) -> None:
    now, wished = (described(body) for body in pair)
    begun(ground, now)
    theirs = ground.run("sh", stdin=THEIRS)
    first = list(steps(wished, look(wished, ground)))

    for step in to_take(wished, ground)[:cut]:
        take(Due(step), ground)
    for step in to_take(wished, ground):
        take(Due(step), ground)

    assert to_take(wished, ground) == []
    assert ground.run("sh", stdin=THEIRS) == theirs
    if all(step.hazard.runs and not step.title.startswith("tank has") for step in first):
        assert is_as_described(wished, ground)
