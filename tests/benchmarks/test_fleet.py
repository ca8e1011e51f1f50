"""What the benchmarks measure is what they say they measure."""

from pathlib import Path

from benchmarks.fleet import write_fleet
from emily_infra.check import check
from emily_infra.spec.load import load
from tests.hosts import TODAY


def test_a_generated_fleet_is_sound_and_no_two_hosts_are_alike(tmp_path: Path) -> None:
    write_fleet(tmp_path, 30)

    loaded = load(tmp_path, [])

    assert len(loaded.fleet) == 30
    assert loaded.findings == []
    assert [f.message for f in check(loaded.fleet, TODAY) if f.blocks] == []
    assert len({host.spec.system.host_id for host in loaded.fleet.values()}) == 30


def test_every_tenth_host_is_large(tmp_path: Path) -> None:
    write_fleet(tmp_path, 30)

    fleet = load(tmp_path, []).fleet.values()

    assert sum(len(host.spec.storage.disks) == 16 for host in fleet) == 3
