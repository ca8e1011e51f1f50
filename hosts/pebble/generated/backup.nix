# Generated from "hosts/pebble/host.yaml"; edit that file, then run: emily-infra render
# Snapshots, their copies elsewhere, the upkeep of those, and the drills that prove them.
{ config, pkgs, ... }:
let
  # What each run works on stands in /etc/emily/host.json.
  backup = "${pkgs.emily-infra}/bin/emily-infra backup ";
  tools = [
    config.boot.zfs.package
    pkgs.restic
    pkgs.util-linux
    pkgs.openssh
  ];
  # UTC, because restic records local time without its zone, and a repeated hour would mix two runs.
  environment = {
    RESTIC_CACHE_DIR = "/var/cache/emily/restic";
    TZ = "UTC";
  };

  # Every unit runs as root, because only root takes snapshots, mounts them and reads every file.
  # This is what is taken from that root; a unit gets back below what it cannot do without.
  # Snapshots are mounted in the unit's own mount namespace and vanish with it, even after a kill.
  hardening = {
    CapabilityBoundingSet = "";
    LockPersonality = true;
    MemoryDenyWriteExecute = true;
    NoNewPrivileges = true;
    PrivateMounts = true;
    PrivateTmp = true;
    ProtectClock = true;
    ProtectControlGroups = true;
    ProtectHome = true;
    ProtectHostname = true;
    ProtectKernelLogs = true;
    ProtectKernelModules = true;
    ProtectKernelTunables = true;
    ProtectProc = "default";
    ProtectSystem = "strict";
    RemoveIPC = true;
    RestrictAddressFamilies = [ "AF_UNIX" ];
    RestrictNamespaces = true;
    RestrictRealtime = true;
    RestrictSUIDSGID = true;
    SystemCallArchitectures = "native";
    SystemCallErrorNumber = "EPERM";
    SystemCallFilter = [ "@system-service @mount" ];
    UMask = "0077";
    PrivateDevices = true;
  };
  sealed = hardening // {
    Type = "oneshot";
    # 3 says that some files could not be read: what could be is stored, and a metric turns yellow.
    SuccessExitStatus = 3;
    CacheDirectory = "emily";
    CacheDirectoryMode = "0700";
    # Shared by all units, so the end of one may not remove it.
    RuntimeDirectory = "emily";
    RuntimeDirectoryPreserve = true;
    StateDirectory = [
      "emily"
      "emily/metrics"
    ];
  };

  # ZFS's own device, and nothing else that is real under /dev.
  zfs = {
    DeviceAllow = [ "/dev/zfs rw" ];
    DevicePolicy = "closed";
    PrivateDevices = false;
  };

  # Always the same delay on one host and another one on the next: a fleet does not call its server
  # in one second, and nights can be compared.
  timing = {
    AccuracySec = "1min";
    FixedRandomDelay = true;
    Persistent = true;
    RandomizedDelaySec = "10min";
  };

  reach = {
    RestrictAddressFamilies = [
      "AF_UNIX"
      "AF_INET"
      "AF_INET6"
      "AF_NETLINK"
    ];
  };
  # Gives way to everything else. ZFS has no regard for the I/O class, other file systems do.
  gentle = reach // {
    IOSchedulingClass = "idle";
    # The index of a repository is held in memory; beyond this, something is wrong.
    MemoryMax = "25%";
    Nice = 10;
  };
