# This repository's packages, and the Python package that nixpkgs lacks.
final: prev: {
  emily-infra = final.callPackage ./emily-infra.nix { };
  emily-runtime = final.callPackage ./emily-runtime.nix { };

  pythonPackagesExtensions = prev.pythonPackagesExtensions ++ [
    (python: _: {
      resticpy = python.callPackage ./resticpy.nix { };
    })
  ];
}
