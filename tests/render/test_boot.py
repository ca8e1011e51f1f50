"""How a host starts, and that it starts without its first disk."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from emily_infra.spec.host import Host
from tests.hosts import over, pebble, shipped
from tests.render.evaluated import module


def boot(host: Host) -> Any:
    return module(host, "boot")


def copying(tmp_path: Path, *, mount: str) -> subprocess.CompletedProcess[str]:
    """Ember's install commands as NixOS runs them, with a MOUNT of ours; the rest is recorded."""
    script = boot(shipped("ember"))["boot"]["loader"]["systemd-boot"]["extraInstallCommands"]
    for name in ("umount", "rsync", "sync"):
        (tmp_path / name).write_text(f'#!/bin/sh\necho {name} "$@"\n')
    (tmp_path / "mount").write_text(f"#!/bin/sh\n{mount}\n")
    (tmp_path / "mktemp").write_text(f"#!/bin/sh\nmkdir {tmp_path}/esp && echo {tmp_path}/esp\n")
    (tmp_path / "rmdir").write_text('#!/bin/sh\nexec /bin/rmdir "$@"\n')
    for program in tmp_path.iterdir():
        program.chmod(0o755)
    text = re.sub(r"/nix/store/0+-[\w-]+/bin", str(tmp_path), f"set -euo pipefail\n{script}")
    return subprocess.run(["bash", "-c", text], capture_output=True, text=True, check=False)


def test_the_other_esp_gets_a_copy(tmp_path: Path) -> None:
    done = copying(tmp_path, mount='echo mount "$@"')

    programs = [line.split()[0] for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (0, "")
    assert programs == ["mount", "rsync", "sync", "umount"]
    assert "/dev/disk/by-id/nvme-B-part1" in done.stdout


def test_a_dead_disk_is_reported_and_does_not_stop_the_switch(tmp_path: Path) -> None:
    done = copying(tmp_path, mount="exit 32")

    assert done.returncode == 0
    assert "the ESP on nvme-B-part1 is not up to date" in done.stderr
    assert "rsync" not in done.stdout


def test_nothing_is_left_mounted_or_lying_about(tmp_path: Path) -> None:
    copying(tmp_path, mount="true")

    assert not (tmp_path / "esp").exists()


def test_one_esp_needs_no_copy() -> None:
    part = "storage: { disks: { nvme-B: { partitions: { 1: { use: other } } } } }"

    loader = boot(over(shipped("ember"), part))["boot"]["loader"]["systemd-boot"]

    assert "extraInstallCommands" not in loader
    assert loader["configurationLimit"] == 8


def test_nobody_edits_the_kernels_command_line_at_the_console() -> None:
    assert boot(shipped("pebble"))["boot"]["loader"]["systemd-boot"]["editor"] is False


@pytest.mark.parametrize(
    ("tmpfs", "size"), [("2GiB", "2G"), ("1.5GiB", "1536M"), ("1GB", "1000000000")]
)
def test_tmp_has_exactly_the_size_written(tmpfs: str, size: str) -> None:
    tmp = boot(pebble(f"system: {{ memory: {{ tmpfs: {tmpfs} }} }}"))["boot"]["tmp"]

    assert tmp == {"useTmpfs": True, "tmpfsSize": size}


def test_without_a_tmpfs_tmp_is_emptied_at_boot() -> None:
    tmp = boot(pebble("system: { memory: { tmpfs: 0B } }"))["boot"]["tmp"]

    assert tmp == {"cleanOnBoot": True}


def test_zram_and_zswap_exclude_each_other() -> None:
    ember, pebble_ = boot(shipped("ember")), boot(shipped("pebble"))

    assert "zswap.enabled=1" in ember["boot"]["kernelParams"]
    assert "zramSwap" not in ember
    assert pebble_["zramSwap"] == {"enable": True, "algorithm": "zstd", "memoryPercent": 25}
    assert not any("zswap" in each for each in pebble_["boot"]["kernelParams"])


def test_swap_may_stay_as_it_is() -> None:
    host = boot(pebble("system: { memory: { compressed_swap: none } }"))

    assert "zramSwap" not in host
    assert not any("zswap" in each for each in host["boot"]["kernelParams"])


def test_a_host_that_hangs_starts_again_by_itself() -> None:
    host = boot(shipped("pebble"))

    assert {"panic=30", "boot.panic_on_fail"} <= set(host["boot"]["kernelParams"])
    assert host["systemd"]["settings"]["Manager"]["RuntimeWatchdogSec"] == "60s"


def test_a_mount_that_fails_leaves_ssh_and_no_shell_that_asks_for_a_password() -> None:
    assert boot(shipped("pebble"))["systemd"]["enableEmergencyMode"] is False
