# Applies every module of a generated/ folder to stand-ins for nixpkgs, so that Nix alone can
# evaluate it. A name that is not listed here is an error, which catches misspelt packages.
{ folder }:
let
  names = [
    "amtool"
    "bash"
    "coreutils"
    "cifs-utils"
    "curl"
    "emily-infra"
    "emily-runtime"
    "gawk"
    "htop"
    "iproute2"
    "linuxPackages"
    "nftables"
    "openssh"
    "prometheus-alertmanager"
    "rclone"
    "restic"
    "rsync"
    "samba"
    "smartmontools"
    "systemd"
    "tmux"
    "util-linux"
    "zfs"
  ];
  package = name: {
    inherit name;
    type = "derivation";
    outPath = "/nix/store/00000000000000000000000000000000-${name}";
  };
  pkgs = builtins.listToAttrs (
    map (name: {
      inherit name;
      value = package name;
    }) names
  );
  override = priority: content: {
    _type = "override";
    inherit priority content;
  };
  lib = {
    mkDefault = override 1000;
    mkForce = override 50;
    getExe = drv: "${drv}/bin/${drv.name}";
    getExe' = drv: name: "${drv}/bin/${name}";
  };
  config = {
    boot.zfs.package = package "zfs";
    services.postgresql.package = package "postgresql";
    systemd.package = package "systemd";
  };
  files = builtins.filter (name: name != "default.nix") (
    builtins.attrNames (builtins.readDir folder)
  );
  # As text: Nix would copy the folder behind a path to write it as JSON.
  plain =
    value:
    if builtins.isPath value then
      toString value
    else if builtins.isList value then
      map plain value
    else if builtins.isAttrs value && value.type or "" != "derivation" then
      builtins.mapAttrs (_: plain) value
    else
      value;
  apply =
    name:
    let
      module = import (folder + "/${name}");
    in
    {
      inherit name;
      value = plain (if builtins.isFunction module then module { inherit config lib pkgs; } else module);
    };
in
assert (import (folder + "/default.nix")) ? imports;
builtins.listToAttrs (map apply files)
