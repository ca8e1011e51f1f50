"""What the rendered storage module asks of NixOS, as Nix itself reads it."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from emily_infra.render import storage
from emily_infra.spec.host import Host
from tests.hosts import over, pebble, shipped
from tests.render.evaluated import module, rendered

ESP_AND_SWAP = """
storage:
  disks:
    nvme-B: &nvme
      size: 500GB
      media: ssd
      partitions:
        1: { size: 2GiB, use: esp }
        2: { size: 8GiB, use: swap }
    nvme-A: *nvme
"""


def datasets(text: str, **more: str) -> Host:
    """Pebble with datasets, each as its settings."""
    lines = "".join(f"        {name}: {{ {value} }}\n" for name, value in more.items())
    return pebble(f"storage:\n  pools:\n    tank:\n      datasets:\n{text}{lines}")


def test_a_pool_is_never_imported_by_force() -> None:
    zfs = module(shipped("ember"), "storage")["boot"]["zfs"]

    assert zfs["forceImportRoot"] is False
    assert zfs["forceImportAll"] is False
    assert zfs["devNodes"] == "/dev/disk/by-id"


def test_the_kernel_is_one_that_zfs_knows_and_hardware_nix_may_choose_another() -> None:
    boot = module(shipped("ember"), "storage")["boot"]

    assert boot["supportedFilesystems"] == {"zfs": True}
    assert boot["kernelPackages"]["priority"] == 1000


@pytest.mark.parametrize(("name", "gib"), [("ember", 40), ("pebble", 6)])
def test_the_read_cache_has_the_ceiling_of_the_spec(name: str, gib: int) -> None:
    boot = module(shipped(name), "storage")["boot"]

    assert boot["kernelParams"] == [f"zfs.zfs_arc_max={gib << 30}"]


def test_a_missing_data_pool_does_not_stop_the_boot() -> None:
    mounts = module(shipped("ember"), "storage")["fileSystems"]

    assert mounts["/srv/code"] == {"device": "ember/code", "fsType": "zfs", "options": ["nofail"]}


@pytest.mark.parametrize("path", ["/", "/nix", "/var/lib"])
def test_what_nixos_needs_for_boot_must_be_there(path: str) -> None:
    mounts = module(shipped("ember"), "storage")["fileSystems"]

    assert "options" not in mounts[path]


def test_what_the_spec_needs_for_boot_must_be_there_too() -> None:
    host = datasets("", home="needed_for_boot: true")

    mounts = module(host, "storage")["fileSystems"]

    assert mounts["/srv/home"] == {
        "device": "tank/home", "fsType": "zfs", "neededForBoot": True
    }  # fmt: skip


def test_a_dataset_that_is_mounted_nowhere_is_in_no_file_system() -> None:
    host = datasets("        media: { snapshots: none }\n")

    assert set(module(host, "storage")["fileSystems"]) == {"/srv/home"}


def test_a_pool_with_datasets_mounted_by_zfs_is_imported_by_name() -> None:
    host = datasets("", photos="mountpoint: /srv/photos, mounted_by: zfs, snapshots: daily")

    values = module(host, "storage")

    assert values["boot"]["zfs"]["extraPools"] == ["tank"]
    assert set(values["fileSystems"]) == {"/srv/home"}


def test_a_pool_that_no_mount_calls_for_is_imported_by_name() -> None:
    host = pebble("storage: { pools: { tank: { datasets: null } } }\nsamba: null")

    assert storage.extra_pools(host.spec) == ["tank"]


def test_a_pool_that_nixos_mounts_from_needs_no_mention() -> None:
    assert "extraPools" not in module(shipped("ember"), "storage")["boot"]["zfs"]


def test_the_first_boot_partition_is_private_and_may_be_missing() -> None:
    values = module(pebble(ESP_AND_SWAP), "storage")

    assert values["fileSystems"]["/boot"] == {
        "device": "/dev/disk/by-id/nvme-A-part1",
        "fsType": "vfat",
        "options": ["umask=0077", "nofail"],
    }


def test_every_swap_partition_is_used_and_none_is_needed() -> None:
    swap = module(pebble(ESP_AND_SWAP), "storage")["swapDevices"]

    assert [entry["device"] for entry in swap] == [
        "/dev/disk/by-id/nvme-A-part2",
        "/dev/disk/by-id/nvme-B-part2",
    ]
    assert all("nofail" in entry["options"] for entry in swap)


def test_every_pool_is_scrubbed_when_the_spec_says() -> None:
    host = over(shipped("ember"), "storage: { scrub: Sun 04:00 }")

    scrub = module(host, "storage")["services"]["zfs"]["autoScrub"]

    assert scrub == {
        "enable": True, "interval": "Sun *-*-* 04:00:00 UTC", "pools": ["ember", "rpool"]
    }  # fmt: skip


def test_only_a_host_with_an_ssd_in_a_pool_is_trimmed() -> None:
    ember = module(shipped("ember"), "storage")["services"]["zfs"]["trim"]
    pebble_with_idle_ssd = module(pebble(ESP_AND_SWAP), "storage")["services"]["zfs"]["trim"]

    assert ember == {"enable": True, "interval": "Mon *-*-* 00:00:00 UTC"}
    assert pebble_with_idle_ssd == {"enable": False}


def test_trim_has_its_own_time_and_can_be_turned_off() -> None:
    spec = over(shipped("ember"), "storage: { trim: 05:00 }").spec
    off = spec.model_copy(update={"storage": spec.storage.model_copy(update={"trim": None})})

    assert storage.trim(spec) == "*-*-* 05:00:00 UTC"
    assert storage.trim(off) is None


def test_pool_events_reach_the_journal_without_one_for_every_snapshot() -> None:
    zed = module(shipped("pebble"), "storage")["services"]["zfs"]["zed"]["settings"]

    assert zed == {"ZED_SYSLOG_SUBCLASS_EXCLUDE": "history_event"}


def settling(host: Host, folder: Path, found: str) -> list[str]:
    """Run the service's own script with a zfs that prints FOUND; what it was asked to set."""
    unit = module(host, "storage")["systemd"]["services"]["emily-dataset-properties"]
    state = folder / "tank/state"
    state.parent.mkdir(exist_ok=True)
    state.write_text("ONLINE\n")
    (folder / "found").write_text(found)
    zfs = folder / "zfs"
    zfs.write_text(
        f'#!/bin/sh\ncase $1 in\nget) cat "{folder}/found" ;;\n'
        f'set) echo "$*" >>"{folder}/asked"; case $2 in quota=*) exit 1 ;; esac ;;\nesac\n'
    )
    zfs.chmod(0o755)
    script = "set -e\n" + unit["script"].replace("/proc/spl/kstat/zfs", str(folder))
    done = subprocess.run(
        ["bash", "-c", script], env={"PATH": f"{folder}:{os.environ['PATH']}"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    asked = folder / "asked"
    (folder / "said").write_text(done.stdout)
    return asked.read_text().splitlines() if asked.exists() else []


def test_after_a_boot_only_what_differs_is_set(tmp_path: Path) -> None:
    found = (
        "tank/home\tcompression\tlz4\ntank/home\trecordsize\t131072\n"
        "tank/home\tmountpoint\t/elsewhere\ntank/theirs\tcompression\toff\n"
    )

    asked = settling(shipped("pebble"), tmp_path, found)

    assert asked == ["set compression=zstd tank/home"]
    assert "it was lz4" in (tmp_path / "said").read_text()


def test_what_zfs_refuses_after_a_boot_is_logged_and_fails_nothing(tmp_path: Path) -> None:
    host = datasets("", home="quota: 1TB, mounted_by: zfs")
    found = "tank/home\tquota\t0\ntank/home\tmountpoint\t/elsewhere\n"

    asked = settling(host, tmp_path, found)

    assert asked == ["set mountpoint=/srv/home tank/home", "set quota=1000000000000 tank/home"]
    assert "<3>tank/home: cannot set quota=" in (tmp_path / "said").read_text()


def test_a_pool_that_hangs_after_a_boot_keeps_no_other_from_being_settled(tmp_path: Path) -> None:
    unit = module(shipped("ember"), "storage")["systemd"]["services"]["emily-dataset-properties"]
    for pool in ("ember", "rpool"):
        (tmp_path / pool).mkdir()
        (tmp_path / pool / "state").write_text("ONLINE\n")
    zfs = tmp_path / "zfs"
    zfs.write_text(
        "#!/bin/sh\ncase $* in\nget*ember) sleep 60 ;;\n"
        'get*) printf "rpool/nix\\tcompression\\tlz4\\n" ;;\n'
        f'set*) echo "$*" >"{tmp_path}/asked" ;;\nesac\n'
    )
    zfs.chmod(0o755)
    script = unit["script"].replace("/proc/spl/kstat/zfs", str(tmp_path))
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}

    running = subprocess.Popen(["bash", "-c", script], env=path, start_new_session=True)
    end = time.monotonic() + 15
    while not (tmp_path / "asked").exists() and time.monotonic() < end:
        time.sleep(0.1)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()

    assert (tmp_path / "asked").read_text() == "set compression=zstd rpool/nix\n"


def test_two_words_for_one_compression_are_no_difference(tmp_path: Path) -> None:
    host = datasets("", home="compression: zstd-fast")

    assert settling(host, tmp_path, "tank/home\tcompression\tzstd-fast-1\n") == []


def test_properties_are_settled_before_services_and_the_boot_does_not_depend_on_it() -> None:
    unit = module(shipped("ember"), "storage")["systemd"]["services"]["emily-dataset-properties"]

    assert {"basic.target", "zfs-mount.service"} <= set(unit["before"])
    assert unit["after"] == ["zfs-import.target"]
    assert not {"requiredBy", "requires"} & unit.keys()
    assert unit["serviceConfig"]["TimeoutStartSec"] == "60s"


def test_a_host_without_datasets_has_nothing_to_settle() -> None:
    host = pebble("storage: { pools: { tank: { datasets: null } } }\nsamba: null")

    assert "emily-dataset-properties" not in rendered(host).files["storage.nix"]


def test_a_folder_gets_its_owner_only_once_the_dataset_is_mounted_on_it() -> None:
    unit = module(shipped("ember"), "storage")["systemd"]["services"]["dataset-owner-ember-code"]

    assert unit["unitConfig"]["RequiresMountsFor"] == "/srv/code"
    assert unit["unitConfig"]["ConditionPathIsMountPoint"] == "/srv/code"
    assert unit["wantedBy"] == ["multi-user.target"]
    assert unit["serviceConfig"]["ExecStart"].endswith(
        "/bin/install -d -o colter -g users -m 2770 /srv/code"
    )


def test_the_owner_of_a_dataset_mounted_by_zfs_waits_for_zfs() -> None:
    host = datasets("", home="mounted_by: zfs, owner: { user: colter }")

    units = module(host, "storage")["systemd"]["services"]

    assert units["dataset-owner-tank-home"]["after"] == ["zfs-mount.service"]


def test_two_datasets_never_share_a_unit_name() -> None:
    paths = ["tank/a-b/c", "tank/a/b-c", "tank/a-b-c", "tank/a/b/c"]

    names = {storage.escaped(path) for path in paths}

    assert names == {r"tank-a\x2db-c", r"tank-a-b\x2dc", r"tank-a\x2db\x2dc", "tank-a-b-c"}


def test_a_host_whose_disks_are_described_elsewhere_has_no_storage_module() -> None:
    host = pebble("storage: { disks: null, pools: null }")

    assert storage.lower(host) is None


def test_a_host_without_pools_can_still_have_swap() -> None:
    host = pebble(ESP_AND_SWAP + "  pools: null\n")

    lowered = storage.lower(host)

    assert lowered
    assert lowered["pools"] == []
    assert len(lowered["swap"]) == 2  # type: ignore[arg-type]


def test_the_order_of_keys_changes_nothing() -> None:
    first = datasets("", a="mountpoint: /srv/a, snapshots: none", b="mountpoint: /srv/b")
    second = datasets("", b="mountpoint: /srv/b", a="snapshots: none, mountpoint: /srv/a")

    assert rendered(first).files["storage.nix"] == rendered(second).files["storage.nix"]
