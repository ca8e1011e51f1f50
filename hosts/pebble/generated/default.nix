# Generated from "hosts/pebble/host.yaml"; edit that file, then run: emily-infra render
{
  imports = [
    ./backup.nix
    ./boot.nix
    ./deploy.nix
    ./network.nix
    ./samba.nix
    ./storage.nix
    ./system.nix
  ];
}
