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

  # Nobody stands beside this machine. When the kernel panics or hangs, it starts again by itself, in
  # the generation that last proved itself.
  boot.kernel.sysctl."kernel.panic" = 30;
  systemd.settings.Manager.RuntimeWatchdogSec = "60s";
}
