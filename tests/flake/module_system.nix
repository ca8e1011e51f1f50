# A host through the real NixOS module system of an older nixpkgs: its assertions and warnings, the
# values of options that only newer trees have, which unit waits for which, and the derivation of
# the whole system.
{
  nixpkgs,
  # The folder with the rendered modules, and the file about the hardware.
  generated,
  hardware,
  # Option data for newer.nix.
  data,
}:
let
  lib = (import (nixpkgs + "/lib")).extend (
    _: old: {
      getExe = package: "${package}/bin/${(builtins.parseDrvName package.name).name}";
      getExe' = package: name: "${package}/bin/${name}";
      mkOptionType =
        type:
        old.mkOptionType (if type.name == "systemd option" then type // unitSetting else type);
    }
  );
  inherit (lib) mkOption types;

  # A setting of a unit may be a list in one module and a single value in another.
  unitSetting.merge =
    path: definitions:
    if lib.any (definition: lib.isList definition.value) definitions then
      lib.concatMap (definition: lib.toList definition.value) definitions
    else
      lib.mergeEqualOption path definitions;

  evaluate =
    modules:
    import (nixpkgs + "/nixos/lib/eval-config.nix") {
      inherit lib modules;
      system = "x86_64-linux";
    };
  inherit (evaluate [ ]) options;
  newer = import ./newer.nix { inherit lib options data; };
  older = import ./older.nix { inherit lib; };

  files = lib.filter (name: name != "default.nix") (lib.attrNames (builtins.readDir generated));
  system = evaluate (map (name: older (generated + "/${name}")) files ++ [ hardware here ]);
  here = {
    options = lib.recursiveUpdate newer {
      # Set by hardware.nix, and read by what is rendered.
      nixpkgs.hostPlatform = mkOption { type = types.str; };
      boot.zfs.package = mkOption { default = system.pkgs.zfs; };
    };
    config = {
      nixpkgs.overlays = [ packages ];
      # The defaults of today.
      boot.zfs.forceImportAll = lib.mkOverride 1400 false;
      networking.nftables.ruleset = lib.mkOverride 1400 "";
      # The manual would read every declaration; it says nothing about the host.
      documentation.nixos.enable = lib.mkForce false;
    };
  };
  # Packages that are ours, or got their name later.
  packages = final: prev: {
    emily-infra = final.writeScriptBin "emily-infra" "";
    emily-runtime = final.writeScriptBin "emily-runtime" "";
    util-linux = prev.utillinux;
  };

  paths =
    prefix: set:
    lib.concatLists (
      lib.mapAttrsToList (
        name: value:
        let
          path = prefix ++ [ name ];
        in
        if lib.isOption value then [ path ] else paths path value
      ) set
    );
  # Nothing of the older tree reads these, so their values have to be asked for.
  unread = lib.filter (path: !lib.hasAttrByPath path options) (paths [ ] newer);
  value = path: lib.nameValuePair (lib.showOption path) (lib.getAttrFromPath path system.config);

  broken = lib.filter (each: !each.assertion) system.config.assertions;
in
{
  assertions = map (each: each.message) broken;
  inherit (system.config) warnings;
  newer = lib.listToAttrs (map value unread);
  units = lib.attrNames system.config.systemd.units;
  waits = lib.mapAttrs (
    _: service:
    service.after ++ service.requires ++ service.wants ++ service.bindsTo ++ service.requisite
  ) system.config.systemd.services;
  toplevel = if broken == [ ] then system.config.system.build.toplevel.drvPath else null;
}
