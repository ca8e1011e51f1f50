# Generated from "hosts/pebble/host.yaml"; edit that file, then run: emily-infra render
# How this host starts, what swaps to compressed memory, and what happens when it hangs.
{ lib, ... }:
{
  boot.loader.systemd-boot = {
    enable = lib.mkDefault true;
    # Every kernel and initrd of these is on the ESP; a full ESP stops a switch half way.
    configurationLimit = 10;
    # With an editor, who stands at the console adds init=/bin/sh and is root.
    editor = false;
  };
  boot.loader.efi.canTouchEfiVariables = lib.mkDefault true;

  boot.tmp.useTmpfs = true;
  boot.tmp.tmpfsSize = "2G";

  # A compressed swap in RAM. The share is counted before compression.
  zramSwap = {
    enable = true;
    algorithm = "zstd";
    memoryPercent = 25;
  };

  # Nobody stands beside this machine: when the kernel panics or hangs, or the initrd finds no root,
  # it starts again by itself. A deploy makes a system that it has to boot the default only after it
  # was confirmed, so what starts then is the one before it.
  boot.kernelParams = [
    "panic=30"
    "boot.panic_on_fail"
  ];
  systemd.settings.Manager.RuntimeWatchdogSec = "60s";
  # Root has no password, so an emergency shell would let nobody in, and SSH is not up yet where it
  # starts. Without one the boot goes on after a mount that failed, and SSH answers.
  systemd.enableEmergencyMode = false;
}
