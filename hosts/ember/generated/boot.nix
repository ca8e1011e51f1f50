# Generated from "hosts/ember/host.yaml"; edit that file, then run: emily-infra render
# How this host starts, what swaps to compressed memory, and what happens when it hangs.
{ lib, pkgs, ... }:
let
  spareEsps = [ "nvme-B-part1" ];
in
{
  boot.loader.systemd-boot = {
    enable = lib.mkDefault true;
    # Every kernel and initrd of these is on the ESP; a full ESP stops a switch half way.
    configurationLimit = 8;
    # With an editor, who stands at the console adds init=/bin/sh and is root.
    editor = false;
    # systemd-boot keeps one ESP. The others get a copy, so that the machine also starts without the
    # first disk: firmware finds EFI/BOOT on any of them. A disk that is gone must not stop a switch;
    # a copy that fails is therefore only said aloud.
    extraInstallCommands = ''
      copy_boot_to() (
        esp=$(${pkgs.coreutils}/bin/mktemp -d /run/esp.XXXXXX) || exit
        trap '${pkgs.util-linux}/bin/umount -q "$esp"; ${pkgs.coreutils}/bin/rmdir "$esp"' EXIT
        # New files before old ones go; each ESP keeps a random seed of its own; FAT counts in 2 s.
        ${pkgs.util-linux}/bin/mount -t vfat -o umask=0077 "$1" "$esp" &&
          ${pkgs.rsync}/bin/rsync --recursive --times --modify-window=2 --delete-after \
            --exclude=/loader/random-seed /boot/ "$esp/" &&
          ${pkgs.coreutils}/bin/sync --file-system "$esp"
      )
      for device in ${toString spareEsps}; do
        copy_boot_to "/dev/disk/by-id/$device" || {
          echo "warning: the ESP on $device is not up to date; this host may not start from it." >&2
          echo "Look at the disk, then run: /run/current-system/bin/switch-to-configuration boot" >&2
        }
      done
    '';
  };
  boot.loader.efi.canTouchEfiVariables = lib.mkDefault true;

  boot.tmp.useTmpfs = true;
  boot.tmp.tmpfsSize = "2G";

  # Nobody stands beside this machine: when the kernel panics or hangs, or the initrd finds no root,
  # it starts again by itself. A deploy makes a system that it has to boot the default only after it
  # was confirmed, so what starts then is the one before it.
  # Pages are compressed in RAM, and go to the swap partition only when their fifth of it is full. As
  # kernel parameters, because not every supported NixOS has boot.zswap.
  boot.kernelParams = [
    "panic=30"
    "boot.panic_on_fail"
    "zswap.enabled=1"
    "zswap.compressor=zstd"
    "zswap.max_pool_percent=20"
    "zswap.shrinker_enabled=1"
  ];
  systemd.settings.Manager.RuntimeWatchdogSec = "60s";
  # Root has no password, so an emergency shell would let nobody in, and SSH is not up yet where it
  # starts. Without one the boot goes on after a mount that failed, and SSH answers.
  systemd.enableEmergencyMode = false;
}
