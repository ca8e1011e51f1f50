# Generated from "hosts/ember/host.yaml"; edit that file, then run: emily-infra render
# What is imported, mounted and swapped to, and how pools are looked after. Nothing here creates,
# changes or destroys a pool.
{
  config,
  lib,
  pkgs,
  ...
}:
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
  boot.kernelParams = [ "zfs.zfs_arc_max=42949672960" ];

  # nofail: what the boot can do without must not stop it. A missing pool or a dead boot disk leaves
  # a host that answers, with that one folder empty; units that need it wait by RequiresMountsFor.
  fileSystems."/" = {
    device = "rpool/root";
    fsType = "zfs";
  };
  fileSystems."/boot" = {
    device = "/dev/disk/by-id/nvme-A-part1";
    fsType = "vfat";
    options = [
      "umask=0077"
      "nofail"
    ];
  };
  fileSystems."/nix" = {
    device = "rpool/nix";
    fsType = "zfs";
  };
  fileSystems."/srv/code" = {
    device = "ember/code";
    fsType = "zfs";
    options = [ "nofail" ];
  };
  fileSystems."/srv/media" = {
    device = "ember/media";
    fsType = "zfs";
    options = [ "nofail" ];
  };
  fileSystems."/srv/models" = {
    device = "ember/models";
    fsType = "zfs";
    options = [ "nofail" ];
  };
  fileSystems."/srv/nix-cache" = {
    device = "ember/nix";
    fsType = "zfs";
    options = [ "nofail" ];
  };
  fileSystems."/var/lib" = {
    device = "rpool/state";
    fsType = "zfs";
  };

  # Partitions, never a zvol: ZFS needs memory to write, and would wait for itself.
  swapDevices = [
    {
      device = "/dev/disk/by-id/nvme-A-part2";
      options = [
        "defaults"
        "nofail"
      ];
    }
    {
      device = "/dev/disk/by-id/nvme-B-part2";
      options = [
        "defaults"
        "nofail"
      ];
    }
  ];

  # Reads every block, and mends from redundancy what does not match its checksum.
  services.zfs.autoScrub = {
    enable = true;
    interval = "*-*-01 00:00:00 UTC";
    pools = [
      "ember"
      "rpool"
    ];
  };
  services.zfs.trim = {
    enable = true;
    interval = "Mon *-*-* 00:00:00 UTC";
  };
  # Every event goes to the journal, but for the record of each command: a snapshot is one as well.
  # OpenZFS leaves it out by default, in a file that NixOS writes anew.
  services.zfs.zed.settings.ZED_SYSLOG_SUBCLASS_EXCLUDE = "history_event";

  # Somebody may have set something by hand, and a pool may come from another machine. Only what
  # differs is set, each in the journal. It holds up what needs a dataset, but not the boot: nothing
  # requires it, it ends well whatever zfs says, and a pool that hangs costs it a minute, and the
  # other pools nothing: no signal ends zfs there, so each has a job of its own. Where a dataset is
  # mounted by fileSystems its mountpoint is left alone.
  systemd.services.emily-dataset-properties = {
    description = "Set the properties of datasets that are not as host.yaml says";
    wantedBy = [ "multi-user.target" ];
    after = [ "zfs-import.target" ];
    before = [
      "basic.target"
      "shutdown.target"
      "zfs-mount.service"
    ];
    conflicts = [ "shutdown.target" ];
    unitConfig.DefaultDependencies = false;
    serviceConfig = {
      Type = "oneshot";
      RemainAfterExit = true;
      TimeoutStartSec = "60s";
      TimeoutStopSec = "5s";
    };
    path = [
      config.boot.zfs.package
      pkgs.coreutils
    ];
    script = ''
      declare -A found
      look() {
        found=()
        # A pool that does not write any more would hold zfs, and no signal ends that.
        case $(cat "/proc/spl/kstat/zfs/$1/state" 2>/dev/null) in
          ONLINE | DEGRADED) ;;
          *) echo "pool $1 is not there, or takes no writes"; return ;;
        esac
        while IFS=$'\t' read -r name property value; do
          [ "$value" != zstd-fast-1 ] || value=zstd-fast # two words for one thing
          found["$name $property"]=$value
        done < <(timeout 20 zfs get -Hp -r -t filesystem -o name,property,value \
          compression,mountpoint,quota,recordsize,reservation,special_small_blocks "$1")
      }
      settle() {
        dataset=$1
        shift
        for wanted; do
          is=''${found["$dataset ''${wanted%%=*}"]-}
          # Where there is no such dataset, apply makes it.
          if [ -z "$is" ] || [ "''${wanted#*=}" = "$is" ]; then
            continue
          elif timeout 20 zfs set "$wanted" "$dataset"; then
            echo "$dataset: set $wanted as host.yaml says; it was $is"
          else
            echo "<3>$dataset: cannot set $wanted, it stays $is; emily-infra plan tells why"
          fi
        done
      }
    ''
    + ''
      (
        look ember
        settle ember/code compression=zstd quota=0 recordsize=16384 reservation=0 special_small_blocks=8192
        settle ember/media compression=zstd quota=0 recordsize=1048576 reservation=0 special_small_blocks=32768
        settle ember/models compression=zstd quota=0 recordsize=1048576 reservation=0 special_small_blocks=32768
        settle ember/nix compression=zstd quota=0 recordsize=16384 reservation=0 special_small_blocks=0
      ) &
      (
        look rpool
        settle rpool/nix compression=zstd quota=0 recordsize=131072 reservation=0
        settle rpool/root compression=zstd quota=0 recordsize=131072 reservation=0
        settle rpool/state compression=zstd quota=0 recordsize=16384 reservation=0
      ) &
      wait
    '';
  };

  # Not tmpfiles: nothing orders it after a nofail mount, so it would change the empty folder below.
  systemd.services."dataset-owner-ember-code" = {
    description = "Give /srv/code to colter";
    wantedBy = [ "multi-user.target" ];
    unitConfig = {
      RequiresMountsFor = "/srv/code";
      ConditionPathIsMountPoint = "/srv/code";
    };
    serviceConfig = {
      Type = "oneshot";
      RemainAfterExit = true;
      ExecStart = "${pkgs.coreutils}/bin/" + "install -d -o colter -g users -m 2770 /srv/code";
    };
  };
  systemd.services."dataset-owner-ember-media" = {
    description = "Give /srv/media to colter";
    wantedBy = [ "multi-user.target" ];
    unitConfig = {
      RequiresMountsFor = "/srv/media";
      ConditionPathIsMountPoint = "/srv/media";
    };
    serviceConfig = {
      Type = "oneshot";
      RemainAfterExit = true;
      ExecStart = "${pkgs.coreutils}/bin/" + "install -d -o colter -g users -m 2770 /srv/media";
    };
  };
  systemd.services."dataset-owner-ember-models" = {
    description = "Give /srv/models to colter";
    wantedBy = [ "multi-user.target" ];
    unitConfig = {
      RequiresMountsFor = "/srv/models";
      ConditionPathIsMountPoint = "/srv/models";
    };
    serviceConfig = {
      Type = "oneshot";
      RemainAfterExit = true;
      ExecStart = "${pkgs.coreutils}/bin/" + "install -d -o colter -g users -m 2770 /srv/models";
    };
  };
}