in
{
  environment.etc."emily/host.json".text = ''
    {
      "checks": {},
      "datasets": {
        "tank/home": {
          "exempt": null,
          "mountpoint": "/srv/home",
          "policy": "daily",
          "replicas": [],
          "repositories": [
            "shed"
          ]
        }
      },
      "drill": {
        "files": 100,
        "period": 604800,
        "size": 1073741824
      },
      "host": "pebble",
      "host_id": "5eb1e000",
      "paths": {
        "cache": "/var/cache/emily",
        "locks": "/run/emily/locks",
        "metrics": "/var/lib/emily/metrics",
        "source": "/run/emily/snapshot",
        "state": "/var/lib/emily"
      },
      "policies": {
        "daily": {
          "daily": 30,
          "frequent": 0,
          "hourly": 24,
          "monthly": 6,
          "weekly": 0,
          "yearly": 0
        }
      },
      "quiesce": {},
      "receives": {},
      "replicas": {},
      "repositories": {
        "shed": {
          "append_only": false,
          "datasets": [
            "tank/home"
          ],
          "environment": null,
          "exclude": [],
          "hours": null,
          "keep": {
            "daily": 7,
            "monthly": 12,
            "weekly": 4,
            "yearly": 3
          },
          "password": {
            "credential": "restic-password-shed",
            "file": "/run/secrets/restic"
          },
          "period": 86400,
          "upload_kib": null,
          "url": "rest:https://backup.example.org/pebble/",
          "verify": {
            "period": 86400,
            "subsets": 28,
            "whole_in": 2419200
          }
        }
      },
      "snapshot_name": "emily-%Y%m%dT%H%M%SZ",
      "uncopied": 0,
      "version": 2
    }
  '';
  # For whoever restores something by hand, at night.
  environment.systemPackages = [ pkgs.emily-infra ];

  # Does not wait for mounts: one dataset that fails to mount must not keep the others from it.
  systemd.services.emily-snapshot = {
    description = "Take snapshots and expire old ones";
    after = [ "zfs.target" ];
    onFailure = [ "emily-notify@%n.service" ];
    restartIfChanged = false;
    path = tools;
    inherit environment;
    serviceConfig =
      sealed
      // zfs
      // {
        ExecStart = backup + "snapshot";
        CapabilityBoundingSet = "CAP_SYS_ADMIN";
        MemoryMax = "1G";
        PrivateNetwork = true;
        # A pool that hangs must not hold the timer for ever.
        TimeoutStartSec = "15min";
      };
  };
  systemd.timers.emily-snapshot = {
    description = "When snapshots are taken";
    wantedBy = [ "timers.target" ];
    timerConfig = {
      AccuracySec = "1s";
      OnCalendar = "*-*-* *:00:00 UTC";
      Persistent = true;
    };
  };

  # Copies a snapshot, never the live files, and has a fresh one taken first. The snapshot is wanted
  # and not required: if it fails, the newest one there is still leaves the house.
  systemd.services."emily-offsite-shed" = {
    description = "Copy the newest snapshots off-site";
    after = [
      "zfs.target"
      "network-online.target"
      "emily-snapshot.service"
    ];
    wants = [
      "network-online.target"
      "emily-snapshot.service"
    ];
    onFailure = [ "emily-notify@%n.service" ];
    # A switch to another generation cuts no run short.
    restartIfChanged = false;
    path = tools;
    inherit environment;
    serviceConfig =
      sealed
      // gentle
      // zfs
      // {
        ExecStart = backup + "offsite shed";
        CapabilityBoundingSet = "CAP_DAC_READ_SEARCH CAP_SYS_ADMIN";
        # Snapshots are mounted in a mount namespace of the run, which is made by hand as well.
        RestrictNamespaces = "mnt";
        # A secret that is missing fails the unit; a condition on its file would skip it in silence.
        LoadCredential = [ "restic-password-shed:/run/secrets/restic" ];
        # No limit: over a slow line a run takes days.
        TimeoutStartSec = "infinity";
      };
  };
  systemd.timers."emily-offsite-shed" = {
    description = "Copy the newest snapshots off-site";
    wantedBy = [ "timers.target" ];
    timerConfig = timing // {
      OnCalendar = "*-*-* 02:00:00 UTC";
    };
  };

  # Apart from the copy, because it locks the repository for everyone. What is due at the same time,
  # as after a boot, runs one after the other; at other times the command waits for the lock.
  systemd.services."emily-prune-shed" = {
    description = "Remove forgotten data from the repository";
    after = [
      "network-online.target"
      "emily-offsite-shed.service"
    ];
    wants = [ "network-online.target" ];
    onFailure = [ "emily-notify@%n.service" ];
    # A switch to another generation cuts no run short.
    restartIfChanged = false;
    path = tools;
    inherit environment;
    serviceConfig =
      sealed
      // gentle
      // {
        ExecStart = backup + "prune shed";
        CapabilityBoundingSet = "";
        # A secret that is missing fails the unit; a condition on its file would skip it in silence.
        LoadCredential = [ "restic-password-shed:/run/secrets/restic" ];
        # No limit: over a slow line a run takes days.
        TimeoutStartSec = "infinity";
      };
  };
  systemd.timers."emily-prune-shed" = {
    description = "Remove forgotten data from the repository";
    wantedBy = [ "timers.target" ];
    timerConfig = timing // {
      OnCalendar = "Sun *-*-* 09:00:00 UTC";
    };
  };

  # Reads stored bytes back; a check that reads nothing passes over a flipped bit.
  systemd.services."emily-verify-shed" = {
    description = "Read back a share of the repository";
    after = [
      "network-online.target"
      "emily-offsite-shed.service"
      "emily-prune-shed.service"
    ];
    wants = [ "network-online.target" ];
    onFailure = [ "emily-notify@%n.service" ];
    # A switch to another generation cuts no run short.
    restartIfChanged = false;
    path = tools;
    inherit environment;
    serviceConfig =
      sealed
      // gentle
      // {
        ExecStart = backup + "verify shed";
        CapabilityBoundingSet = "";
        # A secret that is missing fails the unit; a condition on its file would skip it in silence.
        LoadCredential = [ "restic-password-shed:/run/secrets/restic" ];
        # No limit: over a slow line a run takes days.
        TimeoutStartSec = "infinity";
      };
  };
  systemd.timers."emily-verify-shed" = {
    description = "Read back a share of the repository";
    wantedBy = [ "timers.target" ];
    timerConfig = timing // {
      OnCalendar = "*-*-* 06:00:00 UTC";
    };
  };

  # Gives restored files their owners and modes, setgid folders included: that takes more of root's
  # rights than the other units have.
  systemd.services."emily-drill" = {
    description = "Restore real files and compare them";
    after = [
      "zfs.target"
      "network-online.target"
      "emily-offsite-shed.service"
      "emily-prune-shed.service"
      "emily-verify-shed.service"
    ];
    wants = [ "network-online.target" ];
    onFailure = [ "emily-notify@%n.service" ];
    # A switch to another generation cuts no run short.
    restartIfChanged = false;
    path = tools;
    inherit environment;
    serviceConfig =
      sealed
      // gentle
      // zfs
      // {
        ExecStart = backup + "drill";
        CapabilityBoundingSet = "CAP_CHOWN CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_FSETID CAP_SETFCAP CAP_SYS_ADMIN";
        # Snapshots are mounted in a mount namespace of the run, which is made by hand as well.
        RestrictNamespaces = "mnt";
        # A secret that is missing fails the unit; a condition on its file would skip it in silence.
        LoadCredential = [ "restic-password-shed:/run/secrets/restic" ];
        RestrictSUIDSGID = false;
        TimeoutStartSec = "1d";
      };
  };
  systemd.timers."emily-drill" = {
    description = "Restore real files and compare them";
    wantedBy = [ "timers.target" ];
    timerConfig = timing // {
      OnCalendar = "Mon *-*-* 00:00:00 UTC";
    };
  };

  # Has no OnFailure of its own: a messenger that fails would call itself for ever. What it cannot
  # deliver still stands in the journal, and the alerts on age do not depend on it.
  systemd.services."emily-notify@" = {
    description = "Report that %i failed";
    # <3> is the journal's mark for an error. The alert ends by itself after a day; what is wrong
    # with the data is told by other alerts, which stay.
    script = ''
      unit=$1
      echo "<3>$unit failed; read on with: journalctl --unit $unit --since -1h"
    '';
    scriptArgs = "%i";
    serviceConfig =
      hardening
      // { PrivateNetwork = true; }
      // {
        Type = "oneshot";
        DynamicUser = true;
        TimeoutStartSec = "1min";
      };
  };
}
