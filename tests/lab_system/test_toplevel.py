"""What the real Nix builds of the shipped hosts, held against the programs that will read it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from emily_infra.lab.system import Overrides, PeerOverride, build
from emily_infra.lab.system.building import NotRendered, stage
from emily_infra.render import render
from emily_infra.render.templates import Templates
from emily_infra.spec.host import Host
from tests.hosts import ROOT, over, pebble, shipped

_UNITS = "etc/systemd/system"
_NOT_HERE = re.compile(
    r"is not executable|is masked|service type, ignoring: notify-reload"
    r"|Unknown key '(RestartSteps|RestartMaxDelaySec|MemoryPressureWatch)'"
)
"""Programs of the lab's Debian, and keys younger than the systemd that runs the tests."""


def _built(host: Host, folder: Path, overrides: Overrides | None = None) -> Path:
    stage(render(host, Templates()), folder / "hosts")
    return Path(build(host, folder, overrides))


def _run(*command: str, text: str = "") -> str:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_the_same_host_has_the_same_path(ember: Path) -> None:
    assert build(shipped("ember"), ROOT) == str(ember)


def test_a_toplevel_has_all_that_nixos_tools_look_for(ember: Path) -> None:
    names = {path.name for path in ember.iterdir()}

    assert {"activate", "bin", "emily", "etc", "init", "init-interface-version", "initrd", "kernel",
            "kernel-modules", "kernel-params", "nixos-version", "switch-inhibitors", "sw"
            } <= names  # fmt: skip
    assert json.loads((ember / "switch-inhibitors").read_text())
    assert (ember / "bin/switch-to-configuration").stat().st_mode & 0o111


def test_nix_knows_what_a_toplevel_needs(ember: Path) -> None:
    references = _run("nix-store", "--query", "--references", str(ember))

    for name in ("emily-infra-", "smb.conf", "nftables-rules", "linux-lab"):
        assert f"-{name}" in references


def test_kernel_and_initrd_fill_a_boot_disk_and_are_shared(ember: Path, small_ember: Path) -> None:
    size = (ember / "kernel").stat().st_size + (ember / "initrd").stat().st_size

    assert size == 6 << 20
    assert (ember / "kernel").resolve() == (small_ember / "kernel").resolve()


def test_another_kernel_setting_is_another_kernel(tmp_path: Path, pebble: Path) -> None:
    staged = stage(render(shipped("pebble"), Templates()), tmp_path / "hosts")
    (staged / "hardware.nix").write_text('{ boot.initrd.kernelModules = [ "nvme" ]; }')

    other = Path(build(shipped("pebble"), tmp_path))

    assert (other / "kernel").resolve() != (pebble / "kernel").resolve()


def test_the_factory_has_the_way_in_and_nothing_else(small_ember: Path) -> None:
    units = {path.name for path in (small_ember / _UNITS).iterdir()}

    assert {"sshd.service", "nftables.service", "systemd-networkd.service.d"} <= units
    assert not {"samba-smbd.service", "prometheus.service", "emily-snapshot.timer"} & units


