# Generated from "hosts/pebble/host.yaml"; edit that file, then run: emily-infra render
# deploy: how this host puts itself back when a deploy was cut short, and where it remembers them.
{ ... }:
{
  # Each deploy leaves a folder: its settings, its program and what happened, for root alone. The
  # last verdict is a metric, which the exporter reads as nobody in particular.
  systemd.tmpfiles.settings.emily = {
    "/var/lib/emily".d = {
      mode = "0755";
      user = "root";
      group = "root";
    };
    "/var/lib/emily/deploys".d = {
      mode = "0700";
      user = "root";
      group = "root";
    };
    "/var/lib/emily/metrics".d = {
      mode = "0755";
      user = "root";
      group = "root";
    };
  };

  # A power cut or a reboot before the verdict: boot into the old system is certain, because the boot
  # loader is touched last, and this unit clears up behind it. Where the new system had to be booted
  # to be tried, it is booted once and not the default: this unit counts down in it and goes back
  # unless somebody says that all is well, and in the old one it clears up after one that never came.
  systemd.services."emily-boot-guard" = {
    description = "Settle the deploy that a reboot or a power cut left open";
    wantedBy = [ "multi-user.target" ];
    # Without the boot partition it cannot tell what boots next; where that never comes, it goes on.
    wants = [ "boot.mount" ];
    after = [ "boot.mount" ];
    # It waits for no network and no sshd: that they never come up is what it is for.
    unitConfig = {
      ConditionPathExists = "/var/lib/emily/deploys/pending";
      RequiresMountsFor = "/var/lib/emily";
      # It switches systems itself: that switch must not stop it half way.
      X-StopOnRemoval = false;
    };
    restartIfChanged = false;
    # Not hardened: it changes profiles, writes the boot loader and activates whole systems. Its
    # program lies beside the record, outside of both systems, and was put there by root.
    serviceConfig = {
      # Not oneshot: it may count for minutes, and the boot must not wait for it.
      Type = "exec";
      # A switch starts multi-user.target again, and this unit with it, in the middle of a deploy:
      # one that was begun in this very boot is its own supervisor's business.
      ExecCondition = "/bin/sh -c '! grep -qF \"$$(cat /proc/sys/kernel/random/boot_id)\" /var/lib/emily/deploys/pending/settings'";
      ExecStart = "/bin/sh /var/lib/emily/deploys/pending/host.sh guard";
      # Once killed, as by a lack of memory, it begins again and finds in the record how far it came.
      Restart = "on-abnormal";
      RestartSec = "5s";
      OOMScoreAdjust = -900;
      TimeoutStopSec = "5min";
    };
  };
}
