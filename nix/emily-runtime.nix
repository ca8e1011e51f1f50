# The cognitive runtime, a package of its own: it imports nothing of emily_infra.
{
  lib,
  python3Packages,
}:
let
  inherit (lib) fileset;
in
python3Packages.buildPythonApplication {
  pname = "emily-runtime";
  version = builtins.head (
    builtins.match ".*__version__ = \"([^\"]+)\".*" (builtins.readFile ../emily_runtime/__init__.py)
  );
  pyproject = true;

  # Without the README, for the reason that emily-infra.nix gives.
  src = fileset.toSource {
    root = ../emily_runtime;
    fileset = fileset.difference ../emily_runtime (fileset.maybeMissing ../emily_runtime/README.md);
  };
  postPatch = ''
    sed -i '/^readme = /d' pyproject.toml
  '';

  build-system = [ python3Packages.setuptools ];
  dependencies = import ./runtime-dependencies.nix python3Packages;

  checkPhase = ''
    runHook preCheck
    $out/bin/emily-runtime --version
    runHook postCheck
  '';
  pythonImportsCheck = [ "emily_runtime.service.life" ];

  meta = {
    description = "The cognitive runtime of an emily host, served over HTTP";
    license = lib.licenses.mit;
    mainProgram = "emily-runtime";
    platforms = lib.platforms.linux;
  };
}