@pytest.mark.parametrize("host", ["ember", "pebble"])
def test_systemd_accepts_every_unit(host: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(host) / _UNITS
    files = [str(path) for path in folder.iterdir() if path.is_file() and "@" not in path.name]
    environment = {"SYSTEMD_UNIT_PATH": f"{folder}:/usr/lib/systemd/system"}

    done = subprocess.run(
        ("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *files),
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip

    assert [line for line in done.stderr.splitlines() if not _NOT_HERE.search(line)] == []


@pytest.mark.parametrize("host", ["ember", "pebble"])
def test_samba_accepts_its_configuration(host: str, request: pytest.FixtureRequest) -> None:
    smb_conf = (request.getfixturevalue(host) / "etc/samba/smb.conf").resolve()

    assert "Loaded services file OK" in _run("testparm", "--suppress-prompt", str(smb_conf))


def test_nft_accepts_the_firewall(ember: Path) -> None:
    record = json.loads((ember / "emily/lab.json").read_text())
    rules = re.sub(r"^include .*$", "", Path(record["ruleset"]).read_text(), flags=re.MULTILINE)

    _run("unshare", "--net", "--map-root-user", "nft", "--check", "--file", "-", text=rules)


def test_programs_of_packages_are_links_to_debians(ember: Path) -> None:
    text = (ember / _UNITS / "samba-smbd.service").read_text()

    (program,) = re.findall(r"^ExecStart=(\S+)", text, flags=re.MULTILINE)

    assert str(Path(program).readlink()) == "/usr/sbin/smbd"


def test_a_toplevel_can_tell_the_boot_loader_what_to_boot_once(ember: Path) -> None:
    program = ember / "sw/bin/bootctl"

    done = subprocess.run(
        [sys.executable, "-sB", program, "status"], capture_output=True, text=True, check=False
    )

    assert program.stat().st_mode & 0o111
    assert (done.returncode, done.stderr) == (1, "bootctl: the lab knows only: set-oneshot ENTRY\n")


def test_our_own_programs_are_the_real_ones(ember: Path) -> None:
    text = (ember / _UNITS / "emily-snapshot.service").read_text()

    (program,) = re.findall(r"^ExecStart=(\S+)", text, flags=re.MULTILINE)
    package = Path(program).parent.parent

    assert (package / "lib/emily_infra/cli/__init__.py").is_file()
    assert (package / "lib/emily_infra/modules/system.nix.j2").is_file()


def test_what_a_unit_adds_to_one_of_debians_is_a_drop_in(ember: Path) -> None:
    drop_in = ember / _UNITS / "systemd-networkd.service.d/overrides.conf"
    wanted = ember / _UNITS / "multi-user.target.wants/systemd-networkd.service"

    assert "X-StopIfChanged=false" in drop_in.read_text()
    assert str(wanted.readlink()) == "/usr/lib/systemd/system/systemd-networkd.service"


def test_a_root_pool_is_imported_without_the_initrd_that_would_do_it(ember: Path) -> None:
    assert (ember / _UNITS / "zfs.target.wants/zfs-import.target").is_symlink()
    assert (ember / _UNITS / "zfs-import.target.requires/zfs-import-rpool.service").is_symlink()


def test_a_tunnel_is_a_netdev_whose_keys_are_credentials(ember: Path) -> None:
    netdev = (ember / "etc/systemd/network/40-wg0.netdev").read_text()

    assert "PrivateKey=@wireguard-wg0-private-key\n" in netdev
    assert "wg0.netdev" in str(json.loads((ember / "emily/lab.json").read_text())["copies"])


def test_data_is_mounted_and_the_labs_own_folders_are_not(ember: Path) -> None:
    mounts = {path.name for path in (ember / _UNITS).glob("*.mount")}

    assert {"srv-code.mount", "srv-nix\\x2dcache.mount", "tmp.mount"} <= mounts
    assert not {"-.mount", "nix.mount", "var-lib.mount", "boot.mount"} & mounts


def test_the_labs_key_may_log_in_as_whoever_deploys(tmp_path: Path) -> None:
    host = pebble("deploy: {user: ops}")

    built = _built(host, tmp_path, Overrides(authorized_keys=("ssh-ed25519 AAAA lab",)))

    assert "AAAA lab" in (built / "etc/ssh/authorized_keys.d/ops").read_text()


def test_a_peer_of_the_lab_stands_in_for_the_real_one(tmp_path: Path) -> None:
    instead = PeerOverride(public_key="L" * 43 + "=", endpoint="192.0.2.7:51820")

    built = _built(
        shipped("ember"), tmp_path, Overrides(peers={"wg0/minnesota": instead})
    )  # fmt: skip

    netdev = (built / "etc/systemd/network/40-wg0.netdev").read_text()
    assert "Endpoint=192.0.2.7:51820" in netdev
    assert "minnesota.example.org" not in netdev


def test_an_edit_of_a_share_changes_smbd_and_not_sshd(tmp_path: Path, ember: Path) -> None:
    other = over(shipped("ember"), "samba: {shares: {workspace: {read_only: true}}}")

    built = _built(other, tmp_path)

    def unit(toplevel: Path, name: str) -> str:
        return (toplevel / _UNITS / name).read_text()

    assert unit(built, "samba-smbd.service") != unit(ember, "samba-smbd.service")
    assert unit(built, "sshd.service") == unit(ember, "sshd.service")


def test_an_emulated_processor_gets_more_time(tmp_path: Path) -> None:
    built = _built(shipped("ember"), tmp_path, Overrides(patience=4))

    runtime = Overrides(patience=4).stretch({"WatchdogSec": 10, "TimeoutStartSec": "30s"})
    offsite = (built / _UNITS / "emily-offsite-s3.service").read_text()
    assert runtime == {"WatchdogSec": 40, "TimeoutStartSec": 120}
    assert "TimeoutStartSec=infinity\n" in offsite


def test_the_runtime_has_its_page_and_the_libraries_that_debian_lacks(ember: Path) -> None:
    program = (ember / "etc/emily/runtime/bin/emily-runtime").read_text()
    page = ember / "etc/emily/runtime/lib/emily_runtime/service/page.html"

    assert (ember / _UNITS / "emily-runtime.socket").exists()
    assert "/lib:/usr/lib/emily-lab/python PYTHONDONTWRITEBYTECODE" in program
    assert page.read_text() == (ROOT / "emily_runtime/service/page.html").read_text()


def test_a_mount_that_may_fail_holds_nothing_up(ember: Path) -> None:
    assert "Options=nofail\n" in (ember / _UNITS / "srv-code.mount").read_text()


def test_a_package_that_debian_may_not_have_is_left_out_by_name(tmp_path: Path) -> None:
    built = _built(pebble("system: {packages: [ripgrep, python3Packages.numpy]}"), tmp_path)

    left_out = [
        one["option"] for one in json.loads((built / "emily/lab.json").read_text())["left_out"]
    ]

    assert {"pkgs.ripgrep", "pkgs.python3Packages.numpy"} <= set(left_out)


def test_what_nixos_generate_config_writes_is_tolerated(tmp_path: Path) -> None:
    staged = stage(render(shipped("pebble"), Templates()), tmp_path / "hosts")
    (staged / "hardware.nix").write_text(
        """
        { config, lib, pkgs, modulesPath, ... }:
        {
          imports = [ (modulesPath + "/installer/scan/not-detected.nix") ];
          boot.initrd.availableKernelModules = [ "xhci_pci" ];
          boot.kernelModules = [ "kvm-intel" ];
          boot.extraModulePackages = [ ];
          networking.useDHCP = lib.mkDefault true;
          nixpkgs.hostPlatform = lib.mkDefault "x86_64-linux";
          hardware.cpu.intel.updateMicrocode =
            lib.mkDefault config.hardware.enableRedistributableFirmware;
        }
        """
    )

    built = Path(build(shipped("pebble"), tmp_path))

    assert "kvm-intel" in (built / "etc/modules-load.d/nixos.conf").read_text()


def test_a_host_without_generated_modules_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotRendered) as caught:
        build(shipped("pebble"), tmp_path)

    assert caught.value.hint == "emily-infra render pebble"
