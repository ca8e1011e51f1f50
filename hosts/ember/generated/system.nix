# Generated from "hosts/ember/host.yaml"; edit that file, then run: emily-infra render
# Who this host is, who may log in, and how Nix works here.
{ pkgs, ... }:
{
  networking.hostName = "ember";
  # ZFS writes it into every pool it imports: never change it.
  networking.hostId = "8425e349";
  # The release of the first install, which settles the format of services' data: never raise it.
  system.stateVersion = "26.05";

  # For clocks that people read; timers run in UTC.
  time.timeZone = "America/Denver";
  i18n.defaultLocale = "en_US.UTF-8";
  i18n.extraLocales = [ "ko_KR.UTF-8/UTF-8" ];

  # Accounts are made from this file alone; passwd and useradd on the host would not last.
  users.mutableUsers = false;
  users.users."colter" = {
    isNormalUser = true;
    extraGroups = [ "wheel" ];
    openssh.authorizedKeys.keys = [ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIF2ARAOSrrf5NSIbTSM5/TfAy3hPkoEhjrT0w+Lbph1P colter@minnesota" ];
  };
  users.users."jihyun" = {
    isNormalUser = true;
    extraGroups = [ "wheel" ];
    openssh.authorizedKeys.keys = [ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIObWyT+R6W/KTJ4rAuyAXCFoiOhi646SwbNnjc+lXnEp jihyun@seoul" ];
  };
  # Deploys log in as root.
  users.users.root.openssh.authorizedKeys.keys = [
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIF2ARAOSrrf5NSIbTSM5/TfAy3hPkoEhjrT0w+Lbph1P colter@minnesota"
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIObWyT+R6W/KTJ4rAuyAXCFoiOhi646SwbNnjc+lXnEp jihyun@seoul"
  ];

  services.openssh = {
    enable = true;
    ports = [ 22 ];
    # It listens on every address: with a ListenAddress that is not up yet sshd would not start, and
    # everybody would be locked out. The firewall decides which zones reach it.
    openFirewall = false;
    # Only the keys in this file count; one in a home directory would stay when its owner has gone.
    authorizedKeysInHomedir = false;
    settings = {
      PasswordAuthentication = false;
      KbdInteractiveAuthentication = false;
      PermitRootLogin = "prohibit-password";
      AllowUsers = [
        "colter"
        "jihyun"
        "root"
      ];
    };
  };

  security.sudo = {
    wheelNeedsPassword = false;
    # A flaw in sudo is then no use to services and to users of shares.
    execWheelOnly = true;
  };

  nix.settings = {
    experimental-features = [
      "nix-command"
      "flakes"
    ];
    # Services and users of shares have no business with the Nix daemon.
    allowed-users = [ "@wheel" ];
    # Not /tmp: that is small and in RAM.
    build-dir = "/nix/var/nix/builds";
    # Old generations share what did not change.
    auto-optimise-store = true;
  };
  # The running generation stays, whatever its age.
  nix.gc = {
    automatic = true;
    dates = "Mon *-*-* 00:00:00 UTC";
    options = "--delete-older-than 30d";
  };

  # A fixed limit: on ZFS the size of a file system moves with the free space of its pool.
  services.journald.extraConfig = "SystemMaxUse=2G";

  # The host's own timers call emily-infra.
  environment.systemPackages = [ pkgs.emily-infra ];

  # What this system was made from: a plan reads it, to say which line of host.yaml a change is due
  # to. All users can; secrets are only names there.
  environment.etc."emily/source".source = ../.;
}
