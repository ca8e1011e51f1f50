# This repository's packages.
final: _: {
  emily-infra = final.callPackage ./emily-infra.nix { };
  emily-runtime = final.callPackage ./emily-runtime.nix { };
}
