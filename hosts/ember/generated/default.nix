# Generated from "hosts/ember/host.yaml"; edit that file, then run: emily-infra render
{
  imports = [
    ./backup.nix
    ./boot.nix
    ./deploy.nix
    ./monitoring.nix
    ./network.nix
    ./runtime.nix
    ./samba.nix
    ./storage.nix
    ./system.nix
    ./wireguard.nix
  ];
}
