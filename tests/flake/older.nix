# A rendered module as an older nixpkgs takes it: the few options whose type has changed since are
# put back into the older type, with the same meaning.
{ lib }:
let
  word = value: if !lib.isBool value then value else if value then "yes" else "no";

  retyped = [
    {
      option = "boot.supportedFilesystems";
      older = wanted: lib.filter (name: wanted.${name}) (lib.attrNames wanted);
    }
    {
      option = "services.grafana.provision";
      # Files that Grafana alone reads; they were lists of options, and are free data now.
      older = _: {
        datasources = [ ];
        dashboards = [ ];
      };
    }
    {
      option = "systemd.network.networks";
      # Some settings took words only.
      older = lib.mapAttrs (
        _: network:
        network // { networkConfig = lib.mapAttrs (_: word) (network.networkConfig or { }); }
      );
    }
  ];

  adapt =
    module: change:
    let
      path = lib.splitString "." change.option;
    in
    if lib.hasAttrByPath path module then
      lib.recursiveUpdate module (
        lib.setAttrByPath path (change.older (lib.getAttrFromPath path module))
      )
    else
      module;
in
file:
{
  config,
  lib,
  pkgs,
  ...
}@arguments:
let
  module = import file;
in
{
  _file = toString file;
  config = lib.foldl' adapt (if lib.isFunction module then module arguments else module) retyped;
}
