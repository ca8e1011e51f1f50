# A stand-in for the flake nixpkgs, with no more than flake.nix uses of it: a name that is not
# listed here is an error, which catches misspelt packages.
let
  inherit (builtins)
    attrNames
    filter
    functionArgs
    intersectAttrs
    isList
    listToAttrs
    mapAttrs
    ;

  derivation = name: {
    inherit name;
    type = "derivation";
    outPath = "/nix/store/00000000000000000000000000000000-${name}";
  };
  genAttrs =
    names: make:
    listToAttrs (
      map (name: {
        inherit name;
        value = make name;
      }) names
    );

  lib = {
    inherit genAttrs mapAttrs;
    filterAttrs =
      keep: set:
      genAttrs (filter (name: keep name set.${name}) (attrNames set)) (name: set.${name});
    mapAttrs' = make: set: listToAttrs (map (name: make name set.${name}) (attrNames set));
    nameValuePair = name: value: { inherit name value; };
    fileset.difference = from: _: from;
    fileset.maybeMissing = path: path;
    fileset.unions = paths: paths;
    fileset.toSource =
      { root, fileset }: map toString (if isList fileset then fileset else [ fileset ]);
    licenses.mit = "MIT";
    platforms.linux = [ ];
    nixosSystem =
      { modules }:
      {
        inherit modules;
        config.system.build.toplevel.drvPath = "/nix/store/host.drv";
      };
  };

  callPackage =
    scope: file: given:
    let
      make = import file;
    in
    make (intersectAttrs (functionArgs make) scope // given);

  python =
    final:
    let
      build = recipe: derivation recipe.pname // recipe;
      own = genAttrs [
        "cryptography"
        "httptools"
        "httpx2"
        "hypothesis"
        "jinja2"
        "jsonschema"
        "mkdocs"
        "mkdocs-material"
        "msgspec"
        "mypy"
        "numpy"
        "paramiko"
        "prometheus-client"
        "psycopg"
        "pydantic"
        "pymdown-extensions"
        "pytest"
        "pytest-xdist"
        "pytestCheckHook"
        "pyyaml"
        "rich"
        "schemathesis"
        "setuptools"
        "starlette"
        "typer"
        "types-paramiko"
        "types-pyyaml"
        "uvicorn"
        "uvloop"
        "websockets"
      ] derivation;
      functions = {
        inherit lib;
        python.sitePackages = "lib/python3.14/site-packages";
        buildPythonApplication = build;
        buildPythonPackage = build;
        callPackage = callPackage packages;
        fetchPypi = source: source;
      };
      extended = set: extension: set // extension packages set;
      packages = builtins.foldl' extended (own // functions) final.pythonPackagesExtensions;
    in
    packages;

  own = genAttrs [
    "acl"
    "attr"
    "chromium"
    "curl"
    "git"
    "installShellFiles"
    "iproute2"
    "libfaketime"
    "nftables"
    "nixfmt"
    "openssh"
    "postgresql"
    "prometheus-alertmanager"
    "rest-server"
    "restic"
    "ruff"
    "samba"
    "sanoid"
    "systemd"
    "wrk"
  ] derivation;
  functions = final: {
    inherit lib;
    callPackage = callPackage final;
    prometheus.cli = derivation "prometheus-cli";
    nixfmt-tree.override = { settings }: derivation "nixfmt-tree" // settings;
    mkShell = { packages }: derivation "shell" // { inherit packages; };
    python3.withPackages =
      choose: derivation "python3" // { contents = choose final.python3Packages; };
    python3Packages = python final;
    pythonPackagesExtensions = [ ];
    runCommand =
      name:
      { nativeBuildInputs }:
      script:
      derivation name // { inherit script; };
    writeShellScriptBin = name: script: derivation name // { inherit script; };
    writeText = name: text: derivation name // { inherit text; };
  };
in
{
  inherit lib;
  legacyPackages = genAttrs [ "aarch64-linux" "x86_64-linux" ] (_: {
    extend =
      overlay:
      let
        prev = own // functions final;
        final = prev // overlay final prev;
      in
      final;
  });
}
