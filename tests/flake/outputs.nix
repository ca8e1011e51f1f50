# What flake.nix puts out over the stand-in for nixpkgs, as plain data.
{ root }:
let
  inherit (builtins) attrNames filter mapAttrs;

  nixpkgs = import ./nixpkgs.nix;
  flake = import (root + "/flake.nix");
  self = flake.outputs { inherit self nixpkgs; } // {
    outPath = toString root;
  };
  pkgs = nixpkgs.legacyPackages.x86_64-linux.extend self.overlays.default;

  names = map (package: package.name);
  package = built: {
    inherit (built) pname version meta;
    source = built.src;
    dependencies = names (built.dependencies or [ ]);
  };
  part =
    module:
    if builtins.isAttrs module then
      { overlays = map builtins.typeOf module.nixpkgs.overlays; }
    else
      toString module;
in
{
  inputs = mapAttrs (_: input: input.url) flake.inputs;
  outputs = filter (name: name != "outPath") (attrNames self);
  packages = mapAttrs (_: mapAttrs (_: package)) self.packages;
  hosts = mapAttrs (_: host: map part host.modules) self.nixosConfigurations;
  checks = mapAttrs (_: mapAttrs (_: check: check.script or check.text)) self.checks;
  python = names (import (root + "/nix/python.nix") pkgs).contents;
  shells = mapAttrs (_: mapAttrs (_: shell: names shell.packages)) self.devShells;
  formatter = mapAttrs (_: formatter: formatter.excludes) self.formatter;
}
