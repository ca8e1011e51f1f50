# The options that rendered modules set, as plain values: each module by itself, without nixpkgs, a
# package as its name and the host's folder as words. For showing, never for building.
{ modules, pkgs }:
let
  mark = type: content: { inherit content; } // { _type = type; };
  lib = {
    mkDefault = mark "override";
    mkForce = mark "override";
    mkOverride = _: mark "override";
    mkBefore = mark "order";
    mkAfter = mark "order";
    getExe = package: "${package}/bin/${package.name}";
    getExe' = package: name: "${package}/bin/${name}";
  };
  config = {
    boot.zfs.package = pkgs.zfs;
    services.postgresql.package = pkgs.postgresql;
    systemd.package = pkgs.systemd;
  };

  plain =
    value:
    if builtins.isAttrs value then
      if value ? _type then
        plain value.content
      else if value.type or "" == "derivation" then
        value.outPath
      else
        builtins.mapAttrs (_: plain) value
    else if builtins.isList value then
      map plain value
    else if builtins.isFunction value then
      "a function"
    else if builtins.isPath value then
      "the folder of this host"
    else
      value;

  options =
    module:
    let
      set = if builtins.isFunction module then module { inherit config lib pkgs; } else module;
    in
    plain (removeAttrs set [ "imports" ]);
in
map options modules
