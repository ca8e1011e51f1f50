# The command line: host.yaml in, NixOS modules out.
#
# Neither hosts/ nor tests/ is part of the source, because every host runs this package: an edit of
# one host must not restart services on another. The tests are a check of the flake (checks.nix).
{
  lib,
  installShellFiles,
  python3Packages,
}:
let
  inherit (lib) fileset;
in
python3Packages.buildPythonApplication {
  pname = "emily-infra";
  version = builtins.head (
    builtins.match ".*__version__ = \"([^\"]+)\".*" (builtins.readFile ../emily_infra/__init__.py)
  );
  pyproject = true;

  src = fileset.toSource {
    root = ../.;
    fileset = fileset.unions [
      ../emily_infra
      ../modules
      ../pyproject.toml
    ];
  };

  # The README is on the page of the wheel only; here an edit of it would rebuild every host.
  postPatch = ''
    sed -i '/^readme = /d' pyproject.toml
  '';

  build-system = [ python3Packages.setuptools ];
  dependencies = import ./dependencies.nix python3Packages;
  nativeBuildInputs = [ installShellFiles ];

  postInstall = ''
    installShellCompletion --cmd emily-infra \
      --bash <(_EMILY_INFRA_COMPLETE=source_bash $out/bin/emily-infra) \
      --fish <(_EMILY_INFRA_COMPLETE=source_fish $out/bin/emily-infra) \
      --zsh <(_EMILY_INFRA_COMPLETE=source_zsh $out/bin/emily-infra)
  '';

  # It has to find its templates, and the hosts' program, where a wheel carries them.
  checkPhase = ''
    runHook preCheck
    $out/bin/emily-infra --version
    test -s $out/${python3Packages.python.sitePackages}/emily_infra/modules/default.nix.j2
    test -s $out/${python3Packages.python.sitePackages}/emily_infra/apply/host/record.sh
    runHook postCheck
  '';
  pythonImportsCheck = [ "emily_infra.cli" ];

  meta = {
    description = "Describe a NixOS storage-and-AI box in one YAML file";
    license = lib.licenses.mit;
    mainProgram = "emily-infra";
    platforms = lib.platforms.linux;
  };
}
