# Generated from "hosts/pebble/host.yaml"; edit that file, then run: emily-infra render
# Who this host is, who may log in, and how Nix works here.
{ pkgs, ... }:
{
  networking.hostName = "pebble";
  # ZFS writes it into every pool it imports: never change it.
  networking.hostId = "5eb1e000";
  # The release of the first install, which settles the format of services' data: never raise it.
  system.stateVersion = "26.05";

  # For clocks that people read; timers run in UTC.
  time.timeZone = "UTC";
  i18n.defaultLocale = "en_US.UTF-8";

  # Accounts are made from this file alone; passwd and useradd on the host would not last.
  users.mutableUsers = false;
  users.users."colter" = {
    isNormalUser = true;
    extraGroups = [ "wheel" ];
    openssh.authorizedKeys.keys = [ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOmeCnwwwBMiUg359LNFhHRRdhwjAxkiZ5x3XidOm7fC colter@home" ];
  };
  # Deploys log in as root.
  users.users.root.openssh.authorizedKeys.keys = [ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOmeCnwwwBMiUg359LNFhHRRdhwjAxkiZ5x3XidOm7fC colter@home" ];

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
