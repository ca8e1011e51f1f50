# What the modules of one host set, as JSON: every module apart, with the marks of mkDefault, mkForce,
# mkIf, mkMerge and mkOrder kept, for Python to merge. It has no nixpkgs, so `lib` is what our modules
# use and what a hardware.nix usually does.
{
  folder,
  names,
  sources,
}:
let
  packages = import ./packages.nix { inherit names sources; };
  # `pkgs.python3Packages.x` is a set in a set.
  pkgs = builtins.foldl' (
    found: name:
    let
      path = builtins.filter builtins.isString (builtins.split "[.]" name);
      set = builtins.head path;
    in
    found
    // {
      ${set} =
        if builtins.length path == 1 then
          packages.${name}
        else
          (found.${set} or { }) // { ${builtins.elemAt path 1} = packages.${name}; };
    }
  ) { } names;

  mark = type: content: content // { _type = type; };
  override = priority: content: mark "override" { inherit priority content; };
  order = priority: content: mark "order" { inherit priority content; };

  lib = {
    mkDefault = override 1000;
    mkForce = override 50;
    mkOverride = override;
    mkIf = condition: content: if condition then content else mark "nothing" { };
    mkMerge = contents: mark "merge" { inherit contents; };
    mkBefore = order 500;
    mkAfter = order 1500;
    mkOrder = order;
    optional = condition: value: if condition then [ value ] else [ ];
    optionals = condition: values: if condition then values else [ ];
    optionalAttrs = condition: values: if condition then values else { };
    optionalString = condition: text: if condition then text else "";
    concatStringsSep = builtins.concatStringsSep;
    concatMapStringsSep =
      between: function: values:
      builtins.concatStringsSep between (map function values);
    genAttrs =
      keys: function:
      builtins.listToAttrs (
        map (name: {
          inherit name;
          value = function name;
        }) keys
      );
    mapAttrs = builtins.mapAttrs;
    getExe = package: "${package}/bin/${builtins.head (builtins.split "-debian" package.name)}";
    getExe' = package: name: "${package}/bin/${name}";
  };

  config = {
    boot.zfs.package = pkgs.zfs;
    services.postgresql.package = pkgs.postgresql;
    systemd.package = pkgs.systemd;
    # `nixos-generate-config` reads it to decide about microcode, which the lab has no use for.
    hardware.enableRedistributableFirmware = false;
    networking.useDHCP = false;
  };

  modulesPath = "/nixpkgs/nixos/modules";
  arguments = {
    inherit
      config
      lib
      pkgs
      modulesPath
      ;
    options = { };
    inputs = { };
  };

  # What a module brings along: files beside it are read, modules of nixpkgs are only named.
  files =
    path:
    let
      module = import path;
      value = if builtins.isFunction module then module arguments else module;
      imports = value.imports or [ ];
      near = builtins.filter builtins.isPath imports;
      body = value.config or (removeAttrs value [ "imports" ]);
    in
    [
      {
        file = toString path;
        inherit body;
        far = builtins.filter builtins.isString imports;
      }
    ]
    ++ builtins.concatMap files near;
in
{
  modules =
    files (folder + "/generated/default.nix")
    ++ lib.optionals (builtins.pathExists (folder + "/hardware.nix")) (files (folder + "/hardware.nix"));
  packages = builtins.mapAttrs (_: path: "${path}") packages;
}
