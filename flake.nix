{
  description = "Storage-and-AI boxes, each described in one YAML file";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable-small";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;

      eachSystem =
        make:
        lib.genAttrs [ "aarch64-linux" "x86_64-linux" ] (
          system: make (nixpkgs.legacyPackages.${system}.extend self.overlays.default)
        );

      # Every folder of hosts/ is a host: what was rendered from its host.yaml, and what a person
      # wrote about its hardware, which also names the platform.
      folders = lib.filterAttrs (_: kind: kind == "directory") (builtins.readDir ./hosts);

      # No revision of this repository goes into a host: the same description is the same store
      # path, so that a commit which changes nothing on a machine shows as no change.
      host =
        name:
        lib.nixosSystem {
          modules = [
            (./hosts + "/${name}/generated")
            (./hosts + "/${name}/hardware.nix")
            { nixpkgs.overlays = [ self.overlays.default ]; }
          ];
        };
    in
    {
      overlays.default = import ./nix/overlay.nix;

      packages = eachSystem (pkgs: {
        inherit (pkgs) emily-infra emily-runtime;
        default = pkgs.emily-infra;
      });

      nixosConfigurations = lib.mapAttrs (name: _: host name) folders;

      devShells = eachSystem (pkgs: {
        default = import ./nix/shell.nix pkgs;
      });

      checks = eachSystem (
        pkgs:
        import ./nix/checks.nix {
          inherit pkgs;
          source = self;
          hosts = self.nixosConfigurations;
        }
      );

      # nixfmt for every file of the tree but the rendered ones, whose bytes `render --check` holds
      # against host.yaml; bare nixfmt would wait for standard input.
      formatter = eachSystem (
        pkgs: pkgs.nixfmt-tree.override { settings.excludes = [ "hosts/*/generated/*" ]; }
      );
    };
}
