"""The stories of why a host is not installed."""

from emily_infra.findings import Explanation, Severity


def _story(code: str, title: str, story: str, wrong: str, right: str) -> Explanation:
    return Explanation(code, Severity.ERROR, title, story, wrong, right)


EXPLANATIONS = (
    _story(
        "INS001", "host.yaml does not say what the system is to lie on",
        "install makes what host.yaml describes: it needs a dataset with `mountpoint: /` and a "
        "partition with `use: esp`, and every file system that the built system cannot boot "
        "without has to be among those of host.yaml. A system on a disk that host.yaml leaves to "
        "hardware.nix is installed by hand; then storage create makes the pools.",
        "hardware.nix: fileSystems.\"/\".device = \"/dev/disk/by-label/nixos\";",
        "pools: { rpool: { data: [...], datasets: { root: { mountpoint: / } } } }",
    ),
    _story(
        "INS002", "The machine at this address is no installer, or is occupied",
        "A NixOS that runs from a disk is somebody's system, perhaps this very host. So is a pool "
        "of host.yaml's names that is imported anywhere but below /mnt, one that another system "
        "has used last and not exported, and whatever is mounted below /mnt and not ours. Any "
        "other imported pool is in the way as well, for it would be marked with the hostid that "
        "the machine takes on. Nothing is unmounted, exported or taken over by force.",
        "emily-infra install ember --target 10.10.0.2    # where ember itself answers",
        "boot the NixOS installer there; emily-infra install ember --target 10.10.0.77",
    ),
    _story(
        "INS003", "The machine lacks what an installation takes",
        "All that is missing is listed at once: programs, the module of ZFS, and UEFI. A medium "
        "that was started the old way, by the BIOS, cannot write the firmware's boot entry, and "
        "most firmware would then not look at the boot partition.",
        "emily-infra install ember --target 10.10.0.77    # a rescue system without ZFS",
        "the NixOS installer, started as UEFI",
    ),
    _story(
        "INS004", "The installer's ZFS is newer than the host's",
        "A new pool has every feature that the ZFS knows which creates it. The host's older one "
        "might open it read-only, or not at all, and no feature can be taken away again.",
        "an installer with OpenZFS 2.4 for a host of a release that has 2.3",
        "the installer of the NixOS release that flake.lock pins",
    ),
    _story(
        "INS005", "A built system is not that of this host.yaml",
        "--system takes a system that was built elsewhere. It carries the host.yaml that it was "
        "made from, and that has to be the one here, byte for byte.",
        "emily-infra install ember --target 10.10.0.77 --system /nix/store/...-pebble",
        "nix build .#nixosConfigurations.ember.config.system.build.toplevel",
    ),
    _story(
        "INS006", "The next boot would not find its system",
        "Before anything is unmounted, what the next boot will read is read: the profile, the "
        "default entry of every boot partition with its kernel and initrd byte for byte, the "
        "loader where firmware looks for it, every file system by its device, every store path by "
        "its hash. The message lists all that is wrong. Nothing was let go: it can be mended below "
        "/mnt, and the same command goes on.",
        "a boot partition that is too small for two generations",
        "make room or mend what is listed; then the same command again",
    ),
    _story(
        "INS007", "Something was not let go",
        "A pool that is not exported looks used to every other system. This one carries the host's "
        "own hostid, so that the host opens it all the same; but what still uses it may still "
        "write. Usually a shell has its folder below /mnt.",
        "cd /mnt    # in another session on the machine", "fuser -vm /mnt; cd /",
    ),
)  # fmt: skip
