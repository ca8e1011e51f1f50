# What `nix flake check` runs. The build sandbox has no network, no root and no Nix, so of the tests
# only those run here that need none of them; tests/render and tests/flake evaluate with Nix,
# tests/machine logs in to its own sshd, some of tests/cli do both, one of tests/disks writes on block
# devices, and tests/docs reads what people write beside the code. scripts/test runs everything.
{
  pkgs,
  source,
  hosts,
}:
let
  inherit (pkgs) lib;

  over =
    name: command:
    pkgs.runCommand "emily-${name}"
      {
        nativeBuildInputs = [
          (import ./python.nix pkgs)
          pkgs.emily-infra
          pkgs.ruff
        ];
      }
      ''
        cp -r ${source}/. .
        chmod -R u+w .
        ${command}
        touch $out
      '';

  # The name of its derivation is all that is asked for, so a host is evaluated and not built.
  evaluated =
    name: host:
    lib.nameValuePair "host-${name}" (
      pkgs.writeText "emily-host-${name}" (
        builtins.unsafeDiscardStringContext host.config.system.build.toplevel.drvPath
      )
    );
in
{
  rendered = over "rendered" "emily-infra render --check";
  ruff = over "ruff" "ruff check --no-cache . && ruff format --no-cache --check .";
  types = over "types" "mypy --cache-dir=/dev/null";
  unit = over "unit" ''
    python -m pytest -q -p no:cacheprovider -m "not lab" \
      tests/check tests/install tests/lab tests/lab_system/guest tests/runtime tests/spec \
      tests/storage tests/zfs \
      tests/disks/test_{edit,progress,redundancy}.py \
      tests/cli/test_{capacity,check,commands,planned,render,words}.py
  '';
}
// lib.mapAttrs' evaluated hosts
