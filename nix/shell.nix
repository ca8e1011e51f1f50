# Everything to work on this repository and to run all of its tests; `emily-infra` runs the
# checkout, so that edits are seen.
pkgs:
let
  python = import ./python.nix pkgs;
  emily-infra = pkgs.writeShellScriptBin "emily-infra" ''
    PYTHONPATH=$(${pkgs.git}/bin/git rev-parse --show-toplevel) || exit
    export PYTHONPATH
    exec ${python}/bin/python -m emily_infra "$@"
  '';
in
pkgs.mkShell {
  packages = [
    emily-infra
    python
    pkgs.acl
    pkgs.attr
    pkgs.chromium
    pkgs.curl
    pkgs.iproute2
    pkgs.libfaketime
    pkgs.nftables
    pkgs.nixfmt
    pkgs.openssh
    pkgs.postgresql
    pkgs.prometheus-alertmanager
    pkgs.prometheus.cli
    pkgs.rest-server
    pkgs.restic
    pkgs.ruff
    pkgs.samba
    pkgs.sanoid
    pkgs.systemd
    pkgs.wrk
  ];
}
