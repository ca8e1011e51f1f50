# Generated from "hosts/pebble/host.yaml"; edit that file, then run: emily-infra render
# What is imported, mounted and swapped to, and how pools are looked after. Nothing here creates,
# changes or destroys a pool.
{ lib, pkgs, ... }:
{
  boot.supportedFilesystems.zfs = true;
  # The default kernel: a newer one may be ahead of ZFS, whose module then does not build.
  boot.kernelPackages = lib.mkDefault pkgs.linuxPackages;
  # Stable names; /dev/sdX moves at a reboot.
  boot.zfs.devNodes = "/dev/disk/by-id";
  # Never take a pool that another host may have imported. A root pool that is refused after a move
  # of the disks: start an installation medium, import it there with -f, export it, and boot again.
  boot.zfs.forceImportRoot = false;
  boot.zfs.forceImportAll = false;
  # Ceiling of the read cache in bytes; without one it grows to nearly all RAM.
  boot.kernelParams = [ "zfs.zfs_arc_max=6442450944" ];

  # nofail: what the boot can do without must not stop it. A missing pool or a dead boot disk leaves
  # a host that answers, with that one folder empty; units that need it wait by RequiresMountsFor.
  fileSystems."/srv/home" = {
    device = "tank/home";
    fsType = "zfs";
    options = [ "nofail" ];
  };

  # Reads every block, and mends from redundancy what does not match its checksum.
  services.zfs.autoScrub = {
    enable = true;
    interval = "*-*-01 00:00:00 UTC";
    pools = [ "tank" ];
  };
  # No pool asks for it: there is no SSD in one, or host.yaml turns it off.
  services.zfs.trim.enable = false;
  # Every event goes to the journal, but for the record of each command: a snapshot is one as well.
  # OpenZFS leaves it out by default, in a file that NixOS writes anew.
  services.zfs.zed.settings.ZED_SYSLOG_SUBCLASS_EXCLUDE = "history_event";

  # Not tmpfiles: nothing orders it after a nofail mount, so it would change the empty folder below.
  systemd.services."dataset-owner-tank-home" = {
    description = "Give /srv/home to colter";
    wantedBy = [ "multi-user.target" ];
    unitConfig = {
      RequiresMountsFor = "/srv/home";
      ConditionPathIsMountPoint = "/srv/home";
    };
    serviceConfig = {
      Type = "oneshot";
      RemainAfterExit = true;
      ExecStart = "${pkgs.coreutils}/bin/" + "install -d -o colter -g root -m 0700 /srv/home";
    };
  };
}
