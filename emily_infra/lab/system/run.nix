# A store path that a shell script of the machine itself makes: no nixpkgs is needed for it.
name: script: environment:
derivation (
  {
    inherit name;
    system = builtins.currentSystem;
    builder = "/bin/sh";
    args = [
      "-euc"
      ''
        PATH=/usr/bin:/bin:/run/current-system/sw/bin
        ${script}
      ''
    ];
  }
  // environment
)
